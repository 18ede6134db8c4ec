// The view of time: the current point drawn by snapshots of its run, on a slider and in a grid beside one
// direction.
import { request } from "../../../core/api.js";
import { later } from "../../../core/debounce.js";
import { context2d, h, icon, setText } from "../../../core/dom.js";
import { short } from "../../../core/format.js";
import { refusal, t } from "../../../core/i18n.js";
import { described, filed } from "../../file-names.js";
import { Canvas } from "../../panels/canvas.js";
import { title } from "../../panels/model-picker.js";
import { query } from "../../../latent/encoding.js";
import { amountOf, withAmount } from "../../../latent/point.js";
import { blank, picture, png, save } from "../../../renderer/pictures.js";
import { openTab } from "../../../shell/tabs.js";
import { heading } from "../../../widgets/help.js";
import { Mosaic, Sheet } from "../../../widgets/mosaic.js";

const REACH = 3; // sigma to both sides, in whole steps
const COLUMNS = 2 * REACH + 1;
const ROWS = 8;
const SETTLE = 160; // ms after the last movement until the pictures refresh
const BEAT = 250; // ms for each snapshot while it plays
const SCALE = 1000; // positions of the slider
const SAVED = {
  cell: 64,
  left: 100,
  top: 84,
  font: "14px system-ui, sans-serif",
  ink: "#191b1f",
  paper: "#ffffff",
}; // pixels of a saved grid
const LOST = ["latent.unknown_snapshot", "latent.bad_snapshot"];

/**
 * The position of each moment on a logarithmic line from 0 to 1.
 * @param {Moment[]} moments
 */
function places(moments) {
  const logs = moments.map(({ images }) => Math.log(Math.max(1, images)));
  const [first, last] = [logs[0], logs[logs.length - 1]];
  return logs.map((value) => (last > first ? (value - first) / (last - first) : 1));
}

/**
 * At most `count` moments, spread evenly over that line. The first and the last are among them.
 * @param {Moment[]} moments
 * @param {number} count
 */
export function spread(moments, count) {
  if (moments.length <= count) return moments;
  const free = places(moments).map((place, index) => ({ place, index }));
  const chosen = Array.from({ length: count }, (_, row) => {
    const wanted = row / (count - 1);
    const best = free.reduce(
      (found, each, index) =>
        Math.abs(each.place - wanted) < Math.abs(free[found].place - wanted) ? index : found,
      0,
    );
    return free.splice(best, 1)[0].index;
  });
  return chosen.sort((a, b) => a - b).map((index) => moments[index]);
}

/** @param {number} amount */
const signed = (amount) => (amount > 0 ? `+${amount}` : amount < 0 ? `−${-amount}` : "0");

/** Shows one picture out of a column of them, by its step. A Sheet draws the column. */
class Film {
  large = new Canvas();
  columns = 1;
  /** @type {?Drawable} */
  bitmap = null;
  /** @type {number[]} */
  steps = [];
  /** @type {?number} */
  step = null;

  constructor() {
    this.element = this.large.element;
  }

  /** @param {?Drawable} bitmap */
  draw(bitmap) {
    this.bitmap = bitmap;
    if (bitmap) this.show(this.step);
    else this.large.clear();
  }

  lock() {}

  /** @param {?number} step */
  show(step) {
    this.step = step;
    const index = step === null ? -1 : this.steps.findLastIndex((each) => each <= step);
    if (this.bitmap && index >= 0) this.large.drawCell(this.bitmap, 1, index);
  }
}

export class View {
  /** @type {?Model} */
  model = null;
  /** @type {Moment[]} */
  moments = [];
  /** The moments that have a row of the grid. @type {Moment[]} */
  rows = [];
  /** Place of the shown moment in `moments`. */
  current = 0;
  /** Steps of snapshots that can't be read. @type {Set<number>} */
  broken = new Set();
  /** While it plays. @type {ReturnType<typeof setInterval> | undefined} */
  timer;
  play = h(
    "button",
    {
      type: "button",
      class: "gan-ghost",
      "aria-label": t("explore.time_play"),
      onclick: () => (this.timer ? this.#pause() : this.#start()),
    },
    icon("play"),
  );
  bar = h("input", {
    type: "range",
    min: "0",
    max: String(SCALE),
    step: "1",
    "aria-label": t("explore.time_slider"),
    oninput: () => this.#drag(),
    onchange: () => this.#go(this.current),
    onkeydown: (event) => this.#key(event),
  });
  ticks = h("div", { class: "xp-ticks", "aria-hidden": "true" });
  amount = h("output", { class: "xp-value" });
  down = h("div", { class: "xp-down", "aria-hidden": "true" });
  across = h("p", { class: "xp-across", "aria-hidden": "true" });
  /** Both are missing until there are moments. @type {?Mosaic} */
  mosaic = null;
  /** @type {?Sheet} */
  gridSheet = null;

  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    this.settle = later(() => this.sheets().forEach((sheet) => sheet.refresh()), SETTLE);
    this.film = new Film();
    this.filmSheet = this.#sheet(
      this.film,
      () => this.moments,
      () => query(this.explorer.point),
      (steps) => {
        this.film.steps = steps;
      },
    );
    this.select = explorer.axes.select(0, t("explore.time_axis"));
    this.keep = h(
      "button",
      {
        type: "button",
        class: "xp-button xp-quiet",
        title: t("explore.time_save"),
        "aria-label": t("explore.time_save"),
        onclick: () => this.#save(),
      },
      icon("download"),
      "PNG",
    );
    this.grid = h("div", { class: "xp-grid" });
    this.shown = h(
      "div",
      { class: "xp-time" },
      h(
        "section",
        {},
        ...heading(t("explore.time"), t("explore.time_hint")),
        this.film.element,
        this.#scrubber(),
      ),
      h(
        "section",
        { class: "xp-past" },
        ...heading(
          t("explore.time_grid"),
          t("explore.time_grid_hint"),
          h("span", { class: "gan-space" }),
          h("label", { class: "xp-axis" }, h("span", { "aria-hidden": "true" }, "→"), this.select),
          this.keep,
        ),
        this.grid,
      ),
    );
    this.nothing = h("section", { class: "xp-nothing", hidden: true });
    this.element = h("div", {}, this.shown, this.nothing);
  }

  // Called by the explorer ----------------------------------------------------------------------------------

  close() {
    this.#pause();
    this.settle.cancel();
  }

  /** Another model, or newer weights: there may be a new snapshot. */
  async renew() {
    const { model } = this.explorer;
    if (!model) return;
    if (model.id !== this.model?.id) this.#begin();
    this.model = model;
    try {
      const moments =
        model.kind === "run" && !this.explorer.unread
          ? await request("times", { query: { id: model.id } })
          : [];
      if (model.id !== this.explorer.point.model) return;
      this.#take(this.explorer.unread ? [] : moments.filter(({ step }) => !this.broken.has(step)));
    } catch (error) {
      this.explorer.say(refusal(error));
    }
  }

  place() {
    if (!this.mosaic) return;
    this.mosaic.relabel();
    setText(this.across, this.#title);
    this.#mark();
    this.settle();
  }

  // Snapshots -----------------------------------------------------------------------------------------------

  sheets() {
    return [this.filmSheet, this.gridSheet].filter((sheet) => sheet !== null);
  }

  #begin() {
    this.#pause();
    Object.assign(this, {
      moments: [],
      rows: [],
      current: 0,
      broken: new Set(),
      mosaic: null,
      gridSheet: null,
    });
    this.filmSheet.clear();
    this.shown.hidden = true;
    this.nothing.hidden = true;
  }

  /** @param {Moment[]} moments */
  #take(moments) {
    // A reader at the newest snapshot stays at the newest.
    const held = this.current < this.moments.length - 1 ? this.moments[this.current].step : Infinity;
    this.moments = moments;
    this.shown.hidden = !moments.length;
    this.#tellNothing(!moments.length);
    if (!moments.length) return void this.#pause();
    const rows = spread(moments, ROWS);
    if (rows.length !== this.rows.length) this.#buildGrid(rows);
    this.rows = rows;
    this.#place = places(moments);
    this.ticks.replaceChildren(
      ...this.#place.map((place) => h("i", { style: `left: ${(100 * place).toFixed(2)}%` })),
    );
    this.down.replaceChildren(...rows.map(({ images }) => h("span", {}, short(images))));
    this.play.disabled = moments.length < 2;
    this.#go(
      Math.max(
        0,
        moments.findLastIndex(({ step }) => step <= held),
      ),
    );
    this.place();
  }

  /** Where each moment stands on the slider, 0 to 1. @type {number[]} */
  #place = [];

  /** @param {boolean} empty */
  #tellNothing(empty) {
    this.nothing.hidden = !empty;
    if (!empty) return;
    const key = this.explorer.unread
      ? "time_unread"
      : this.model?.kind !== "run"
        ? "time_shipped"
        : this.model.live
          ? "time_soon"
          : "time_none";
    this.nothing.replaceChildren(h("h3", {}, t(`explore.${key}`)), h("p", {}, t(`explore.${key}_hint`)));
    if (!["time_soon", "time_unread"].includes(key))
      this.nothing.append(
        h(
          "button",
          { type: "button", class: "xp-button", onclick: () => openTab("train") },
          t("explore.go_train"),
        ),
      );
  }

  /**
   * @param {Mosaic | Film} mosaic
   * @param {() => Moment[]} moments
   * @param {() => PictureQuery} asked
   * @param {(steps: number[]) => void} drawn
   */
  #sheet(mosaic, moments, asked, drawn) {
    return new Sheet({
      mosaic,
      path: "time",
      points: () => [],
      query: () =>
        moments().length
          ? {
              ...asked(),
              steps: moments()
                .map(({ step }) => step)
                .join(","),
            }
          : null,
      draw: async (path, wanted) => {
        // The server must have found them before it can draw.
        await this.explorer.families.loadForPoints([{ x: { ...this.explorer.point.x, ...this.#with(1).x } }]);
        const { bitmap } = await picture(path, wanted);
        drawn(String(wanted.steps).split(",").map(Number));
        return bitmap;
      },
      failed: (error, id) => this.#failed(error, id),
    });
  }

  /**
   * Leave out a snapshot that was thinned out or can't be read.
   * @param {Refusal} error
   * @param {?string} id
   */
  #failed(error, id) {
    if (id !== this.explorer.point.model) return;
    if (!LOST.includes(error.key ?? "")) return void this.explorer.say(error);
    if (error.key === "latent.bad_snapshot") {
      this.explorer.say(error);
      this.broken.add(Number(error.values?.step));
    }
    this.renew();
  }

  // The slider over the time --------------------------------------------------------------------------------

  #scrubber() {
    return h(
      "div",
      { class: "xp-slider xp-scrub" },
      this.play,
      h("div", { class: "xp-bar" }, this.bar, this.ticks),
      this.amount,
    );
  }

  /**
   * Show a snapshot, by its place in the list.
   * @param {number} index
   */
  #go(index) {
    this.current = Math.min(this.moments.length - 1, Math.max(0, index));
    const { step, images } = this.moments[this.current];
    const place = this.#place[this.current];
    this.bar.value = String(Math.round(SCALE * place));
    this.bar.style.setProperty("--from", "0");
    this.bar.style.setProperty("--to", place.toFixed(4));
    const text = t("explore.time_images", { count: short(images) });
    this.bar.setAttribute("aria-valuetext", text);
    setText(this.amount, text);
    this.film.show(step);
    this.film.large.describe(
      described(this.explorer.point, `${this.model ? title(this.model) : ""}, ${text}`),
    );
    this.#mark();
  }

  #drag() {
    this.#pause();
    const wanted = this.bar.valueAsNumber / SCALE;
    this.#go(
      this.#place.reduce(
        (best, place, index) =>
          Math.abs(place - wanted) < Math.abs(this.#place[best] - wanted) ? index : best,
        0,
      ),
    );
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const to = {
      ArrowLeft: this.current - 1,
      ArrowDown: this.current - 1,
      ArrowRight: this.current + 1,
      ArrowUp: this.current + 1,
      Home: 0,
      End: this.moments.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#pause();
    this.#go(to);
  }

  #start() {
    if (this.current === this.moments.length - 1) this.#go(0);
    this.timer = setInterval(() => {
      this.#go(this.current + 1);
      if (this.current === this.moments.length - 1) this.#pause();
    }, BEAT);
    this.#showPlay();
  }

  #pause() {
    clearInterval(this.timer);
    this.timer = undefined;
    this.#showPlay();
  }

  #showPlay() {
    this.play.setAttribute("aria-label", t(this.timer ? "explore.time_pause" : "explore.time_play"));
    this.play.replaceChildren(icon(this.timer ? "pause" : "play"));
  }

  // The grid of one direction beside the time ---------------------------------------------------------------

  get #axis() {
    return this.explorer.axes.pair[0];
  }

  /** @param {Moment[]} rows */
  #buildGrid(rows) {
    this.mosaic = new Mosaic({
      rows: rows.length,
      columns: COLUMNS,
      label: t("explore.time_grid"),
      name: (index) => this.#name(index),
      pick: (index) => this.#pick(index),
    });
    this.mosaic.lock(true);
    this.gridSheet = this.#sheet(
      this.mosaic,
      () => this.rows,
      () => ({ ...query({ ...this.explorer.point, ...this.#with(0) }), i: this.#axis }),
      () => {},
    );
    const across = h(
      "div",
      { class: "xp-across", "aria-hidden": "true" },
      Array.from({ length: COLUMNS }, (_, column) => h("span", {}, signed(column - REACH))),
    );
    const seen = h("p", { class: "xp-seen", "aria-hidden": "true" }, t("explore.time_slider"));
    this.grid.replaceChildren(this.across, across, seen, this.down, this.mosaic.element);
  }

  /** The label of the horizontal axis. */
  get #title() {
    return t("explore.time_sigma", { name: this.explorer.axes.name(this.#axis) });
  }

  /** @param {number} index */
  #name(index) {
    const { images } = this.rows[Math.floor(index / COLUMNS)] ?? { images: 0 };
    return t("explore.time_cell", {
      images: short(images),
      name: this.explorer.axes.name(this.#axis),
      amount: signed((index % COLUMNS) - REACH),
    });
  }

  /**
   * Move the direction's slider to a cell's column, and the time to its row.
   * @param {number} index
   */
  #pick(index) {
    const { step } = this.rows[Math.floor(index / COLUMNS)];
    this.#pause();
    this.#go(this.moments.findIndex((each) => each.step === step));
    this.explorer.change(this.#with((index % COLUMNS) - REACH));
  }

  /** @param {number} amount */
  #with(amount) {
    return withAmount(this.explorer.point, this.#axis, amount);
  }

  #mark() {
    if (!this.mosaic) return;
    const row = this.rows.findIndex(({ step }) => step === this.moments[this.current]?.step);
    const column = amountOf(this.explorer.point, this.#axis) + REACH;
    this.mosaic.mark(row >= 0 && Number.isInteger(column) ? row * COLUMNS + column : -1);
  }

  /** Save the grid with its axes as a PNG with the provenance mark. */
  async #save() {
    const bitmap = this.gridSheet?.bitmap;
    if (!bitmap || !this.model) return;
    const { cell, left, top, font, ink, paper } = SAVED;
    const side = Math.ceil((cell * COLUMNS) / bitmap.width) * (bitmap.width / COLUMNS);
    const count = bitmap.height / (bitmap.width / COLUMNS);
    const canvas = blank(left + COLUMNS * side + 12, top + count * side + 12);
    const pen = context2d(canvas);
    Object.assign(pen, { fillStyle: paper, font, imageSmoothingEnabled: false });
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(bitmap, left, top, COLUMNS * side, count * side);
    Object.assign(pen, { fillStyle: ink, textBaseline: "middle" });
    pen.fillText(title(this.model), left, 18, COLUMNS * side);
    pen.textAlign = "center";
    pen.fillText(this.#title, left + (COLUMNS * side) / 2, top - 40, COLUMNS * side);
    pen.rotate(-Math.PI / 2);
    pen.fillText(t("explore.time_slider"), -top - (count * side) / 2, 20, count * side);
    pen.resetTransform();
    for (let column = 0; column < COLUMNS; column += 1)
      pen.fillText(signed(column - REACH), left + (column + 0.5) * side, top - 14);
    pen.textAlign = "right";
    this.rows.forEach(({ images }, row) => pen.fillText(short(images), left - 8, top + (row + 0.5) * side));
    save(await png(canvas), `ganarium-time-${filed(this.explorer.point)}-${this.#axis}.png`);
  }
}
