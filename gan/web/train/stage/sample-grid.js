// The sample grid: the largest thing on the page, swapped without flicker, with a slider back through its whole history.
import { address } from "../../core/api.js";
import { find, h, icon, setText } from "../../core/dom.js";
import { short } from "../../core/format.js";
import { t } from "../../core/i18n.js";

const CELLS = 8;

export class SampleGrid {
  /** @type {?string} */
  id = null;
  /** @type {number[]} */
  steps = [];
  /** The step that the reader has chosen; null follows the newest. @type {?number} */
  at = null;
  /** The address of the grid on the screen. @type {?string} */
  shown = null;
  /** The step whose grid is on the screen or loading. @type {?number} */
  wanted = null;
  loading = false;
  running = false;
  size = 64;
  since = "";
  /** @type {(step: number) => ?number} */
  kimgOf = () => null;

  constructor() {
    this.front = h("img", { class: "tr-picture", alt: "", draggable: "false" });
    this.back = h("img", { class: "tr-picture", alt: "", draggable: "false" });
    this.empty = h("p", { class: "tr-waiting" });
    this.frame = h("div", { class: "tr-frame" }, this.back, this.front, this.empty);
    this.slider = h("input", { type: "range", min: "0", value: "0", step: "1", class: "tr-range", "aria-label": t("stage.history"), oninput: () => this.drag() });
    this.caption = h("output", { class: "tr-caption" });
    this.live = h("button", { type: "button", class: "tr-live", onclick: () => this.follow() }, h("i"), h("span", {}, t("stage.newest")));
    this.history = h("div", { class: "tr-history" },
      h("button", { type: "button", class: "gan-ghost", "aria-label": t("stage.earlier"), onclick: () => this.nudge(-1) }, icon("back")), this.slider,
      h("button", { type: "button", class: "gan-ghost", "aria-label": t("stage.later"), onclick: () => this.nudge(1) }, icon("next")), this.caption, this.live);
    this.element = h("div", { class: "tr-grid" }, this.frame, this.history);
    this.reset(null);
    new ResizeObserver(() => this.fit()).observe(this.element);
    addEventListener("resize", () => this.fit());
  }

  /** @param {?string} id */
  reset(id) {
    Object.assign(this, { id, steps: [], at: null, shown: null, wanted: null });
    this.front.removeAttribute("src");
    this.back.removeAttribute("src");
    this.front.hidden = this.back.hidden = true;
  }

  /**
   * Take the newest state of the run shown. `kimgOf(step)` tells what a step means in kimg.
   * @param {Run} run
   * @param {(step: number) => ?number} kimgOf
   */
  update(run, kimgOf) {
    if (run.id !== this.id || (!run.samples.length && this.shown !== null)) this.reset(run.id); // another run, or one that began anew
    // In the addresses: browsers keep grids for ever, and a run that begins anew, or goes back after something befell it, draws others of the same steps.
    this.since = `${run.status.queued_at}-${run.events.at(-1)?.time ?? 0}`;
    this.kimgOf = kimgOf;
    this.size = run.config?.size ?? 64;
    this.running = ["starting", "running"].includes(run.status.state) && run.silent === null;
    this.steps = run.samples;
    const { at } = this;
    if (at !== null && !this.steps.includes(at)) this.at = this.steps.findLast((step) => step <= at) ?? this.steps[0] ?? null; // thinned meanwhile
    this.draw();
  }

  /**
   * Nothing to show yet: say so in the frame.
   * @param {?string} text
   */
  say(text) {
    this.empty.hidden = !text;
    setText(this.empty, text ?? "");
  }

  draw() {
    const last = this.steps.length - 1;
    const index = this.at === null ? last : this.steps.indexOf(this.at);
    this.history.hidden = last < 0;
    this.slider.max = String(Math.max(0, last));
    this.slider.disabled = last < 1;
    this.slider.value = String(Math.max(0, index));
    this.slider.style.setProperty("--part", String(last > 0 ? index / last : 1));
    this.live.classList.toggle("is-on", this.at === null);
    this.live.classList.toggle("is-live", this.running);
    setText(find(this.live, "span"), t(this.running ? "stage.live" : "stage.newest"));
    this.live.setAttribute("aria-pressed", String(this.at === null));
    const step = this.steps[index];
    if (step === undefined) return;
    const kimg = this.kimgOf(step);
    const label = t("stage.grid_at", { images: imagesText(kimg) });
    setText(this.caption, label);
    this.caption.title = kimgText(kimg);
    this.slider.setAttribute("aria-valuetext", label);
    this.show(step);
  }

  drag() {
    const index = Number(this.slider.value);
    this.at = index >= this.steps.length - 1 ? null : this.steps[index];
    this.draw();
  }

  /** @param {number} by */
  nudge(by) {
    const index = (this.at === null ? this.steps.length - 1 : this.steps.indexOf(this.at)) + by;
    this.at = index >= this.steps.length - 1 ? null : this.steps[Math.max(0, index)];
    this.draw();
  }

  follow() {
    this.at = null;
    this.draw();
  }

  /** Where the wanted grid is, null for none. */
  source() {
    return this.wanted === null ? null : address(`runs/${this.id}/samples/${String(this.wanted).padStart(8, "0")}.webp`, { since: this.since });
  }

  /**
   * Show the grid of a step once it is decoded; while it loads, the newest wish wins.
   * @param {number} step
   */
  async show(step) {
    this.wanted = step;
    if (this.loading) return;
    this.loading = true;
    while (this.source() !== this.shown) {
      const [id, next, source] = [this.id, this.wanted, this.source()];
      if (next === null || source === null) break; // another run, without grids so far
      this.back.src = source;
      try {
        await this.back.decode();
      } catch {
        if (source === this.source()) break; // thinned, or no connection: the next answer brings another
        continue;
      }
      if (id !== this.id) continue;
      [this.front, this.back] = [this.back, this.front];
      this.front.hidden = false;
      this.front.alt = t("stage.grid_alt", { images: imagesText(this.kimgOf(next)) });
      this.back.hidden = true;
      this.back.alt = "";
      this.shown = source;
      this.say(null);
      this.fit();
    }
    this.loading = false;
  }

  /** The largest whole multiple of the grid's own pixels that fits; where that would waste much of the room, or on fine screens, the largest size. */
  fit() {
    const native = CELLS * (this.size ?? 64);
    const ratio = devicePixelRatio || 1;
    const room = Math.min(this.element.clientWidth, Math.max(320, innerHeight - 226));
    const whole = Math.floor((room * ratio) / native) / ratio;
    const side = ratio < 2 && whole * native >= 0.78 * room ? whole * native : room; // fine screens show no uneven pixels
    this.frame.style.width = this.history.style.width = `${Math.max(side, 0)}px`;
    this.frame.classList.toggle("is-smooth", side !== whole * native && side * ratio < 2 * native);
  }
}

/**
 * How many images, and the same in the unit of the settings and the terminal, for those who point at it.
 * @param {?number} kimg
 */
export const imagesText = (kimg) => (kimg === null ? "–" : short(1000 * kimg));
/** @param {?number} kimg */
export const kimgText = (kimg) => (kimg === null ? "" : `${kimg < 10 ? kimg.toFixed(1) : Math.round(kimg)} kimg`);
