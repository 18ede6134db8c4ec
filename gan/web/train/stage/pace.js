// Whether a run trains as fast as the form estimated. Where it is far slower, the stage says so with the images
// that it will see, and a run that has ended is offered the time for those that were expected.
import { request } from "../../core/api.js";
import { controls, isVisitor } from "../../core/control.js";
import { h, setText } from "../../core/dom.js";
import { whole } from "../../core/format.js";
import { t } from "../../core/i18n.js";

const SLOW = 3; // times slower than estimated, from which the stage says so
const STILL_SLOW = 2; // and until which it goes on to
const SETTLED = 10; // seconds of training before the speed counts
const LONGEST = 10080; // minutes of a run
const LONGER = "more_minutes"; // the event of a run that was given more time

export class Pace {
  /** @type {?string} */ id = null;
  /** What the form estimated for the run. @type {?ImagesCost} */ estimate = null;
  /** @type {?Run} */ run = null;
  /** Minutes that the button adds. */ minutes = 0;

  /** @param {(minutes: number) => void} more gives the run more time */
  constructor(more) {
    this.text = h("p");
    this.name = h("span");
    this.button = h(
      "button",
      { type: "button", class: "tr-button needs-control", onclick: () => more(this.minutes) },
      this.name,
    );
    this.element = h("div", { class: "tr-pace", hidden: true }, this.text, this.button);
  }

  /**
   * @param {Run} run
   * @param {boolean} leased whether it trains in leases of a GPU, so not on the machine that was measured
   */
  update(run, leased) {
    const { id, config, status, silent, events } = run;
    const { rate, elapsed } = status;
    if (id !== this.id) {
      this.id = id;
      this.estimate = null;
      this.element.hidden = true;
      if (config?.kind === "images") this.ask(id, leased);
    }
    this.run = run;
    const over = status.state === "finished";
    const now = over ? status.images / elapsed : rate;
    const times = this.estimate?.rate && now ? this.estimate.rate / now : 0;
    const elsewhere = Boolean(status.where) || leased || events.some((event) => event.key === "restored");
    const compared = (over || status.state === "running") && silent === null && !elsewhere;
    this.button.disabled = isVisitor() && !controls(id);
    const slow = times >= (this.element.hidden ? SLOW : STILL_SLOW);
    const text = compared && elapsed >= SETTLED && slow && now ? this.sentence(run, times, now) : "";
    this.element.hidden = !text;
    setText(this.text, text);
  }

  /**
   * The sentence, "" for none; it also sets the button.
   * @param {Run} run
   * @param {number} times how many times slower than estimated it is
   * @param {number} rate images/s
   */
  sentence({ status, config, events }, times, rate) {
    const timed = Boolean(config && !config.kimg) && !events.some((event) => event.key === LONGER);
    const expected = 1000 * (this.estimate?.kimg ?? 0);
    const said = { times: whole(Math.round(times)), expected: whole(about(expected)) };
    this.button.hidden = true;
    if (status.state === "running") {
      const images = whole(about(status.images + rate * (status.eta ?? 0)));
      return [t("pace.slow", said), timed && t("pace.images", { ...said, images })].filter(Boolean).join(" ");
    }
    if (!timed || !config) return "";
    this.minutes = Number(((expected - status.images) / rate / 60).toPrecision(2));
    this.button.hidden = config.minutes + this.minutes > LONGEST;
    setText(this.name, t("pace.go_on", { ...said, minutes: this.minutes }));
    return t("pace.ended", { ...said, images: whole(status.images) });
  }

  /**
   * Ask the server once for a run's estimate. Without an answer there is nothing to compare with.
   * @param {string} id
   * @param {boolean} leased
   */
  async ask(id, leased) {
    const found = await request("cost", { query: { run: id } }).catch(() => null);
    if (this.id !== id || !found || found.kind !== "images" || !this.run) return;
    this.estimate = found;
    this.update(this.run, leased);
  }
}

/** Two significant figures. @param {number} value */
const about = (value) => Number(value.toPrecision(2));
