// What may help after a verdict: a new run with other settings, because those of a run are fixed. A button
// opens the form with them.
import { h, setText } from "../../core/dom.js";
import { refusal, sentence, t } from "../../core/i18n.js";
import { catalogue } from "../catalogue.js";
import { fillAgain } from "../form/settings.js";

/** A setting, and the factor for it. @typedef {[name: "gamma" | "lr_g" | "lr_d", factor: number]} Change */

/** @type {Change[]} */
const SLOWER = [
  ["lr_g", 1 / 10],
  ["lr_d", 1 / 10],
];

/**
 * By verdict or error: the changes where D has a penalty, and where it has none, so that gamma does nothing.
 * @type {Record<string, {penalty: Change[], none: Change[]}>}
 */
const REMEDIES = {
  d_wins: { penalty: [["gamma", 2]], none: [["lr_d", 1 / 2]] },
  d_lost: { penalty: [["gamma", 1 / 2]], none: [["lr_g", 1 / 2]] },
  collapse: { penalty: [["gamma", 4]], none: [["lr_g", 1 / 4]] },
  collapsed_modes: { penalty: [["gamma", 4]], none: [["lr_g", 1 / 4]] },
  "train.diverged": { penalty: SLOWER, none: SLOWER },
};
const JUDGED = ["running", "paused", "finished", "stopped"];

export class Advice {
  /** Names of the data sets that the form offers. @type {Set<string>} */ offered = new Set();
  /** @type {?Run} */ run = null;

  constructor() {
    this.text = h("p");
    this.buttonText = h("span");
    this.button = h(
      "button",
      { type: "button", class: "tr-button needs-control", onclick: () => this.startAgain() },
      this.buttonText,
    );
    this.element = h("div", { class: "tr-advice", hidden: true }, this.text, this.button);
    catalogue()
      .then(({ data }) => {
        this.offered = new Set(data.map((set) => set.name));
      })
      .catch(() => {});
  }

  /** @param {Run} run */
  update(run) {
    this.run = run;
    const { config } = run;
    const changes = config ? remedy(run, config) : [];
    this.element.hidden = !changes.length;
    if (!config || !changes.length) return;
    const values = changes.map(([name, factor]) =>
      t("advice.change", { name: t(`field.${name}`), to: times(config[name], factor), from: config[name] }),
    );
    setText(
      this.text,
      [
        !penalised(config) && run.status.error === null && t("advice.no_penalty"),
        t("advice.new_run", { changes: values.join(", ") }),
      ]
        .filter(Boolean)
        .join(" "),
    );
    const names = changes.map(([name, factor]) => `${t(`field.${name}`)} ${written(factor)}`);
    setText(this.buttonText, t("advice.again", { changes: names.join(", ") }));
    // The form can't be filled with pictures that were uploaded, nor with a model to start from.
    this.button.hidden = !this.offered.has(config.data) || Boolean(config.start_from);
  }

  async startAgain() {
    const config = this.run?.config;
    if (!this.run || !config) return;
    const changed = Object.fromEntries(
      remedy(this.run, config).map(([name, factor]) => [name, times(config[name], factor)]),
    );
    try {
      await fillAgain(config, changed, t("advice.filled", { changes: this.buttonText.textContent ?? "" }));
    } catch (error) {
      setText(this.text, sentence(refusal(error)));
    }
  }
}

/** @param {RunConfig} config */
const penalised = ({ penalty, gamma }) => penalty !== "none" && gamma > 0;

/**
 * The changes that may help this run; none where all is well.
 * @param {Run} run
 * @param {RunConfig} config
 * @returns {Change[]}
 */
function remedy({ status, silent }, config) {
  if (silent !== null) return [];
  const key =
    status.state === "failed" ? status.error?.key : JUDGED.includes(status.state) && status.verdict?.key;
  const found = key ? REMEDIES[key] : undefined;
  return found ? (penalised(config) ? found.penalty : found.none) : [];
}

/** Without the noise of binary fractions. @param {number} value @param {number} factor */
const times = (value, factor) => Number((value * factor).toPrecision(6));

/** @param {number} factor */
const written = (factor) => (factor < 1 ? `÷ ${Math.round(1 / factor)}` : `× ${factor}`);
