// The settings in which the chosen runs differ, and the scores that they have.
import { h } from "../core/dom.js";
import { clock, multiplied, short, whole } from "../core/format.js";
import { known, t } from "../core/i18n.js";
import { dataName, recipeName } from "../core/run-name.js";
import { statName } from "./chart.js";
import { differing } from "./curves.js";
import { figure } from "../widgets/plot.js";

const SCORES = ["modes", "high_quality", "diversity"];
/** @param {string} name */
const settingName = (name) =>
  [`compare.set_${name}`, `field.${name}`].filter(known).map((key) => t(key))[0] ?? name;

/**
 * @param {string} name
 * @param {unknown} value
 */
function settingText(name, value) {
  if (value === null || value === "") return "–";
  if (typeof value === "boolean") return t(value ? "compare.yes" : "compare.no");
  if (name === "data") return dataName(String(value));
  if (name === "recipe") return recipeName(String(value));
  if (name === "kind" && known(`compare.kind_${value}`)) return t(`compare.kind_${value}`);
  return String(value);
}

/**
 * The newest value of a statistic; null without one.
 * @param {RunCurves} run
 * @param {string} name
 */
const newest = (run, name) => (run.means ?? run.values)[name]?.findLast((value) => value !== null) ?? null;

/**
 * The last figures of the runs: [name, text of each run], for what at least one of them has.
 * @param {RunCurves[]} runs
 * @returns {[name: string, texts: string[]][]}
 */
function figures(runs) {
  /** @type {[string, string[]][]} */
  const rows = [
    [t("stage.elapsed"), runs.map(({ elapsed }) => clock(elapsed))],
    [t("compare.examples"), runs.map(({ images }) => short(images))],
  ];
  for (const name of SCORES) {
    const values = runs.map((run) => newest(run, name));
    if (values.some((value) => value !== null))
      rows.push([
        statName(name),
        values.map((value, index) =>
          value === null
            ? "–"
            : name === "modes"
              ? t("stage.modes_value", { modes: Math.round(value), of: runs[index].modes ?? "–" })
              : figure(value, 0.001),
        ),
      ]);
  }
  return rows;
}

/**
 * What was changed while the runs trained: a row, if anything was.
 * @param {RunCurves[]} runs
 * @returns {[name: string, texts: string[]][]}
 */
function changed(runs) {
  if (!runs.some(({ changes }) => changes.length)) return [];
  const text = (/** @type {RunCurves["changes"][0]} */ { step, name, factor }) =>
    t("compare.change", { name: settingName(name), factor: multiplied(factor), step: whole(step) });
  return [[t("compare.changes"), runs.map(({ changes }) => changes.map(text).join("; ") || "–")]];
}

export class SettingsTable {
  constructor() {
    this.note = h("p", { class: "cm-note" });
    this.body = h("div", {
      class: "cm-scroll",
      tabindex: "0",
      role: "region",
      "aria-label": t("compare.settings"),
    });
    this.element = h(
      "section",
      { class: "cm-section", hidden: true },
      h("h4", {}, t("compare.settings")),
      this.body,
      this.note,
    );
    this.shown = "";
  }

  /**
   * @param {RunCurves[]} runs
   * @param {(run: RunCurves) => HTMLElement} badge
   */
  update(runs, badge) {
    this.element.hidden = !runs.length;
    const settings = differing(runs.map(({ config }) => config ?? {}));
    const rows = [
      ...settings.map(
        ([name, values]) =>
          /** @type {[string, string[]]} */ ([
            settingName(name),
            values.map((value) => settingText(name, value)),
          ]),
      ),
      ...changed(runs),
      ...figures(runs),
    ];
    const state = JSON.stringify([runs.map(({ id }) => id), rows]);
    if (state === this.shown) return; // a selection in the table stays
    this.shown = state;
    const one = (/** @type {string[]} */ texts) => texts.map((text) => h("td", {}, text));
    this.body.replaceChildren(
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }),
            runs.map((run) => h("th", { scope: "col" }, badge(run))),
          ),
        ),
        h(
          "tbody",
          {},
          rows.map(([name, texts]) => h("tr", {}, h("th", { scope: "row" }, name), one(texts))),
        ),
      ),
    );
    const alike = runs.length > 1 && !settings.length && !changed(runs).length;
    this.note.textContent = alike ? t("compare.alike") : runs.length > 1 ? t("compare.settings_note") : "";
  }
}
