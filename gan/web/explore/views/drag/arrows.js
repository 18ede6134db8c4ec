// Arrows on the large picture, each from a point to its goal. The reader draws them by mouse, finger or keys.
// An arrow without length holds its point in place.
import { must, shape, targetOf } from "../../../core/dom.js";
import { t } from "../../../core/i18n.js";

export const MOST = 8;
const SLACK = 6; // CSS pixels; a shorter movement draws no arrow
const LEAP = 4; // pixels of the picture for a key with Shift
/** @type {Record<string, Place>} */
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const HEAD = 9; // CSS pixels
const DOT = 8; // radius of a point

/** @param {number} value */
const clamped = (value) => Math.min(1, Math.max(0, value));

/** @typedef {{start: Place, end: Place, now: Place, stays: boolean}} Pair */

/**
 * `pairs` are the arrows, in fractions of the picture; `now` is where the point is. `size` is the picture's
 * width in its own pixels. `changed()` is called when the reader draws or removes an arrow. `say(text)` gets
 * messages for screen readers.
 */
export class Arrows {
  /** @type {Pair[]} */
  pairs = [];
  /** Convert a place in the picture to CSS pixels in the figure. @type {(place: Place) => Place} */
  toScreen = (place) => place;
  size = 1;
  busy = false;
  finished = false;
  /**
   * The arrow under the pointer, and where the press began on the screen.
   * @type {?{start: Place, end: Place, x: number, y: number}}
   */
  drawing = null;
  /** The cross-hair of the keys. @type {?Place} */
  cross = null;
  /** The start of an arrow that the keys draw. @type {?Place} */
  from = null;

  /**
   * @param {import("../../panels/canvas.js").Canvas} large
   * @param {{changed: () => void, say: (text: string) => void}} listeners
   */
  constructor(large, { changed, say }) {
    this.large = large;
    this.changed = changed;
    this.say = say;
    this.picture = shape("svg", { class: "xp-arrows", "aria-hidden": "true" });
    this.observer = new ResizeObserver(() => this.#draw());
    /** @type {[string, (event: any) => void][]} */
    this.listeners = Object.entries({
      pointerdown: (event) => this.#down(event),
      pointermove: (event) => this.#move(event),
      pointerup: (event) => this.#up(event),
      pointercancel: () => this.#cancel(),
      blur: () => this.#leave(),
    });
  }

  open() {
    const { element, canvas } = this.large;
    for (const [name, act] of this.listeners) element.addEventListener(name, act);
    element.append(this.picture);
    element.classList.add("is-marked");
    for (const each of [element, canvas]) this.observer.observe(each);
    this.#draw();
  }

  close() {
    const { element } = this.large;
    for (const [name, act] of this.listeners) element.removeEventListener(name, act);
    this.picture.remove();
    element.classList.remove("is-marked");
    this.observer.disconnect();
    Object.assign(this, { drawing: null, cross: null, from: null });
  }

  get label() {
    return t("explore.drag_keys");
  }

  clear() {
    this.#set([]);
  }

  undo() {
    if (!this.busy) this.#set(this.pairs.slice(0, -1));
  }

  /**
   * Move the points to where the server has dragged them.
   * @param {Place[]} points
   */
  follow(points) {
    points.forEach((now, index) => Object.assign(this.pairs[index] ?? {}, { now }));
    this.#draw();
  }

  /** The drag has ended, so the next arrow begins another. */
  finish() {
    this.finished = true;
  }

  /**
   * Handle a key on the picture. Returns whether it was used.
   * @param {KeyboardEvent} event
   */
  key(event) {
    const direction = KEYS[event.key];
    if (this.busy) return Boolean(direction);
    if (direction) this.#aim(direction, event.shiftKey ? LEAP : 1);
    else if (event.key === "Enter") this.#mark();
    else if (event.key === "Delete" || event.key === "Backspace") this.#remove();
    else if (event.key === "Escape" && this.from) this.#drop();
    else return false;
    return true;
  }

  /** Drop the start that the keys have marked, or else the last arrow. */
  #remove() {
    if (this.from) this.#drop();
    else this.undo();
  }

  /** @param {Pair[]} pairs */
  #set(pairs) {
    Object.assign(this, { pairs, finished: false });
    this.#draw();
    this.changed();
  }

  /**
   * @param {Place} start
   * @param {Place} end
   */
  #add(start, end) {
    const pairs = this.finished ? [] : this.pairs;
    if (pairs.length >= MOST) {
      this.#draw();
      this.say(t("explore.drag_most", { most: MOST }));
      return;
    }
    const stays = start.every((value, axis) => value === end[axis]);
    this.#set([...pairs, { start, end, now: start, stays }]);
  }

  // The pointer ---------------------------------------------------------------------------------------------

  /** @param {PointerEvent} event */
  #place(event) {
    const box = this.large.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (this.busy || event.button !== 0 || !event.isPrimary || targetOf(event).closest("button")) return;
    const start = this.#place(event);
    if (start.some((value) => value !== clamped(value))) return; // outside the picture
    this.large.element.setPointerCapture(event.pointerId);
    Object.assign(this, {
      drawing: { start, end: start, x: event.clientX, y: event.clientY },
      cross: null,
      from: null,
    });
    this.#draw();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (!this.drawing || !event.isPrimary) return;
    const { start, x, y } = this.drawing;
    const still = Math.hypot(event.clientX - x, event.clientY - y) < SLACK;
    const [u, v] = this.#place(event);
    this.drawing.end = still ? start : [clamped(u), clamped(v)];
    this.#draw();
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (!this.drawing || !event.isPrimary) return;
    this.#move(event);
    const { start, end } = this.drawing;
    this.drawing = null;
    this.#add(start, end);
  }

  #cancel() {
    this.drawing = null;
    this.#draw();
  }

  // Keys ----------------------------------------------------------------------------------------------------

  /**
   * Move the cross-hair by pixels of the picture.
   * @param {Place} direction
   * @param {number} pixels
   */
  #aim(direction, pixels) {
    const middle = (Math.floor(this.size / 2) + 0.5) / this.size;
    const edge = 0.5 / this.size;
    const cross = this.cross ?? [middle, middle];
    const moved = (/** @type {0 | 1} */ axis) =>
      Math.min(1 - edge, Math.max(edge, cross[axis] + (direction[axis] * pixels) / this.size));
    this.cross = [moved(0), moved(1)];
    this.#draw();
    this.say(t(this.from ? "explore.drag_to" : "explore.drag_from", this.#pixel()));
  }

  #mark() {
    if (!this.cross) return void this.#aim([0, 0], 0);
    if (!this.from) {
      this.from = this.cross;
      this.#draw();
      this.say(t("explore.drag_to", this.#pixel()));
      return;
    }
    const { from, cross } = this;
    this.from = null;
    this.#add(from, cross);
  }

  #drop() {
    this.from = null;
    this.#draw();
    this.say(t("explore.drag_from", this.#pixel()));
  }

  #leave() {
    Object.assign(this, { cross: null, from: null });
    this.#draw();
  }

  /** The pixel under the cross-hair, counted from 1. */
  #pixel() {
    const [x, y] = must(this.cross, "cross-hair").map((value) => Math.floor(value * this.size) + 1);
    return { x, y };
  }

  // Drawing -------------------------------------------------------------------------------------------------

  #draw() {
    const { canvas, element } = this.large;
    const [box, room] = [canvas.getBoundingClientRect(), element.getBoundingClientRect()];
    this.toScreen = ([x, y]) => [box.left - room.left + x * box.width, box.top - room.top + y * box.height];
    const open = [
      this.drawing,
      this.from && { start: this.from, end: must(this.cross, "cross-hair") },
    ].filter((pair) => pair !== null);
    const all = [
      ...(this.finished && open.length ? [] : this.pairs),
      ...open.map((pair) => ({ ...pair, now: pair.start, stays: pair.start === pair.end })),
    ];
    this.picture.replaceChildren(
      ...all.flatMap((pair, index) => this.#arrow(pair, index)),
      ...(this.cross ? this.#hair(this.cross) : []),
    );
  }

  /**
   * @param {Pair} pair
   * @param {number} index
   */
  #arrow({ start, end, now, stays }, index) {
    const [[x, y], to, at] = [start, end, now].map(this.toScreen);
    const name = shape("text", { x: at[0], y: at[1] }, String(index + 1));
    if (stays)
      return [
        shape("rect", {
          class: "xp-dot",
          x: at[0] - DOT,
          y: at[1] - DOT,
          width: 2 * DOT,
          height: 2 * DOT,
          rx: 3,
        }),
        name,
      ];
    const turn = Math.atan2(to[1] - y, to[0] - x);
    const wing = (/** @type {number} */ side) =>
      `${to[0] - HEAD * Math.cos(turn + side)},${to[1] - HEAD * Math.sin(turn + side)}`;
    const path = `M${x},${y}L${to}M${wing(0.55)}L${to}L${wing(-0.55)}`;
    const lines = ["xp-casing", "xp-shaft"].map((each) => shape("path", { class: each, d: path }));
    return [...lines, shape("circle", { class: "xp-dot", cx: at[0], cy: at[1], r: DOT }), name];
  }

  /** @param {Place} cross */
  #hair(cross) {
    const [x, y] = this.toScreen(cross);
    const path = `M${x - 14},${y}h10m8,0h10M${x},${y - 14}v10m0,8v10`;
    return ["xp-casing", "xp-shaft"].map((name) => shape("path", { class: name, d: path }));
  }
}
