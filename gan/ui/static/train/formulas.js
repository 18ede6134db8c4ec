// The formulas of losses and penalties, which gan/objectives.py writes: {D} and {G} mark the players, {x} a real picture, each drawn in its colour.
import { h } from "../common.js";

const COLOURS = { D: "is-d", G: "is-g", x: "is-real" };

/** A block with what D and G minimise; a loss and a penalty as "catalogue" tells them, null where the loss is not known. */
export function formula(loss, penalty) {
  if (!loss) return null;
  return h("div", { class: "tr-formula" }, line("D", loss.formula_d), penalty?.formula && line("D", `+ ${penalty.formula}`, true), line("G", loss.formula_g));
}

function line(player, text, goesOn = false) {
  return h("p", {}, h("b", { class: COLOURS[player] }, goesOn ? "" : player), h("span", {}, ...text.split(/\{(\w)\}/).map((part, index) => (index % 2 ? h("i", { class: COLOURS[part] }, part) : part))));
}
