// What may help after a verdict: other settings, from the next step of a running run on, or in a new run. One
// button changes them now and another undoes it; a third opens the form with them.
import { request } from "../../core/api.js";
import { h, setText } from "../../core/dom.js";
import { multiplied, times } from "../../core/format.js";
import { refusal, sentence, t } from "../../core/i18n.js";
import { refresh } from "../../shell/run-feed.js";
import { catalogue } from "../catalogue.js";
import { fillAgain } from "../form/settings.js";
import { changedAt, inForce, undone } from "./changes.js";

/** @typedef {import("./changes.js").Change} Change */

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
  d_strong: { penalty: [["gamma", 2]], none: [["lr_d", 1 / 2]] },
  d_blind: {
    penalty: [
      ["lr_g", 1 / 4],
      ["gamma", 1 / 2],
    ],
    none: [["lr_g", 1 / 4]],
  },
  full_collapse: { penalty: [["gamma", 4]], none: [["lr_g", 1 / 4]] },
  same_samples: { penalty: [["gamma", 4]], none: [["lr_g", 1 / 4]] },
  partial_collapse: { penalty: [["gamma", 2]], none: [["lr_g", 1 / 2]] },
  lost_coverage: { penalty: [["gamma", 2]], none: [["lr_g", 1 / 2]] },
  d_lost: { penalty: [["gamma", 1 / 2]], none: [["lr_g", 1 / 2]] },
  collapse: { penalty: [["gamma", 4]], none: [["lr_g", 1 / 4]] },
  collapsed_modes: { penalty: [["gamma", 4]], none: [["lr_g", 1 / 4]] },
  "train.diverged": { penalty: SLOWER, none: SLOWER },
};
const PAUSE = 600; // ms until the page knows a change
const TRIAL = 25; // s until a change may follow another: the doctor needs two checks to see what it did
const JUDGED = ["running", "paused", "finished", "stopped"];

export class Advice {
  /** Names of the data sets that the form offers. @type {Set<string>} */ offered = new Set();
  /** @type {?Run} */ run = null;
  /** Whether the server has not told of a change yet. */ busy = false;

  constructor() {
    this.text = h("p");
    this.buttonText = h("span");
    this.button = h(
      "button",
      { type: "button", class: "tr-button needs-control", onclick: () => this.startAgain() },
      this.buttonText,
    );
    this.nowText = h("span");
    this.now = this.#changer(this.nowText, () => changesFor(this.run));
    this.undoText = h("span");
    this.undo = this.#changer(this.undoText, () =>
      undone(this.run?.events ?? [], this.run?.status.step ?? 0),
    );
    this.note = h("p", { class: "tr-said", role: "status" });
    this.element = h(
      "div",
      { class: "tr-advice", hidden: true },
      this.text,
      this.now,
      this.undo,
      this.button,
      this.note,
    );
    catalogue()
      .then(({ data }) => {
        this.offered = new Set(data.map((set) => set.name));
      })
      .catch(() => {});
  }

  /**
   * A button that changes settings of the run on the screen.
   * @param {HTMLElement} text
   * @param {() => Change[]} changes
   */
  #changer(text, changes) {
    const onclick = () => this.adjust(changes());
    return h("button", { type: "button", class: "tr-button needs-control", onclick }, text);
  }

  /** @param {Change[]} changes */
  async adjust(changes) {
    const id = this.run?.id;
    this.busy = this.now.disabled = this.undo.disabled = true;
    try {
      for (const [name, factor] of changes)
        await request(`runs/${id}/adjust`, { method: "POST", query: { name, factor: String(factor) } });
      setText(this.note, t("advice.adjusted"));
      refresh();
    } catch (error) {
      setText(this.note, sentence(refusal(error)));
    }
    setTimeout(() => {
      this.busy = false;
      if (this.run) this.update(this.run);
    }, PAUSE);
  }

  /** @param {Run} run */
  update(run) {
    if (run.id !== this.run?.id) setText(this.note, "");
    this.run = run;
    const { config, status, silent } = run;
    const changes = changesFor(run);
    const back = undone(run.events, status.step);
    const trains = status.state === "running" && silent === null && !status.where;
    const trial = Math.abs(Date.now() / 1000 - changedAt(run.events)) < TRIAL; // clocks may differ
    this.now.hidden = !trains || !changes.length;
    this.now.disabled = this.busy || trial;
    this.undo.disabled = this.busy;
    this.undo.hidden = !trains || !back.length;
    this.button.hidden = !changes.length;
    this.element.hidden = !changes.length && this.undo.hidden;
    setText(this.nowText, t("advice.now", { changes: named(changes) }));
    setText(this.undoText, t("advice.undo", { changes: named(back) }));
    if (!changes.length) setText(this.text, t("advice.changed"));
    if (!config || !changes.length) return;
    const values = changes.map(([name, factor]) =>
      t("advice.change", {
        name: t(`field.${name}`),
        to: times(inForce(run, config, name), factor),
        from: inForce(run, config, name),
      }),
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
    setText(this.buttonText, t("advice.again", { changes: named(changes) }));
    // The form can't be filled with pictures that were uploaded, nor with a model to start from.
    this.button.hidden = !this.offered.has(config.data) || Boolean(config.start_from);
  }

  async startAgain() {
    const { run } = this;
    const config = run?.config;
    if (!run || !config) return;
    const changed = Object.fromEntries(
      remedy(run, config).map(([name, factor]) => [name, times(inForce(run, config, name), factor)]),
    );
    try {
      await fillAgain(config, changed, t("advice.filled", { changes: this.buttonText.textContent ?? "" }));
    } catch (error) {
      setText(this.text, sentence(refusal(error)));
    }
  }
}

/** @param {?Run} run */
const changesFor = (run) => (run?.config ? remedy(run, run.config) : []);

/** @param {Change[]} changes */
const named = (changes) =>
  changes.map(([name, factor]) => `${t(`field.${name}`)} ${multiplied(factor)}`).join(", ");

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
