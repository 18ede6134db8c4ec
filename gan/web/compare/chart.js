// One statistic of several runs: colour by run, dashes for G. All charts share zoom and cursor.
import { context2d, h, setText } from "../core/dom.js";
import { clock, short, whole } from "../core/format.js";
import { known, t } from "../core/i18n.js";
import { help } from "../widgets/help.js";
import { figure } from "../widgets/plot.js";
import { heightOf, indexAt, logTicksOf, nearest, ticksOf } from "./curves.js";

/** @typedef {import("./curves.js").Curve} Curve */
/** @typedef {import("./curves.js").Span} Span */
/**
 * A line of a chart. `raw` is faint behind the `smooth` one; `band` is [lowest, highest] of several seeds. At
 * `flags` a setting of the run was changed.
 * @typedef {{letter: string, slot: number, raw: ?Curve, smooth: Curve, band: ?[Curve, Curve],
 *    flags: number[]}} Line
 */

const HEIGHT = 190; // px
const BESIDE = { left: 50, right: 8, top: 8, bottom: 22 }; // px around the plot
const OF_G = ["loss_g", "fake"]; // dashed, because G makes them
const NEAR = 8; // px: a shorter drag is a click
const CUT = 5; // px of the mark where a point is cut
const MARKS_APART = 7; // px
const FLAG = 9; // px

/** What all charts share. */
export class View {
  /** @type {import("./state.js").Axis} */
  axis = "images";
  log = false;
  /** The visible part of x; null for all. @type {?Span} */
  zoom = null;
  /** x under the pointer; null without one. @type {?number} */
  hover = null;
  /** By letter of a run, where its grid is. @type {Map<string, number>} */
  grids = new Map();
  /** @type {Chart[]} */
  charts = [];
  /** Called before each drawing. @type {() => void} */
  moved = () => {};
  drawing = 0;

  /** Draw all charts before the next frame. */
  draw() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = 0;
      this.moved();
      for (const chart of this.charts) chart.draw();
    });
  }

  /** The whole range of x of all charts. @returns {Span} */
  whole() {
    let end = 0;
    for (const { lines } of this.charts)
      for (const { smooth } of lines) end = Math.max(end, smooth.x.at(-1) ?? 0);
    return [0, end || 1];
  }

  span() {
    return this.zoom ?? this.whole();
  }

  /** @param {?Span} zoom */
  scale(zoom) {
    this.zoom = zoom;
    this.draw();
  }

  /** @param {?number} x */
  point(x) {
    if (x === this.hover) return;
    this.hover = x;
    this.draw();
  }

  /**
   * Where a run's cursor is; null without one.
   * @param {string} letter
   */
  at(letter) {
    return this.hover ?? this.grids.get(letter) ?? null;
  }

  /** A place on x as text. @param {number} x */
  place(x) {
    if (this.axis === "seconds") return clock(x);
    return t(`compare.at_${this.axis}`, { count: whole(x) });
  }
}

/** What a statistic is called; one without a text shows its own name. @param {string} field */
export const statName = (field) => (known(`compare.stat_${field}`) ? t(`compare.stat_${field}`) : field);

/** @param {string} name */
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Chart {
  /** @type {Line[]} */
  lines = [];
  /** Axes and lines as they were last drawn: for which lines, and in which state. */
  picture = document.createElement("canvas");
  /** @type {?Line[]} */
  painted = null;
  state = "";
  /** The range of y. @type {Span} */
  height = [0, 1];
  /** Where a drag began, in px. @type {?number} */
  from = null;
  /** Where it is. @type {?number} */
  to = null;

  /**
   * @param {View} view
   * @param {string} field
   */
  constructor(view, field) {
    this.view = view;
    this.field = field;
    this.dashed = OF_G.includes(field);
    const title = statName(field);
    this.title = title;
    this.keys = h("p", { class: "cm-values" });
    this.note = h("p", { class: "cm-note", hidden: true });
    this.canvas = h("canvas", { class: "cm-canvas", tabindex: "0", role: "slider", "aria-label": title });
    const about = known(`compare.about_${field}`) ? help(title, t(`compare.about_${field}`)) : [];
    this.element = h(
      "figure",
      { class: "cm-chart" },
      h("figcaption", {}, h("h4", {}, title), about[0]),
      about[1],
      this.canvas,
      this.keys,
      this.note,
    );
    this.listen();
    new ResizeObserver(() => view.draw()).observe(this.canvas);
  }

  listen() {
    const { canvas, view } = this;
    const offset = (/** @type {PointerEvent} */ event) => event.clientX - canvas.getBoundingClientRect().left;
    canvas.addEventListener("pointermove", (event) => {
      if (this.from !== null) this.to = offset(event);
      view.point(this.inside(this.xAt(offset(event))));
      view.draw();
    });
    canvas.addEventListener("pointerleave", () => this.from === null && view.point(null));
    canvas.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch") return void view.point(this.inside(this.xAt(offset(event))));
      if (event.button) return;
      this.from = this.to = offset(event);
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointerup", () => this.drop());
    canvas.addEventListener("pointercancel", () => {
      this.from = this.to = null;
      view.draw();
    });
    canvas.addEventListener("dblclick", () => view.scale(null));
    canvas.addEventListener("blur", () => view.point(null));
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** The end of a drag: show the part that it covers. */
  drop() {
    const [from, to] = [this.from, this.to];
    this.from = this.to = null;
    if (from === null || to === null || Math.abs(to - from) < NEAR) return this.view.draw();
    const [left, right] = [
      this.inside(this.xAt(Math.min(from, to))),
      this.inside(this.xAt(Math.max(from, to))),
    ];
    if (right > left) this.view.scale([left, right]);
  }

  /** Arrows move the cursor, + and - zoom around it, Escape shows all. @param {KeyboardEvent} event */
  key(event) {
    const { view } = this;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [left, right] = view.span();
    const step = (right - left) / (event.shiftKey ? 10 : 100);
    const at = view.hover ?? right;
    /** @type {Record<string, () => void>} */
    const moves = {
      ArrowLeft: () => view.point(this.inside(at - step)),
      ArrowRight: () => view.point(this.inside(at + step)),
      Home: () => view.point(left),
      End: () => view.point(right),
      "+": () => this.zoomAround(at, 0.5),
      "=": () => this.zoomAround(at, 0.5),
      "-": () => this.zoomAround(at, 2),
      Escape: () => view.scale(null),
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  }

  /**
   * @param {number} at
   * @param {number} by
   */
  zoomAround(at, by) {
    const [first, last] = this.view.whole();
    const [left, right] = this.view.span();
    const zoom = /** @type {Span} */ ([
      Math.max(first, at - (at - left) * by),
      Math.min(last, at + (right - at) * by),
    ]);
    if (zoom[1] - zoom[0] < (last - first) / 1e4) return;
    this.view.scale(zoom[0] <= first && zoom[1] >= last ? null : zoom);
  }

  get width() {
    return this.canvas.clientWidth - BESIDE.left - BESIDE.right;
  }

  /** @param {number} px */
  xAt(px) {
    const [left, right] = this.view.span();
    return left + ((px - BESIDE.left) / this.width) * (right - left);
  }

  /** @param {number} x */
  inside(x) {
    const [left, right] = this.view.span();
    return Math.min(right, Math.max(left, x));
  }

  draw() {
    const { canvas, view } = this;
    if (!canvas.clientWidth) return; // its tab is hidden
    const ratio = devicePixelRatio || 1;
    const span = view.span();
    const state = [canvas.clientWidth, ratio, span, view.log, css("--bg")].join();
    if (state !== this.state || this.lines !== this.painted) this.paint(ratio, span);
    Object.assign(this, { state, painted: this.lines });
    Object.assign(canvas, { width: this.picture.width, height: this.picture.height }); // also clears it
    const ctx = context2d(canvas);
    ctx.drawImage(this.picture, 0, 0);
    ctx.scale(ratio, ratio);
    this.drawCursor(ctx, this.scales(span, this.height));
    this.say(span);
  }

  /**
   * Draw axes and lines, which stay while the cursor moves.
   * @param {number} ratio
   * @param {Span} span
   */
  paint(ratio, span) {
    const { canvas, view, picture } = this;
    picture.width = Math.round(canvas.clientWidth * ratio);
    picture.height = Math.round(HEIGHT * ratio);
    const ctx = context2d(picture);
    ctx.scale(ratio, ratio);
    const drawn = this.lines.flatMap(({ raw, smooth, band }) => band ?? [raw ?? smooth]);
    this.height = heightOf(drawn, span, view.log) ?? [0, 1];
    this.frame(ctx, span, this.height);
    ctx.beginPath();
    ctx.rect(BESIDE.left, BESIDE.top - 1, this.width, HEIGHT - BESIDE.top - BESIDE.bottom + 2);
    ctx.clip();
    const scale = this.scales(span, this.height);
    for (const line of this.lines) this.drawLine(ctx, line, scale);
  }

  /**
   * x and y in px. Values that a log axis can't show are null.
   * @param {Span} span
   * @param {Span} height
   */
  scales([left, right], [low, high]) {
    const tall = HEIGHT - BESIDE.top - BESIDE.bottom;
    const { log } = this.view;
    return {
      x: (/** @type {number} */ x) => BESIDE.left + ((x - left) / (right - left)) * this.width,
      y: (/** @type {?number} */ y) => {
        if (y === null || (log && y <= 0)) return null;
        return BESIDE.top + tall * (1 - ((log ? Math.log10(y) : y) - low) / (high - low));
      },
      span: /** @type {Span} */ ([left, right]),
    };
  }

  /**
   * Axes, their numbers, and the grid.
   * @param {CanvasRenderingContext2D} ctx
   * @param {Span} span
   * @param {Span} height
   */
  frame(ctx, span, height) {
    const { x, y } = this.scales(span, height);
    const { log, axis } = this.view;
    ctx.font = "12px system-ui, sans-serif";
    ctx.strokeStyle = css("--line");
    ctx.fillStyle = css("--muted");
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    const rows = ticksOf(height, 4);
    for (const value of log ? logTicksOf(height) : rows.ticks) {
      const at = y(value);
      if (at === null) continue;
      ctx.beginPath();
      ctx.moveTo(BESIDE.left, Math.round(at) + 0.5);
      ctx.lineTo(BESIDE.left + this.width, Math.round(at) + 0.5);
      ctx.stroke();
      ctx.fillText(log ? plain(value) : figure(value, rows.least), BESIDE.left - 6, at);
    }
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    const columns = ticksOf(span, this.width / 90);
    for (const value of columns.ticks) {
      const at = Math.min(Math.max(x(value), BESIDE.left + 6), BESIDE.left + this.width - 16);
      ctx.fillText(axis === "seconds" ? clock(value) : short(value), at, HEIGHT - BESIDE.bottom + 6);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {Line} line
   * @param {ReturnType<Chart["scales"]>} scale
   */
  drawLine(ctx, { slot, raw, smooth, band, flags }, scale) {
    const colour = css(`--run-${slot}`);
    ctx.lineJoin = "round";
    if (band) {
      ctx.fillStyle = `${colour}30`;
      fill(ctx, band, scale);
    }
    if (raw) {
      ctx.strokeStyle = `${colour}45`;
      ctx.lineWidth = 1;
      stroke(ctx, raw, scale);
    }
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.75;
    ctx.setLineDash(this.dashed ? [6, 4] : []);
    stroke(ctx, smooth, scale);
    ctx.setLineDash([]);
    ctx.fillStyle = colour;
    for (const one of band ?? [raw ?? smooth]) markCuts(ctx, one, scale);
    for (const at of flags) flag(ctx, scale.x(at));
  }

  /**
   * The part under a drag, and the cursor of each run.
   * @param {CanvasRenderingContext2D} ctx
   * @param {ReturnType<Chart["scales"]>} scale
   */
  drawCursor(ctx, scale) {
    if (this.from !== null && this.to !== null) {
      ctx.fillStyle = css("--accent-soft");
      ctx.fillRect(this.from, BESIDE.top, this.to - this.from, HEIGHT - BESIDE.top - BESIDE.bottom);
    }
    const { view } = this;
    for (const line of this.lines) {
      const { letter, slot, smooth } = line;
      const at = view.at(letter);
      if (at === null || at < scale.span[0] || at > scale.span[1]) continue;
      ctx.strokeStyle = view.hover === null ? css(`--run-${slot}`) : css("--muted");
      ctx.lineWidth = 1;
      ctx.beginPath();
      ctx.moveTo(scale.x(at), BESIDE.top);
      ctx.lineTo(scale.x(at), HEIGHT - BESIDE.bottom);
      ctx.stroke();
      const place = this.pointOf(line);
      const y = place < 0 ? null : scale.y(smooth.y[place]);
      if (y === null || y < BESIDE.top || y > HEIGHT - BESIDE.bottom) continue;
      ctx.fillStyle = css(`--run-${slot}`);
      ctx.beginPath();
      ctx.arc(scale.x(smooth.x[place]), y, 3.5, 0, 7);
      ctx.fill();
    }
  }

  /**
   * The index of a run's point at its cursor, else at the end of what is visible; -1 behind its last point.
   * @param {Line} line
   */
  pointOf({ letter, smooth: { x } }) {
    const { view } = this;
    if (view.hover !== null && view.hover > (x.at(-1) ?? 0)) return -1;
    return nearest(x, view.at(letter) ?? view.span()[1]);
  }

  /** Show the values at the cursor, else the newest. @param {Span} span */
  say(span) {
    const { view } = this;
    const texts = this.lines.map((line) => {
      const { letter, smooth, band } = line;
      const place = this.pointOf(line);
      const value = smooth.y[place] ?? null;
      const ends = band?.map(({ y }) => plain(y[place] ?? null));
      return { letter, value: plain(value) + (ends ? ` (${ends.join(" … ")})` : "") };
    });
    while (this.keys.children.length > texts.length) this.keys.lastElementChild?.remove();
    texts.forEach(({ letter, value }, index) => {
      const key =
        this.keys.children[index] ?? this.keys.appendChild(h("span", {}, h("i"), h("b"), h("span")));
      key.children[0].setAttribute("style", `background: var(--run-${this.lines[index].slot})`);
      setText(key.children[1], letter);
      setText(key.children[2], value);
    });
    const at = view.hover ?? span[1];
    const { canvas } = this;
    canvas.setAttribute("aria-valuemin", String(span[0]));
    canvas.setAttribute("aria-valuemax", String(span[1]));
    canvas.setAttribute("aria-valuenow", String(at));
    const values = texts.map(({ letter, value }) => `${letter} ${value}`).join(", ");
    canvas.setAttribute("aria-valuetext", `${view.place(at)}: ${values}`);
    const hidden =
      view.log && this.lines.some(({ raw, smooth }) => (raw ?? smooth).y.some((y) => y !== null && y <= 0));
    this.note.hidden = !hidden;
    if (hidden) setText(this.note, t("compare.log_gaps"));
  }
}

/**
 * A flag where a setting of a run was changed, in the colour of its line.
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x px
 */
function flag(ctx, x) {
  ctx.fillRect(x - 0.75, BESIDE.top, 1.5, HEIGHT - BESIDE.top - BESIDE.bottom);
  ctx.beginPath();
  ctx.moveTo(x, BESIDE.top);
  ctx.lineTo(x + FLAG, BESIDE.top + FLAG / 2);
  ctx.lineTo(x, BESIDE.top + FLAG);
  ctx.fill();
}

/** A value in about three digits. @param {?number} value */
function plain(value) {
  if (value === null) return "–";
  return figure(value, 10 ** (Math.floor(Math.log10(Math.abs(value) || 1)) - 2));
}

/**
 * The indices of the points in a span, with one more on each side, so that lines leave the plot.
 * @param {Curve} curve
 * @param {Span} span
 */
const visible = ({ x }, [left, right]) => [
  Math.max(0, indexAt(x, left) - 1),
  Math.min(x.length, indexAt(x, right) + 2),
];

/**
 * Draw a line through the values; it skips gaps. A single point is a dot.
 * @param {CanvasRenderingContext2D} ctx
 * @param {Curve} curve
 * @param {ReturnType<Chart["scales"]>} scale
 */
function stroke(ctx, curve, scale) {
  const [from, to] = visible(curve, scale.span);
  let drawn = 0;
  ctx.beginPath();
  for (let index = from; index < to; index++) {
    const y = scale.y(curve.y[index]);
    if (y === null) continue;
    drawn += 1;
    if (drawn === 1) ctx.moveTo(scale.x(curve.x[index]), y);
    else ctx.lineTo(scale.x(curve.x[index]), y);
    if (to - from === 1) ctx.arc(scale.x(curve.x[index]), y, 2, 0, 7);
  }
  ctx.stroke();
}

/**
 * Fill the room between two curves with the same places.
 * @param {CanvasRenderingContext2D} ctx
 * @param {[Curve, Curve]} band
 * @param {ReturnType<Chart["scales"]>} scale
 */
function fill(ctx, [low, high], scale) {
  const places = low.x.map((_, index) => index).filter((index) => scale.y(low.y[index]) !== null);
  if (!places.length) return;
  ctx.beginPath();
  for (const index of places) ctx.lineTo(scale.x(low.x[index]), scale.y(low.y[index]) ?? 0);
  for (const index of places.reverse()) ctx.lineTo(scale.x(high.x[index]), scale.y(high.y[index]) ?? 0);
  ctx.fill();
}

/**
 * A small triangle at the edge for points beyond it, one every few px.
 * @param {CanvasRenderingContext2D} ctx
 * @param {Curve} curve
 * @param {ReturnType<Chart["scales"]>} scale
 */
function markCuts(ctx, curve, scale) {
  const [top, bottom] = [BESIDE.top, HEIGHT - BESIDE.bottom];
  const [left, right] = scale.span;
  const last = { up: -MARKS_APART, down: -MARKS_APART };
  for (let index = indexAt(curve.x, left); index < curve.x.length && curve.x[index] <= right; index++) {
    const y = scale.y(curve.y[index]);
    if (y === null || (y >= top && y <= bottom)) continue;
    const side = y < top ? "up" : "down";
    const x = scale.x(curve.x[index]);
    if (x - last[side] < MARKS_APART) continue;
    last[side] = x;
    const [edge, turn] = side === "up" ? [top, 1] : [bottom, -1];
    ctx.beginPath();
    ctx.moveTo(x, edge);
    ctx.lineTo(x - CUT / 1.5, edge + turn * CUT);
    ctx.lineTo(x + CUT / 1.5, edge + turn * CUT);
    ctx.fill();
  }
}
