// The button of a run that is over: the form with its settings, to change them or to train it again.
import { h, icon } from "../../core/dom.js";
import { t } from "../../core/i18n.js";
import { catalogue } from "../catalogue.js";
import { fillAgain } from "../form/settings.js";
import { ENDED } from "./run-controls.js";

const OVER = [...ENDED, "failed"];

export class Again {
  /** Names of the data sets that the form offers. @type {Set<string>} */ offered = new Set();
  /** @type {?Run} */ run = null;

  constructor() {
    this.element = h(
      "button",
      { type: "button", class: "tr-button needs-control", hidden: true, onclick: () => this.fill() },
      icon("reset"),
      h("span", {}, t("stage.again")),
    );
    catalogue()
      .then(({ data }) => {
        this.offered = new Set(data.map((set) => set.name));
        if (this.run) this.update(this.run);
      })
      .catch(() => {}); // the form says what is wrong
  }

  /** @param {Run} run */
  update(run) {
    this.run = run;
    const { config, status } = run;
    // The form can't be filled with pictures that were uploaded, nor with a model to start from.
    const fits = config && this.offered.has(config.data) && !config.start_from;
    this.element.hidden = !fits || !OVER.includes(status.state);
  }

  async fill() {
    if (this.run?.config) await fillAgain(this.run.config, {}, t("stage.again_filled"));
  }
}
