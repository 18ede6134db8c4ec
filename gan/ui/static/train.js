// The elements of the Train tab.
import "./train/cost.js";
import "./train/form.js";
import "./train/pictures.js";
import "./train/stage.js";
import "./train/submit.js";
