// The elements of the Train tab.
import "./train/form.js";
import "./train/stage.js";
