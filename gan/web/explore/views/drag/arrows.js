// Arrows on the large picture: from a point to where it should be, drawn by mouse, finger or keys. One of no length holds its point.
import { shape } from "../../../core/dom.js";
import { t } from "../../../core/i18n.js";

export const MOST = 8;
const SLACK = 6; // CSS pixels within which a press is no arrow
const LEAP = 4; // pixels of the picture for a key with Shift
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const HEAD = 9; // CSS pixels of an arrow's head
const DOT = 8; // radius of a point

const kept = (value) => Math.min(1, Math.max(0, value));

/**
 * `pairs`: [{start, end, now, stays}], places (x, y) in parts of the picture; `now` is where the point is. `size` is that of the picture in its own pixels.
 * `changed()` is called when the visitor has drawn or taken away an arrow, `say(text)` with what readers of a screen should hear.
 */
export class Arrows {
  pairs = [];
  size = 1;
  busy = false;
  finished = false;
  drawing = null;
  cross = null;
  from = null;

  constructor(large, { changed, say }) {
    this.large = large;
    this.changed = changed;
    this.say = say;
    this.picture = shape("svg", { class: "xp-arrows", "aria-hidden": "true" });
    this.observer = new ResizeObserver(() => this.#draw());
    this.hearing = Object.entries({
      pointerdown: (event) => this.#down(event), pointermove: (event) => this.#move(event), pointerup: (event) => this.#up(event),
      pointercancel: () => this.#cancel(), blur: () => this.#leave(),
    });
  }

  open() {
    const { element, canvas } = this.large;
    for (const [name, act] of this.hearing) element.addEventListener(name, act);
    element.append(this.picture);
    element.classList.add("is-marked");
    for (const each of [element, canvas]) this.observer.observe(each);
    this.#draw();
  }

  close() {
    const { element } = this.large;
    for (const [name, act] of this.hearing) element.removeEventListener(name, act);
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

  /** Where the points are by now, [x, y] for each. */
  follow(points) {
    points.forEach((now, index) => Object.assign(this.pairs[index] ?? {}, { now }));
    this.#draw();
  }

  /** The points have gone as far as they go: the next arrow begins another drag. */
  finish() {
    this.finished = true;
  }

  /** A key on the picture; whether it was one of ours. */
  key(event) {
    const way = KEYS[event.key];
    if (this.busy) return Boolean(way);
    if (way) this.#aim(way, event.shiftKey ? LEAP : 1);
    else if (event.key === "Enter") this.#mark();
    else if (event.key === "Delete" || event.key === "Backspace") this.#remove();
    else if (event.key === "Escape" && this.from) this.#drop();
    else return false;
    return true;
  }

  /** Take away the place that a key has marked, or else the last arrow. */
  #remove() {
    if (this.from) this.#drop();
    else this.undo();
  }

  #set(pairs) {
    Object.assign(this, { pairs, finished: false });
    this.#draw();
    this.changed();
  }

  #add(start, end) {
    const kept = this.finished ? [] : this.pairs;
    if (kept.length >= MOST) {
      this.#draw();
      this.say(t("explore.drag_most", { most: MOST }));
      return;
    }
    const stays = start.every((value, axis) => value === end[axis]);
    this.#set([...kept, { start, end, now: start, stays }]);
  }

  // The pointer ------------------------------------------------------------------------------------------------------------------------------------------

  #place(event) {
    const box = this.large.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  #down(event) {
    if (this.busy || event.button !== 0 || !event.isPrimary || event.target.closest("button")) return;
    const start = this.#place(event);
    if (start.some((value) => value !== kept(value))) return; // beside the picture
    this.large.element.setPointerCapture(event.pointerId);
    Object.assign(this, { drawing: { start, end: start, x: event.clientX, y: event.clientY }, cross: null, from: null });
    this.#draw();
  }

  #move(event) {
    if (!this.drawing || !event.isPrimary) return;
    const { start, x, y } = this.drawing;
    const still = Math.hypot(event.clientX - x, event.clientY - y) < SLACK;
    this.drawing.end = still ? start : this.#place(event).map(kept);
    this.#draw();
  }

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

  // Keys -------------------------------------------------------------------------------------------------------------------------------------------------

  /** Move the cross-hair by pixels of the picture. */
  #aim(way, pixels) {
    const middle = (Math.floor(this.size / 2) + 0.5) / this.size;
    const edge = 0.5 / this.size;
    const cross = this.cross ?? [middle, middle];
    this.cross = cross.map((value, axis) => Math.min(1 - edge, Math.max(edge, value + (way[axis] * pixels) / this.size)));
    this.#draw();
    this.say(t(this.from ? "explore.drag_to" : "explore.drag_from", this.#told()));
  }

  #mark() {
    if (!this.cross) return void this.#aim([0, 0], 0);
    if (!this.from) {
      this.from = this.cross;
      this.#draw();
      this.say(t("explore.drag_to", this.#told()));
      return;
    }
    const { from, cross } = this;
    this.from = null;
    this.#add(from, cross);
  }

  #drop() {
    this.from = null;
    this.#draw();
    this.say(t("explore.drag_from", this.#told()));
  }

  #leave() {
    Object.assign(this, { cross: null, from: null });
    this.#draw();
  }

  #told() {
    const [x, y] = this.cross.map((value) => Math.floor(value * this.size) + 1);
    return { x, y };
  }

  // Drawing ----------------------------------------------------------------------------------------------------------------------------------------------

  #draw() {
    const { canvas, element } = this.large;
    const [box, room] = [canvas.getBoundingClientRect(), element.getBoundingClientRect()];
    this.spot = ([x, y]) => [box.left - room.left + x * box.width, box.top - room.top + y * box.height];
    const open = [this.drawing, this.from && { start: this.from, end: this.cross }].filter(Boolean);
    const all = [...(this.finished && open.length ? [] : this.pairs), ...open.map((pair) => ({ ...pair, now: pair.start, stays: pair.start === pair.end }))];
    this.picture.replaceChildren(...all.flatMap((pair, index) => this.#arrow(pair, index)), ...(this.cross ? this.#hair() : []));
  }

  #arrow({ start, end, now, stays }, index) {
    const [[x, y], to, at] = [start, end, now].map(this.spot);
    const name = shape("text", { x: at[0], y: at[1] }, String(index + 1));
    if (stays) return [shape("rect", { class: "xp-dot", x: at[0] - DOT, y: at[1] - DOT, width: 2 * DOT, height: 2 * DOT, rx: 3 }), name];
    const turn = Math.atan2(to[1] - y, to[0] - x);
    const wing = (side) => `${to[0] - HEAD * Math.cos(turn + side)},${to[1] - HEAD * Math.sin(turn + side)}`;
    const path = `M${x},${y}L${to}M${wing(0.55)}L${to}L${wing(-0.55)}`;
    const lines = ["xp-casing", "xp-shaft"].map((each) => shape("path", { class: each, d: path }));
    return [...lines, shape("circle", { class: "xp-dot", cx: at[0], cy: at[1], r: DOT }), name];
  }

  #hair() {
    const [x, y] = this.spot(this.cross);
    const path = `M${x - 14},${y}h10m8,0h10M${x},${y - 14}v10m0,8v10`;
    return ["xp-casing", "xp-shaft"].map((name) => shape("path", { class: name, d: path }));
  }
}
