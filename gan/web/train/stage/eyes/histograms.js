// Two histograms in one chart: the filled one is of what D learns or of G's fakes, the line of held-out images.
import { h, setText } from "../../../core/dom.js";
import { t } from "../../../core/i18n.js";
import { help } from "../../../widgets/help.js";
import { figure } from "../../../widgets/plot.js";
import { highest, outline } from "./overlap.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 */
function draw(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

export class Histograms {
  /**
   * @param {string} name of the question, "heart" or "tell"
   * @param {string} filled what the filled histogram is of, "trained" or "fakes"
   */
  constructor(name, filled) {
    this.name = name;
    this.area = draw("path", { class: `is-area is-${filled}` });
    this.line = draw("path", { class: "is-line" });
    this.svg = draw("svg", { preserveAspectRatio: "none", "aria-hidden": "true" });
    this.svg.append(this.area, this.line);
    this.ends = [h("span"), h("span")];
    this.number = h("strong");
    this.said = h("span");
    const title = t(`eyes.${name}`);
    const [button, note] = help(title, t(`eyes.${name}_help`));
    const key = (/** @type {string} */ of, /** @type {string} */ kind) =>
      h("span", { class: "tr-key" }, h("i", { class: kind }), t(`eyes.${of}`));
    this.element = h(
      "figure",
      { class: "tr-seen", "data-question": name },
      h("figcaption", {}, h("h4", {}, title), button),
      note,
      h("div", { class: "tr-keys" }, key(filled, `is-${filled}`), key("held_out", "is-line")),
      this.svg,
      h("div", { class: "tr-ends" }, this.ends[0], h("span", {}, t("eyes.axis")), this.ends[1]),
      h("p", { class: "tr-note" }, this.number, " ", this.said),
    );
  }

  /**
   * @param {Eyes} eyes
   * @param {number[]} filled counts
   * @param {{overlap: number, most: number, key: string}} judged
   */
  update(eyes, filled, judged) {
    const top = highest([eyes.trained, eyes.held_out, eyes.fakes]);
    this.svg.setAttribute("viewBox", `0 0 ${filled.length} 1`);
    this.area.setAttribute("d", outline(filled, top));
    this.line.setAttribute("d", outline(eyes.held_out, top));
    const least = 10 ** Math.floor(Math.log10(eyes.high - eyes.low)) / 10;
    [eyes.low, eyes.high].forEach((end, index) => setText(this.ends[index], figure(end, least)));
    const [overlap, most] = [judged.overlap, judged.most].map((share) => Math.round(100 * share));
    setText(this.number, t("eyes.overlap", { overlap, most }));
    setText(this.said, t(`eyes.${this.name}_${judged.key}`));
  }
}
