// The losses and penalties as formulas: {D} and {G} mark the players, {x} a real picture, each drawn in its colour.
import { h } from "../common.js";

const LOSSES = {
  relativistic: { D: "softplus( {D}({G}(z)) − {D}({x}) )", G: "softplus( {D}({x}) − {D}({G}(z)) )" },
  nonsaturating: { D: "softplus( −{D}({x}) ) + softplus( {D}({G}(z)) )", G: "softplus( −{D}({G}(z)) )" },
  hinge: { D: "max(0, 1 − {D}({x})) + max(0, 1 + {D}({G}(z)))", G: "−{D}({G}(z))" },
  least_squares: { D: "½ ({D}({x}) − 1)² + ½ {D}({G}(z))²", G: "½ ({D}({G}(z)) − 1)²" },
  wasserstein: { D: "{D}({G}(z)) − {D}({x})", G: "−{D}({G}(z))" },
};
const PENALTIES = {
  r1: "γ⁄2 ‖∇{D}({x})‖²",
  r1r2: "γ⁄2 ( ‖∇{D}({x})‖² + ‖∇{D}({G}(z))‖² )",
  wgan_gp: "γ⁄2 ( ‖∇{D}(x̂)‖ − 1 )²",
};
const COLOURS = { D: "is-d", G: "is-g", x: "is-real" };

/** A block with what D and G minimise, or null where there is no formula for that loss. */
export function formula(loss, penalty) {
  const lines = LOSSES[loss];
  if (!lines) return null;
  const more = PENALTIES[penalty];
  return h("div", { class: "tr-formula" }, line("D", lines.D), more && line("D", `+ ${more}`, true), line("G", lines.G));
}

function line(player, text, goesOn = false) {
  return h("p", {}, h("b", { class: COLOURS[player] }, goesOn ? "" : player), h("span", {}, ...text.split(/\{(\w)\}/).map((part, index) => (index % 2 ? h("i", { class: COLOURS[part] }, part) : part))));
}
