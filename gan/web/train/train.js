// The elements of the Train tab.
import "./form/cost.js";
import "./form/form.js";
import "./form/own-pictures.js";
import "./form/own-points.js";
import "./form/start-from.js";
import "./form/submit.js";
import "./form/where.js";
import "./keep-place.js";
import "./stage/stage.js";
