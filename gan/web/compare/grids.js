// The sample grids of the chosen runs side by side, and one slider over the history of all.
import { address } from "../core/api.js";
import { latest } from "../core/debounce.js";
import { h, setText } from "../core/dom.js";
import { short } from "../core/format.js";
import { t } from "../core/i18n.js";
import { ofKind } from "../train/catalogue.js";
import { converted, gridAt } from "./curves.js";

const MOST = 1000; // positions of the slider

/** One run's grid. */
class Grid {
  /** The address of the shown grid. */
  shown = "";

  constructor() {
    this.image = h("img", { alt: "", draggable: "false", hidden: true });
    this.caption = h("figcaption");
    this.element = h("figure", { class: "cm-grid" }, h("div", {}, this.image), this.caption);
    this.load = latest((/** @type {{source: string, alt: string}} */ wanted) => this.show(wanted));
  }

  /** Show a grid as soon as it is decoded, so that nothing flickers. @param {{source: string, alt: string}} wanted */
  async show({ source, alt }) {
    if (source === this.shown) return;
    const next = h("img", { src: source, draggable: "false" });
    try {
      await next.decode();
    } catch {
      return; // thinned meanwhile, or no connection: the next answer brings other steps
    }
    this.shown = source;
    next.alt = alt;
    this.image.replaceWith(next);
    this.image = next;
  }

  /**
   * @param {RunCurves} run
   * @param {number} step
   * @param {Child} badge
   */
  update(run, step, badge) {
    const at = gridAt(run.samples, step);
    if (at === null) {
      this.caption.replaceChildren(badge || "", h("span", {}, t("stage.no_grid")));
      return;
    }
    const kind = run.config?.kind;
    const images = short(Math.round(converted(run.axes.step, run.axes.images, at)));
    const source = address(`runs/${run.id}/samples/${String(at).padStart(8, "0")}.webp`, {
      since: run.drawn.join("-"),
    });
    this.element.classList.toggle("is-points", kind === "points");
    this.load({ source, alt: t(ofKind("stage.grid_alt", kind), { images }) });
    this.caption.replaceChildren(badge || "", h("span", {}, t(ofKind("stage.grid_at", kind), { images })));
  }
}

export class Grids {
  /** The part of each run's training that the slider is at; 1 follows the newest grids. */
  progress = 1;
  /** @type {Map<string, Grid>} */
  held = new Map();

  /** @param {() => void} moved */
  constructor(moved) {
    this.slider = h("input", {
      type: "range",
      min: "0",
      max: String(MOST),
      value: String(MOST),
      class: "cm-range",
      "aria-label": t("stage.history"),
    });
    this.slider.addEventListener("input", () => {
      this.progress = Number(this.slider.value) / MOST;
      moved();
    });
    this.caption = h("output");
    this.items = h("div", {
      class: "cm-grids",
      tabindex: "0",
      role: "region",
      "aria-label": t("compare.grids"),
    });
    this.element = h(
      "section",
      { class: "cm-grids-section", hidden: true },
      h("div", { class: "cm-history" }, h("h4", {}, t("compare.grids")), this.slider, this.caption),
      this.items,
    );
  }

  /**
   * The step of a run at the slider.
   * @param {RunCurves} run
   */
  stepOf(run) {
    return this.progress * Math.max(run.step, run.samples.at(-1) ?? 0);
  }

  /**
   * @param {RunCurves[]} runs
   * @param {(run: RunCurves) => HTMLElement} badge
   * @param {(run: RunCurves) => number} step where each run's grid is to be
   */
  update(runs, badge, step) {
    this.element.hidden = !runs.some(({ samples }) => samples.length);
    for (const id of this.held.keys()) if (!runs.some((run) => run.id === id)) this.held.delete(id);
    const grids = runs.map((run) => {
      const grid = this.held.get(run.id) ?? new Grid();
      this.held.set(run.id, grid);
      grid.update(run, step(run), badge(run));
      return grid.element;
    });
    if (grids.length !== this.items.children.length || grids.some((one, i) => one !== this.items.children[i]))
      this.items.replaceChildren(...grids);
    const text =
      this.progress === 1
        ? t("stage.newest")
        : t("compare.progress", { percent: Math.round(100 * this.progress) });
    setText(this.caption, text);
    this.slider.setAttribute("aria-valuetext", text);
  }
}
