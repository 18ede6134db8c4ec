// Formulas, as gan/objectives.py writes them. {D} and {G} stand for the networks and {x} for a real image;
// each has its colour.
import { h } from "../core/dom.js";

/** @type {Record<string, string>} */
const COLOURS = { D: "is-d", G: "is-g", x: "is-real" };

/**
 * The formulas that D and G minimise; null for an unknown loss.
 * @param {LossFacts | undefined} loss
 * @param {{formula: string} | undefined} penalty
 */
export function formula(loss, penalty) {
  if (!loss) return null;
  return h(
    "div",
    { class: "tr-formula" },
    line("D", loss.formula_d),
    penalty?.formula && line("D", `+ ${penalty.formula}`, true),
    line("G", loss.formula_g),
  );
}

/**
 * @param {"D" | "G"} player
 * @param {string} text
 */
function line(player, text, goesOn = false) {
  return h(
    "p",
    {},
    h("b", { class: COLOURS[player] }, goesOn ? "" : player),
    h(
      "span",
      {},
      ...text
        .split(/\{(\w)\}/)
        .map((part, index) => (index % 2 ? h("i", { class: COLOURS[part] }, part) : part)),
    ),
  );
}
