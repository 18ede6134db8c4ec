// One streaming chart on uPlot: faint raw lines, smoothed lines, and dashed references. A reader's zoom stays
// while data arrive.
import { h } from "../core/dom.js";
import { PRESENT, THEME } from "../core/events.js";
import { t } from "../core/i18n.js";
import { help } from "./help.js";

/** @type {Promise<Window["uPlot"]> | null} */
let library = null;

/** Load uPlot once, from our own static files. */
export function load() {
  library ??= new Promise((resolve, reject) => {
    const folder = new URL("../vendor/uplot/", import.meta.url);
    document.head.append(
      h("link", { rel: "stylesheet", href: new URL("uPlot.min.css", folder).href }),
      h("script", {
        src: new URL("uPlot.iife.min.js", folder).href,
        onload: () => resolve(window.uPlot),
        onerror: reject,
      }),
    );
  });
  return library;
}

/** @param {string} name */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const SMOOTH = 0.12; // weight of a new value in the smoothed line
// Pixels: the text, the name of an axis, the ticks of x, those of y at least and per character, and the
// distances between ticks.
const SIZES = { text: 12, label: 18, x: 34, y: 46, character: 7, apart: [50, 30], line: 2 };
const LARGE = { text: 20, label: 26, x: 38, y: 72, character: 12, apart: [110, 48], line: 4 };

/** @returns {Series} */
const none = () => [];

/** @type {[string, number][]} */
const UNITS = [
  ["T", 1e12],
  ["G", 1e9],
  ["M", 1e6],
  ["k", 1e4],
];
/** @type {[string, number]} */
const NO_UNIT = ["", 1];

/**
 * A number on the axes and in the legend: −6M, 12.5k, −0.25. `least` is the smallest difference that must be
 * visible.
 * @param {number} value
 */
export function figure(value, least = 0.01) {
  const size = Math.abs(value);
  const [unit, one] = UNITS.find(([, from]) => size >= from) ?? NO_UNIT;
  const scale = unit === "k" ? 1e3 : one;
  const places =
    [0, 1, 2, 3, 4, 5].find((count) =>
      Number.isInteger(Math.round((1e6 * 10 ** count * least) / scale) / 1e6),
    ) ?? 6;
  const text = size >= 1e15 ? size.toExponential(1) : (size / scale).toFixed(places) + unit;
  return value < 0 && /[1-9]/.test(text) ? `−${text}` : text;
}

/** The first and the last visible x. @typedef {[from: number, to: number]} Range */
/**
 * A line of a chart: a field of the statistics.
 * @typedef {{field: string, colour: string, name: string}} Line
 */

/** The x range that all charts of a stage share. */
export class Zoom {
  /** @type {?Range} */
  range = null;
  /** @type {Plot[]} */
  charts = [];
  /** @type {?(zoomed: boolean) => void} */
  changed = null;

  /** @param {?Range} range */
  set(range) {
    this.range = range;
    for (const chart of this.charts) chart.rescale();
    this.changed?.(range !== null);
  }
}

/** A chart of some fields of the statistics. `references` are dashed lines. */
export class Plot {
  /** Dashed lines. @type {{value: number, colour?: string}[]} */
  references = [];
  /** Where something was changed, in thousands of images. @type {number[]} */
  flags = [];
  /** Where the reader looks in the history, in thousands of images. @type {?number} */
  marked = null;
  /** Called with the thousands of images that the reader has pressed on. */
  /** @type {(x: number) => void} */
  pressed = () => {};
  /** Whether the pointer has just selected a range, whose end is no press. */
  selected = false;
  count = 0;
  /** Thousands of images. @type {number[]} */
  x = [];
  /** @type {UPlot | undefined} */
  plot;
  /** @type {ResizeObserver | undefined} */
  resized;

  /**
   * @param {Zoom} zoom
   * @param {{title: string, about: string, series: Line[], unit: string}} options
   */
  constructor(zoom, { title, about, series, unit }) {
    this.zoom = zoom;
    this.series = series;
    this.raw = series.map(none);
    this.smooth = series.map(none);
    zoom.charts.push(this);
    this.values = series.map(() => h("b"));
    this.note = h("p", { class: "tr-note" });
    this.canvas = h("div", { class: "tr-canvas" });
    const keys = series.map((one, index) =>
      h(
        "span",
        { class: "tr-key" },
        h("i", { style: `background: var(--${one.colour})` }),
        one.name,
        this.values[index],
      ),
    );
    const [button, explanation] = help(title, about);
    this.element = h(
      "figure",
      { class: "tr-plot" },
      h("figcaption", {}, h("h4", {}, title), button, h("div", { class: "tr-keys" }, keys)),
      explanation,
      this.canvas,
      this.note,
    );
    this.unit = unit;
    addEventListener(THEME, () => this.plot?.redraw(false));
    addEventListener(PRESENT, () => this.begin());
    new MutationObserver(() => this.plot?.redraw(false)).observe(document.documentElement, {
      attributeFilter: ["data-theme"],
    });
  }

  clear() {
    this.count = 0;
    this.x = [];
    this.raw = this.series.map(none);
    this.smooth = this.series.map(none);
    this.plot?.setData(this.data());
    this.read(null);
  }

  /**
   * Append the rows that are new. `rows` only grows; call `clear` before another array.
   * @param {StatsRow[]} rows
   */
  async update(rows) {
    for (const row of rows.slice(this.count)) this.add(row);
    this.count = rows.length;
    if (!this.plot) await this.start();
    this.plot?.setData(this.data());
    this.read(null);
  }

  /** @param {StatsRow} row */
  add(row) {
    this.x.push(row.images / 1000);
    this.series.forEach((one, index) => {
      const found = row[one.field];
      const value = Number.isFinite(found) ? found : null;
      this.raw[index].push(value);
      const before = this.smooth[index].at(-1);
      this.smooth[index].push(
        value === null
          ? (before ?? null)
          : before === undefined || before === null
            ? value
            : before + Math.max(SMOOTH, 1 / (this.smooth[index].length + 1)) * (value - before),
      );
    });
  }

  data() {
    return [this.x, ...this.raw, ...this.smooth];
  }

  /** Build the chart anew, in another size of type. */
  begin() {
    if (!this.plot) return;
    this.plot.destroy();
    this.plot = undefined;
    this.start();
  }

  async start() {
    const UPlot = await load();
    if (this.plot || !this.canvas.clientWidth) return;
    const sizes = document.documentElement.hasAttribute("data-present") ? LARGE : SIZES;
    const font = `${sizes.text}px system-ui, sans-serif`;
    const ink = () => colour("muted");
    const axis = (/** @type {string} */ label, /** @type {unknown} */ size, more = {}) => ({
      label,
      labelSize: sizes.label,
      size,
      ...more,
      stroke: ink,
      font,
      labelFont: font,
      gap: 4,
      grid: { stroke: () => colour("line"), width: 1 },
      ticks: { show: false },
    });
    const width = (/** @type {unknown} */ plot, /** @type {?string[]} */ texts) =>
      Math.max(sizes.y, 12 + sizes.character * Math.max(0, ...(texts ?? []).map((text) => text.length))); // px
    const lines = (/** @type {number} */ width, /** @type {boolean} */ faint) =>
      this.series.map((one) => ({
        stroke: () => colour(one.colour) + (faint ? "40" : ""),
        width,
        points: { show: () => !faint && this.x.length < 3, size: 7, fill: () => colour(one.colour) },
        spanGaps: true,
      }));
    this.plot = new UPlot(
      {
        ...this.#size(),
        legend: { show: false },
        cursor: {
          y: false,
          sync: { key: "gan-stage" },
          drag: { x: true, y: false, setScale: false },
          // a dot on each smoothed line; those on the faint ones would double it
          points: {
            size: (/** @type {UPlot} */ plot, /** @type {number} */ series) =>
              series > this.series.length ? 7 : 0,
          },
          bind: {
            dblclick: () => () => {
              this.zoom.set(null);
              return null;
            },
          },
        },
        scales: { x: { time: false, range: () => this.span() }, y: { range: () => this.height() } },
        axes: [
          axis(t("stage.kimg_axis"), sizes.x, { space: sizes.apart[0] }),
          axis(this.unit, width, {
            space: sizes.apart[1],
            values: (
              /** @type {UPlot} */ plot,
              /** @type {number[]} */ splits,
              /** @type {number} */ place,
              /** @type {number} */ space,
              /** @type {number} */ least,
            ) => splits.map((value) => figure(value, least)),
          }),
        ],
        series: [{}, ...lines(sizes.line / 2, true), ...lines(sizes.line, false)],
        hooks: {
          setSelect: [(/** @type {UPlot} */ plot) => this.select(plot)],
          setCursor: [(/** @type {UPlot} */ plot) => this.read(plot.cursor.idx)],
          draw: [
            (/** @type {UPlot} */ plot) => this.drawReferences(plot),
            (/** @type {UPlot} */ plot) => this.drawFlags(plot),
            (/** @type {UPlot} */ plot) => this.drawMark(plot),
          ],
        },
      },
      this.data(),
      this.canvas,
    );
    this.plot.over.addEventListener("click", () => this.press());
    this.resized ??= new ResizeObserver(() => this.plot?.setSize(this.#size()));
    this.resized.observe(this.canvas);
  }

  press() {
    const left = this.plot?.cursor.left ?? -1;
    if (this.plot && left >= 0 && this.x.length && !this.selected)
      this.pressed(this.plot.posToVal(left, "x"));
    this.selected = false;
  }

  /**
   * Draw a line at a place in the history, and show the values there; null removes it.
   * @param {?number} x thousands of images
   */
  mark(x) {
    if (x === this.marked) return;
    this.marked = x;
    this.plot?.redraw(false);
    this.read(null);
  }

  /** The style sheet says how large a plot is. */
  #size() {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
  }

  span() {
    return this.zoom.range ?? [0, Math.max(this.x.at(-1) ?? 0, 0.1)];
  }

  /**
   * The y range of the visible data: all of the smoothed lines and references, and 99 percent of the raw
   * values.
   */
  height() {
    const [left, right] = this.span();
    /** @type {number[]} */
    const seen = [];
    const whole = this.references.map((one) => one.value);
    this.x.forEach((x, index) => {
      if (x < left || x > right) return;
      for (const value of this.raw.map((values) => values[index])) if (value !== null) seen.push(value);
      for (const value of this.smooth.map((values) => values[index])) if (value !== null) whole.push(value);
    });
    if (!seen.length) return [-1, 1];
    seen.sort((a, b) => a - b);
    const cut = Math.floor(seen.length / 100);
    const low = whole.reduce((a, b) => Math.min(a, b), seen[cut]);
    const high = whole.reduce((a, b) => Math.max(a, b), seen[seen.length - 1 - cut]);
    const room = 0.08 * (high - low || 1);
    return [low - room, high + room];
  }

  rescale() {
    this.plot?.setData(this.data());
  }

  /** @param {UPlot} plot */
  select(plot) {
    const { left, width } = plot.select;
    if (width < 8) return;
    this.selected = true;
    this.zoom.set([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }

  /**
   * Show the values at an index in the legend, else those at the mark, else the newest ones.
   * @param {?number} index
   */
  read(index) {
    const at = index ?? this.plot?.cursor.idx ?? this.#marked() ?? this.x.length - 1;
    this.smooth.forEach((values, series) => {
      const value = values[at];
      this.values[series].textContent =
        value === undefined || value === null
          ? ""
          : figure(value, Math.max(0.01, 10 ** (Math.floor(Math.log10(Math.abs(value) || 1)) - 2)));
    });
  }

  /** @param {UPlot} plot */
  drawFlags(plot) {
    const { ctx, bbox } = plot;
    const size = 7 * devicePixelRatio;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("warn");
    ctx.lineWidth = devicePixelRatio;
    for (const images of this.flags) {
      const x = Math.round(plot.valToPos(images, "x", true));
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x + 1.4 * size, bbox.top + size / 2);
      ctx.lineTo(x, bbox.top + size);
      ctx.fill();
    }
    ctx.restore();
  }

  /** The index of the last point up to the mark. */
  #marked() {
    const { marked } = this;
    if (marked === null) return null;
    const after = this.x.findIndex((x) => x > marked);
    return after < 0 ? this.x.length - 1 : Math.max(0, after - 1);
  }

  /** @param {UPlot} plot */
  drawMark(plot) {
    const { ctx, bbox } = plot;
    if (this.marked === null) return;
    const x = Math.round(plot.valToPos(this.marked, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.save();
    ctx.strokeStyle = colour("accent");
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.restore();
  }

  /** @param {UPlot} plot */
  drawReferences(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.setLineDash([5 * devicePixelRatio, 5 * devicePixelRatio]);
    ctx.lineWidth = devicePixelRatio;
    for (const { value, colour: name } of this.references) {
      ctx.strokeStyle = colour(name ?? "muted");
      const y = Math.round(plot.valToPos(value, "y", true));
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }
}
