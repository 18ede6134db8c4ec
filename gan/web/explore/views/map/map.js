// The map: some thousand samples, laid out by similarity. The reader chooses one to move there, and zooms in
// to see more.
import { context2d, h, icon, setText, wheelMeant } from "../../../core/dom.js";
import { whole } from "../../../core/format.js";
import { refusal, sentence, t } from "../../../core/i18n.js";
import { className } from "../../panels/model-picker.js";
import { query } from "../../../latent/encoding.js";
import { nearest, Plane, thinned, towards } from "../../../latent/plane.js";
import { fresh, plain } from "../../../latent/point.js";
import { packed } from "../../../renderer/pictures.js";
import { heading } from "../../../widgets/help.js";
import { colour, paint } from "./painting.js";

const STEPS = 9999; // coordinates are whole numbers from 0 to this
const STEP = 1.5; // factor for a press on + or -
const STILL = 6; // CSS pixels; a finger that moves less chooses a sample
const MORPH = 600; // ms of the animation between two layouts
const RETRY = 1500;

export class View {
  plane = new Plane();
  /** @type {?import("./painting.js").Samples} */
  samples = null;
  /** Their pictures. @type {?ImageBitmap} */
  sheet = null;
  /** The samples that have a cell. @type {Map<string, import("../../../latent/plane.js").Cell>} */
  shown = new Map();
  /** @type {import("./painting.js").DrawnSample[]} */
  drawn = [];
  /** The layout method; null before the server has named the first. @type {?string} */
  by = null;
  /** The only class on the map; null for all. @type {?number} */
  only = null;
  /**
   * By the ids of their pointers. `still` ends when one moves.
   * @type {Map<number, {place: Place, start: Place, still: boolean}>}
   */
  fingers = new Map();
  /** @type {?string} */
  model = null;
  /** @type {?string} */
  version = null;
  /** One object for each load. @type {?object} */
  loading = null;
  complete = false;

  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    const act = (
      /** @type {string} */ glyph,
      /** @type {string} */ key,
      /** @type {() => unknown} */ onclick,
    ) =>
      h(
        "button",
        { type: "button", class: "gan-ghost", title: t(key), "aria-label": t(key), onclick },
        icon(glyph),
      );
    this.canvas = h("canvas", {
      tabIndex: 0,
      role: "application",
      "aria-label": t("explore.map_canvas"),
      onkeydown: (event) => this.#key(event),
      onpointerdown: (event) => this.#down(event),
      onpointermove: (event) => this.#moved(event),
      onpointerup: (event) => this.#up(event),
      onpointercancel: (event) => this.fingers.delete(event.pointerId),
      ondblclick: (event) => this.#zoom(2, ...this.#part(event)),
    });
    this.canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    /** @type {HTMLSelectElement} */
    this.select = h("select", {
      "aria-label": t("explore.map_by"),
      hidden: true,
      onchange: () => this.#load(this.select.value),
    });
    this.renewal = h(
      "button",
      { type: "button", class: "xp-button xp-quiet", hidden: true, onclick: () => this.#reload() },
      icon("reset"),
      t("explore.map_renew"),
    );
    this.status = h("p", { class: "xp-hint", role: "status" });
    this.chosen = h("span", { class: "xp-sr", "aria-live": "polite" });
    this.legend = h("div", { class: "xp-legend", role: "group", "aria-label": t("explore.class") });
    this.element = h(
      "section",
      { class: "xp-map" },
      ...heading(
        t("explore.map"),
        t("explore.map_hint"),
        h("span", { class: "gan-space" }),
        this.renewal,
        this.select,
      ),
      h(
        "div",
        { class: "xp-plane" },
        this.canvas,
        h(
          "div",
          { class: "xp-zoom" },
          act("plus", "explore.map_in", () => this.#zoom(STEP)),
          act("minus", "explore.map_out", () => this.#zoom(1 / STEP)),
          act("reset", "explore.map_whole", () => this.#whole()),
        ),
      ),
      this.legend,
      this.status,
      this.chosen,
    );
    new ResizeObserver(() => this.#paint()).observe(this.canvas);
  }

  close() {
    this.loading = null; // drops the answer to a running request
  }

  /** Another model is mapped at once. Newer weights of the same model only offer a button. */
  renew() {
    const { model } = this.explorer;
    if (!model) return;
    if (model.id !== this.model) return this.#reload();
    this.renewal.hidden = !this.samples || model.updated === this.version;
    // The view was closed before all samples had arrived.
    if (!this.loading && !this.complete) this.#load(this.by);
  }

  place() {
    this.#paint();
  }

  // What is shown -------------------------------------------------------------------------------------------

  #reload() {
    const { model } = this.explorer;
    if (!model) return;
    const other = model.id !== this.model;
    Object.assign(this, { model: model.id, version: model.updated, sheet: null });
    if (other) Object.assign(this, { samples: null, only: null });
    if (other) this.plane.reset();
    this.renewal.hidden = true;
    this.#legend(model.classes);
    this.#paint();
    this.#load(this.by);
  }

  /**
   * Request the samples in the layout `by` until all have arrived.
   * @param {?string} by
   */
  async #load(by) {
    this.by = by;
    this.complete = false;
    const mine = (this.loading = {});
    const { model, version } = this;
    setText(this.status, t(this.samples ? "explore.map_arranging" : "explore.map_drawing"));
    try {
      /** @type {?MapFacts} */
      let facts = null;
      while (!facts || facts.samples < facts.of || (by && facts.by !== by)) {
        facts = await this.#ask(
          { id: model, v: version, by, known: this.sheet && this.samples ? this.samples.count : 0 },
          () => this.loading === mine && this.model === model,
        );
        if (!facts) return;
        by ??= facts.methods[0];
      }
    } catch (thrown) {
      const error = refusal(thrown);
      if (this.loading !== mine || this.model !== model) return;
      setText(this.status, sentence(error));
      if (error.offline)
        setTimeout(
          () => this.loading === mine && this.model === model && this.#load(by),
          RETRY * (1 + Math.random()),
        );
      return;
    }
    this.complete = true;
    this.#count();
  }

  /**
   * @param {Query} query
   * @param {() => boolean} current whether the answer is still wanted
   */
  async #ask(query, current) {
    const { facts, bitmap, version } = await packed("map", query);
    if (!current()) return null;
    this.version = version;
    this.#take(facts, bitmap ?? this.sheet);
    return facts;
  }

  /**
   * @param {MapFacts} facts
   * @param {?ImageBitmap} sheet
   */
  #take(facts, sheet) {
    const before = this.samples;
    const places = (/** @type {number[]} */ numbers) =>
      Float32Array.from(numbers, (number) => number / STEPS);
    Object.assign(this, {
      sheet,
      samples: {
        count: facts.samples,
        side: facts.side,
        labels: facts.labels,
        xs: places(facts.x),
        ys: places(facts.y),
      },
    });
    this.by ??= facts.samples === facts.of ? facts.by : null;
    this.select.hidden = facts.methods.length < 2;
    if (this.select.options.length !== facts.methods.length)
      this.select.replaceChildren(
        ...facts.methods.map((name) => h("option", { value: name }, t(`explore.map_${name}`))),
      );
    this.select.value = this.by ?? facts.methods[0];
    if (before && before.count === facts.samples && !matchMedia("(prefers-reduced-motion: reduce)").matches)
      this.#morph(before);
    else this.#paint();
  }

  /**
   * Animate samples to their new places, so that the reader can follow them.
   * @param {import("./painting.js").Samples} before
   */
  #morph(before) {
    const goal = this.samples;
    const start = performance.now();
    const frame = () => {
      if (!goal || (this.samples !== goal && this.samples?.goal !== goal)) return;
      const part = Math.min(1, (performance.now() - start) / MORPH);
      const eased = part * part * (3 - 2 * part);
      const mixed = (/** @type {Float32Array} */ from, /** @type {Float32Array} */ to) =>
        Float32Array.from(to, (value, index) => from[index] + (value - from[index]) * eased);
      this.samples =
        part < 1 ? { ...goal, goal, xs: mixed(before.xs, goal.xs), ys: mixed(before.ys, goal.ys) } : goal;
      this.#paint();
      if (part < 1) requestAnimationFrame(frame);
    };
    frame();
  }

  /** @param {string[]} classes */
  #legend(classes) {
    this.legend.hidden = !classes.length;
    this.legend.replaceChildren(
      ...classes.map((name, label) =>
        h(
          "button",
          {
            type: "button",
            class: "xp-chip",
            value: String(label),
            "aria-pressed": "false",
            style: `--class: ${colour(label, classes.length)}`,
            onclick: () => this.#filter(label),
          },
          className(name),
        ),
      ),
    );
  }

  /**
   * Show only one class, or all again.
   * @param {number} label
   */
  #filter(label) {
    this.only = this.only === label ? null : label;
    for (const chip of this.legend.querySelectorAll("button"))
      chip.setAttribute("aria-pressed", String(Number(chip.value) === this.only));
    this.#paint();
    this.#count();
  }

  #count() {
    if (!this.samples) return;
    const { plane, samples } = this;
    const sight = (/** @type {number} */ x, /** @type {number} */ y) =>
      plane.toCanvas(x, y).every((part) => part >= 0 && part <= 1);
    const drawn = new Set([...this.shown.values()].map(({ index }) => index));
    let [shown, hidden, count] = [0, 0, 0];
    for (let index = 0; index < samples.count; index += 1) {
      if (!this.#wanted(index)) continue;
      count += 1;
      if (!sight(samples.xs[index], samples.ys[index])) continue;
      if (drawn.has(index)) shown += 1;
      else hidden += 1;
    }
    const key =
      shown === count
        ? "explore.map_all"
        : hidden && !plane.finest
          ? "explore.map_some"
          : "explore.map_sight";
    setText(this.status, t(key, { shown: whole(shown), count: whole(count) }));
  }

  /** @param {number} index */
  #wanted(index) {
    return this.only === null || this.samples?.labels?.[index] === this.only;
  }

  /** Move the map so that at least one picture is visible: the nearest to the centre. */
  #hold() {
    const { plane } = this;
    const { cells } = plane;
    const cell = nearest(this.shown, plane.x, plane.y, cells);
    if (cell) plane.reveal((cell.column + 0.5) / cells, (cell.row + 0.5) / cells);
  }

  /** The index of the sample that the page shows, or -1. */
  get #here() {
    const { model, seed, label } = this.explorer.point;
    if (
      !this.samples ||
      seed >= this.samples.count ||
      (label !== null && label !== this.samples.labels?.[seed])
    )
      return -1;
    const drawn = (/** @type {Point} */ point) => JSON.stringify(query(point));
    return drawn({ ...this.explorer.point, label: null }) === drawn({ ...fresh(), model, seed }) ? seed : -1;
  }

  #paint() {
    const { canvas, plane, samples, sheet } = this;
    const width = Math.round(canvas.clientWidth * devicePixelRatio);
    if (!width) return;
    Object.assign(canvas, { width, height: width });
    canvas.style.touchAction = plane.zoom > 1 ? "none" : "pan-y";
    this.shown = new Map();
    this.drawn = [];
    if (!samples || !sheet) return;
    const { cells } = plane;
    const here = this.#here;
    this.shown = thinned(samples.xs, samples.ys, cells, (index) => this.#wanted(index), here);
    this.#hold();
    this.drawn = paint(context2d(canvas), {
      plane,
      samples,
      sheet,
      shown: this.shown,
      here,
      classes: this.explorer.model?.classes.length ?? 0,
    });
  }

  // Ways to move --------------------------------------------------------------------------------------------

  /** @param {number} index */
  #go(index) {
    this.explorer.change({ ...plain(), seed: index });
    const label = this.samples?.labels?.[index];
    const name = label === undefined ? "" : className(this.explorer.model?.classes[label] ?? "");
    setText(this.chosen, [t("explore.seed_of", { seed: index }), name].filter(Boolean).join(", "));
  }

  /**
   * @param {number} factor
   * @param {number} [u]
   * @param {number} [v]
   */
  #zoom(factor, u, v) {
    this.plane.scale(factor, u, v);
    this.#paint();
    this.#count();
  }

  #whole() {
    this.plane.reset();
    this.#paint();
    this.#count();
  }

  /**
   * The place of an event on the canvas, 0 to 1.
   * @param {MouseEvent} event
   * @returns {Place}
   */
  #part({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    if (!wheelMeant(event, this.canvas)) return;
    if (event.deltaY > 0 && this.plane.zoom === 1) return; // the wheel scrolls the page
    event.preventDefault();
    this.#zoom(Math.exp(-event.deltaY / 300), ...this.#part(event));
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    const place = this.#part(event);
    this.fingers.set(event.pointerId, {
      place,
      start: [event.clientX, event.clientY],
      still: this.fingers.size === 0,
    });
    if (this.fingers.size > 1) for (const finger of this.fingers.values()) finger.still = false;
  }

  /** @param {PointerEvent} event */
  #moved(event) {
    const finger = this.fingers.get(event.pointerId);
    if (!finger) return;
    const before = [...this.fingers.values()].map(({ place }) => place);
    finger.still &&= Math.hypot(event.clientX - finger.start[0], event.clientY - finger.start[1]) < STILL;
    if (finger.still) return;
    finger.place = this.#part(event);
    const after = [...this.fingers.values()].map(({ place }) => place);
    const middle = (/** @type {Place[]} */ places) =>
      [0, 1].map((axis) => places.reduce((sum, place) => sum + place[axis], 0) / places.length);
    const [[fromX, fromY], [toX, toY]] = [middle(before), middle(after)];
    this.plane.pan(toX - fromX, toY - fromY);
    if (after.length === 2) {
      const apart = (/** @type {number[][]} */ [a, b]) =>
        Math.max(0.02, Math.hypot(a[0] - b[0], a[1] - b[1]));
      this.plane.scale(apart(after) / apart(before), toX, toY);
    }
    this.#paint();
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const finger = this.fingers.get(event.pointerId);
    this.fingers.delete(event.pointerId);
    if (!finger?.still) return void this.#count();
    const [x, y] = this.#part(event).map((part) => part * this.canvas.width);
    const slack = 4 * devicePixelRatio; // the rim and the gap between two pictures
    const hit = this.drawn.find((one) =>
      [x - one.x, y - one.y].every((away) => away >= -slack && away <= one.side + slack),
    );
    if (hit) this.#go(hit.index);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    /** @type {Record<string, Place>} */
    const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    /** @type {Record<string, () => void>} */
    const acts = {
      "+": () => this.#zoom(STEP),
      "=": () => this.#zoom(STEP),
      "-": () => this.#zoom(1 / STEP),
      0: () => this.#whole(),
      Escape: () => this.canvas.blur(),
    };
    const direction = directions[event.key];
    if ((!direction && !acts[event.key]) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (acts[event.key]) acts[event.key]();
    else if (event.shiftKey) this.#shift(...direction);
    else this.#walk(...direction);
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  #shift(dx, dy) {
    this.plane.pan(-dx / 8, -dy / 8);
    this.#paint();
    this.#count();
  }

  /**
   * Move to the next sample in a direction, from the shown one or else from the centre.
   * @param {number} dx
   * @param {number} dy
   */
  #walk(dx, dy) {
    const { cells } = this.plane;
    const here = [...this.shown.values()].find(({ index }) => index === this.#here);
    const [column, row] = here
      ? [here.column, here.row]
      : [this.plane.x, this.plane.y].map((place) => place * cells);
    const next = towards(this.shown, column, row, dx, dy);
    if (!next) return;
    this.plane.reveal((next.column + 0.5) / cells, (next.row + 0.5) / cells);
    this.#go(next.index);
    this.#count();
  }
}
