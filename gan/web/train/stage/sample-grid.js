// The sample grid, the largest part of the stage. It changes without flicker, and a slider shows its history.
import { address } from "../../core/api.js";
import { find, h, icon, setText } from "../../core/dom.js";
import { short } from "../../core/format.js";
import { t } from "../../core/i18n.js";
import { ofKind } from "../catalogue.js";

const CELLS = 8;
const LEGEND = ["real", "fake", "field"]; // what is drawn in a sheet of points

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
  /** @type {string | undefined} */
  kind;
  since = "";
  /** @type {(step: number) => ?number} */
  kimgOf = () => null;
  /** Called with the thousands of images of the grid that the reader has chosen; null for the newest. */
  /** @type {(kimg: ?number) => void} */
  moved = () => {};

  constructor() {
    this.front = h("img", { class: "tr-picture", alt: "", draggable: "false" });
    this.back = h("img", { class: "tr-picture", alt: "", draggable: "false" });
    this.empty = h("p", { class: "tr-waiting" });
    this.frame = h("div", { class: "tr-frame" }, this.back, this.front, this.empty);
    this.slider = h("input", {
      type: "range",
      min: "0",
      value: "0",
      step: "1",
      class: "tr-range",
      "aria-label": t("stage.history"),
      oninput: () => this.drag(),
    });
    this.caption = h("output", { class: "tr-caption" });
    this.live = h(
      "button",
      { type: "button", class: "tr-live", onclick: () => this.follow() },
      h("i"),
      h("span", {}, t("stage.newest")),
    );
    this.history = h(
      "div",
      { class: "tr-history" },
      h(
        "button",
        {
          type: "button",
          class: "gan-ghost",
          "aria-label": t("stage.earlier"),
          onclick: () => this.nudge(-1),
        },
        icon("back"),
      ),
      this.slider,
      h(
        "button",
        { type: "button", class: "gan-ghost", "aria-label": t("stage.later"), onclick: () => this.nudge(1) },
        icon("next"),
      ),
      this.caption,
      this.live,
    );
    this.legend = h("p", { class: "tr-legend", hidden: true });
    this.element = h("div", { class: "tr-grid" }, this.frame, this.history, this.legend);
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
   * Take over the newest state of the shown run. `kimgOf(step)` converts a step to kimg.
   * @param {Run} run
   * @param {(step: number) => ?number} kimgOf
   */
  update(run, kimgOf) {
    // Another run, or one that restarted.
    if (run.id !== this.id || (!run.samples.length && this.shown !== null)) this.reset(run.id);
    // Part of each address, because browsers cache grids for ever. A run that restarts or rolls back draws
    // other grids for the same steps.
    this.since = `${run.status.queued_at}-${run.events.at(-1)?.time ?? 0}`;
    this.kimgOf = kimgOf;
    const size = run.config?.size ?? 64;
    const other = size !== this.size || run.config?.kind !== this.kind;
    this.size = size;
    this.showLegend(run.config?.kind);
    if (other) this.fit(); // before its first picture comes
    this.running = ["starting", "running"].includes(run.status.state) && run.silent === null;
    this.steps = run.samples;
    const { at } = this;
    if (at !== null && !this.steps.includes(at))
      // The server has thinned the steps.
      this.at = this.steps.findLast((step) => step <= at) ?? this.steps[0] ?? null;
    this.draw();
  }

  /**
   * Explain the colours of a sheet that is a drawing.
   * @param {string | undefined} kind
   */
  showLegend(kind) {
    if (kind === this.kind) return;
    this.kind = kind;
    this.frame.classList.toggle("is-tiled", kind === "images");
    this.element.dataset.kind = kind;
    this.legend.hidden = kind !== "points";
    this.legend.replaceChildren(
      ...LEGEND.map((name) => h("span", { class: `is-${name}` }, t(`stage.legend_${name}`))),
    );
  }

  /**
   * Show a text in the frame if there is no grid; null hides it.
   * @param {?string} text
   */
  say(text) {
    this.empty.hidden = !text;
    setText(this.empty, text ?? "");
  }

  draw() {
    const last = this.steps.length - 1;
    const index = this.at === null ? last : this.steps.indexOf(this.at);
    this.history.style.visibility = last < 0 ? "hidden" : ""; // it keeps its place
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
    this.moved(this.at === null ? null : kimg);
    const label = t(ofKind("stage.grid_at", this.kind), { images: imagesText(kimg) });
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

  /**
   * Choose the grid that was drawn nearest to so many thousands of images.
   * @param {number} kimg
   */
  goTo(kimg) {
    const away = (/** @type {number} */ step) => Math.abs((this.kimgOf(step) ?? 0) - kimg);
    const nearest = this.steps.reduce(
      (best, step, index) => (away(step) < away(this.steps[best]) ? index : best),
      0,
    );
    this.at = nearest >= this.steps.length - 1 ? null : this.steps[nearest];
    this.draw();
  }

  follow() {
    this.at = null;
    this.draw();
  }

  /** The address of the wanted grid; null for none. */
  source() {
    return this.wanted === null
      ? null
      : address(`runs/${this.id}/samples/${String(this.wanted).padStart(8, "0")}.webp`, {
          since: this.since,
        });
  }

  /**
   * Show the grid of a step as soon as it is decoded. If the step changes while one loads, the newest is
   * shown next.
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
        if (source === this.source()) break; // thinned, or no connection: the next poll brings another
        continue;
      }
      if (id !== this.id) continue;
      [this.front, this.back] = [this.back, this.front];
      this.front.hidden = false;
      this.front.alt = t(ofKind("stage.grid_alt", this.kind), { images: imagesText(this.kimgOf(next)) });
      this.back.hidden = true;
      this.back.alt = "";
      this.shown = source;
      this.say(null);
      this.fit();
    }
    this.loading = false;
  }

  /**
   * Fit the grid into its room by a whole multiple of its pixels. Fine screens, and screens where that wastes
   * much room, get the largest size.
   */
  fit() {
    const native = CELLS * (this.size ?? 64);
    const ratio = devicePixelRatio || 1;
    const room = Math.min(this.element.clientWidth, Math.max(320, innerHeight - 226));
    const whole = Math.floor((room * ratio) / native) / ratio;
    // Fine screens hide uneven pixels.
    const side = ratio < 2 && this.kind !== "points" && whole * native >= 0.78 * room ? whole * native : room;
    this.frame.style.width = this.history.style.width = `${Math.max(side, 0)}px`;
    this.frame.classList.toggle("is-smooth", side !== whole * native && side * ratio < 2 * native);
  }
}

/**
 * The number of images. The tooltip has it in kimg, the unit of the settings and the terminal.
 * @param {?number} kimg
 */
export const imagesText = (kimg) => (kimg === null ? "–" : short(1000 * kimg));
/** @param {?number} kimg */
export const kimgText = (kimg) =>
  kimg === null ? "" : `${kimg < 10 ? kimg.toFixed(1) : Math.round(kimg)} kimg`;
