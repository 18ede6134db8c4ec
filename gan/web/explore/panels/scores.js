// The scores of a checkpoint: the few numbers of its card that matter most.
import { h, setText } from "../../core/dom.js";
import { known, lang, t } from "../../core/i18n.js";
import { help } from "../../widgets/help.js";

const SHOWN = ["FD", "precision", "coverage", "copies"];
const SMALL = 1; // numbers below it need two decimals

/**
 * @param {number} value
 * @param {number} digits
 */
const number = (value, digits) => value.toLocaleString(lang, { maximumFractionDigits: digits });

/**
 * @param {string} name
 * @param {number} value
 */
function score(name, value) {
  if (name === "copies") return value.toLocaleString(lang, { style: "percent", maximumFractionDigits: 1 });
  return name === "FD"
    ? Number(value.toPrecision(3)).toLocaleString(lang)
    : number(value, value < SMALL ? 2 : 1);
}

/**
 * The feature extractor of the scores, in the reader's language.
 * @param {Scored} scored
 */
function net(scored) {
  if (known(`data.${scored.net}`)) return t("explore.net", { name: t(`data.${scored.net}`) });
  return known(`explore.net_${scored.net}`) ? t(`explore.net_${scored.net}`) : scored.title;
}

/**
 * The scores that matter most, as a person reads them.
 * @param {Scored} scored
 */
export function scoreRows(scored) {
  const through = net(scored);
  const label = (/** @type {string} */ name) =>
    name === "FD" && scored.net === "inception" ? "FID" : t(`explore.score_${name}`, { net: through });
  return SHOWN.filter((name) => name in scored.scores).map((name) => ({
    label: label(name),
    value: score(name, scored.scores[name]),
    hint: t(`explore.score_${name}_hint`),
  }));
}

/**
 * What the scores compare the samples with.
 * @param {Scored} scored
 */
export const comparison = ({ against, pictures }) =>
  t(`explore.against_${against}`, { count: pictures.toLocaleString(lang) });

/**
 * A row of numbers under the large picture. `show(model)` updates it, and hides it for a model without
 * scores.
 */
export class Scores {
  text = ""; // JSON of the scores on the screen

  constructor() {
    this.list = h("dl", {});
    this.against = h("small");
    const [ask, note] = help(t("explore.scores"), "");
    this.note = note;
    this.element = h(
      "section",
      { class: "xp-scores", "aria-label": t("explore.scores"), hidden: true },
      h("header", {}, h("h3", {}, t("explore.scores")), ask),
      note,
      this.list,
      this.against,
    );
  }

  /** @param {Model | undefined} model */
  show(model) {
    const scored = model?.scored;
    const text = JSON.stringify(scored ?? null);
    if (text === this.text) return;
    this.text = text;
    this.element.hidden = !scored;
    if (!scored) return;
    const { scores } = scored;
    const rows = scoreRows(scored);
    this.list.replaceChildren(
      ...rows.map(({ label, value }) => h("div", {}, h("dt", {}, label), h("dd", {}, value))),
    );
    setText(this.against, comparison(scored));
    const hints = rows.map(({ hint }) => hint);
    if ("FD of data" in scores)
      hints.splice(1, 0, t("explore.score_data_hint", { value: score("FD", scores["FD of data"]) }));
    setText(this.note, hints.join("\n"));
  }
}
