// A sheet of pictures on one canvas at the screen's resolution, with a button on each cell.
import { context2d, h, targetOf } from "../core/dom.js";
import { refusal } from "../core/i18n.js";

// Share of a cell; a wider gap would waste room, so pictures are enlarged by a fraction instead.
const LARGEST_GAP = 0.14;
const GAP = 2; // CSS pixels between pictures, at least
const BIG = 6; // from this factor on, nobody sees that some pixels are one screen pixel wider than others

/**
 * The side of a picture of `size` pixels in a cell of `cell` device pixels. It is a multiple of `size` if
 * that fills the cell well.
 * @param {number} cell
 * @param {number} size
 */
export function fitted(cell, size) {
  const whole = Math.floor(cell / size) * size;
  return whole > 0 && cell < BIG * size && cell - whole <= cell * LARGEST_GAP ? whole : Math.floor(cell);
}

/**
 * A sheet of rows x columns pictures. `name(index)` is a button's accessible name, and `pick(index)` gets the
 * chosen cell. `draw(bitmap)` shows a sheet without gaps, `mark(index)` outlines a cell (-1: none), and
 * `lock(true)` disables all cells.
 */
export class Mosaic {
  current = -1;
  /** @type {?Drawable} */
  bitmap = null;
  /** @type {HTMLButtonElement[]} */
  cells = [];

  /**
   * @param {{rows: number, columns: number, label: string, name: (index: number) => string, pick: (index:
   *    number) => void}} options
   */
  constructor({ rows, columns, label, name, pick }) {
    this.rows = rows;
    this.columns = columns;
    this.name = name;
    this.pick = pick;
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.overlay = h("div", {
      class: "xp-cells",
      role: "group",
      "aria-label": label,
      onkeydown: (event) => this.#move(event),
      onclick: (event) => this.#click(event),
    });
    this.element = h(
      "div",
      { class: "xp-mosaic", style: `--rows: ${rows}; --columns: ${columns}` },
      this.canvas,
      this.overlay,
    );
    for (let index = 0; index < rows * columns; index += 1) {
      this.cells.push(h("button", { type: "button", class: "xp-cell", tabindex: index ? "-1" : "0" }));
    }
    this.overlay.append(...this.cells);
    this.relabel();
    new ResizeObserver(() => this.#paint()).observe(this.element);
  }

  relabel() {
    this.cells.forEach((cell, index) => cell.setAttribute("aria-label", this.name(index)));
  }

  /** @param {?Drawable} bitmap */
  draw(bitmap) {
    this.bitmap = bitmap;
    this.element.classList.toggle("is-empty", !bitmap);
    this.#paint();
  }

  /** @param {number} index */
  mark(index) {
    if (index === this.current) return;
    this.cells[this.current]?.removeAttribute("aria-current");
    this.cells[index]?.setAttribute("aria-current", "true");
    this.current = index;
    if (index >= 0) this.#rove(index);
  }

  /** @param {boolean} locked */
  lock(locked) {
    this.element.classList.toggle("is-locked", locked);
    for (const cell of this.cells) cell.disabled = locked;
  }

  /** @param {number} index */
  #rove(index) {
    for (const cell of this.cells) cell.tabIndex = -1;
    this.cells[index].tabIndex = 0;
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const index = this.cells.findIndex((cell) => cell.contains(targetOf(event)));
    if (index < 0) return;
    this.#rove(index);
    this.pick(index);
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const from = this.cells.findIndex((cell) => cell === document.activeElement);
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns };
    const to = from + steps[event.key];
    if (from < 0 || !this.cells[to]) return;
    event.preventDefault();
    this.#rove(to);
    this.cells[to].focus();
  }

  #paint() {
    const width = Math.round(this.element.clientWidth * devicePixelRatio);
    if (!width || !this.bitmap) return;
    const cell = width / this.columns;
    const size = this.bitmap.width / this.columns;
    const side = fitted(cell - GAP * devicePixelRatio, size);
    this.canvas.width = width;
    this.canvas.height = Math.round(cell * this.rows);
    const pen = context2d(this.canvas);
    pen.imageSmoothingEnabled = side < 2 * size && side % size !== 0;
    pen.imageSmoothingQuality = "high";
    for (let index = 0; index < this.cells.length; index += 1) {
      const [row, column] = [Math.floor(index / this.columns), index % this.columns];
      const [x, y] = [column, row].map((place) => Math.round(place * cell + (cell - side) / 2));
      pen.drawImage(this.bitmap, column * size, row * size, size, size, x, y, side, side);
    }
  }
}

// The queue of all sheets: they come one at a time, so that the large picture never waits for more than one.
let line = Promise.resolve();

/**
 * Keeps `mosaic` showing `points()`. `draw(path, query, points, columns)` draws them as one picture, from
 * this browser or from the server's route `path`. `refresh()` updates it. `query()` returns null if there is
 * nothing to show. It requests pictures only while the mosaic is on the screen.
 */
export class Sheet {
  stale = false;
  visible = false;
  waiting = false;
  /** @type {?Drawable} */
  bitmap = null;
  drawn = "";

  /**
   * @typedef {{element: HTMLElement, columns: number, draw(bitmap: ?Drawable): void, lock(locked: boolean):
   *    void}} SheetFrame what a Sheet draws into
   * @param {{mosaic: SheetFrame, path: string, query: () => ?PictureQuery, points: () => Point[], draw:
   *    DrawSheet, failed: SheetHost["failed"]}} options
   */
  constructor({ mosaic, path, query, points, draw, failed }) {
    this.mosaic = mosaic;
    this.path = path;
    this.query = query;
    this.points = points;
    this.draw = draw;
    this.failed = failed;
    new IntersectionObserver(
      ([entry]) => {
        this.visible = entry.isIntersecting;
        if (this.visible && this.stale) this.refresh();
      },
      { rootMargin: "200px" },
    ).observe(mosaic.element);
  }

  refresh() {
    this.stale = true;
    if (!this.visible || this.waiting) return;
    this.waiting = true;
    line = line.then(() => this.#load());
  }

  /** Show nothing until another model's sheet arrives. */
  clear() {
    Object.assign(this, { bitmap: null, drawn: "" });
    this.mosaic.draw(null);
    this.mosaic.lock(true);
  }

  /**
   * Show a provisional picture until the real sheet arrives.
   * @param {Drawable} bitmap
   * @param {boolean} pickable
   */
  standIn(bitmap, pickable) {
    if (this.drawn) return;
    this.mosaic.draw(bitmap);
    this.mosaic.lock(!pickable);
  }

  async #load() {
    this.waiting = false;
    this.stale = false;
    const query = this.query();
    const wanted = JSON.stringify(query);
    if (!query || wanted === this.drawn) return;
    try {
      const bitmap = await this.draw(this.path, query, this.points(), this.mosaic.columns);
      if (query.id !== this.query()?.id) return;
      Object.assign(this, { bitmap, drawn: wanted });
      this.mosaic.draw(bitmap);
      this.mosaic.lock(false);
      this.refresh(); // the query may have changed meanwhile
    } catch (thrown) {
      const error = refusal(thrown);
      if (error.offline) this.stale = true;
      // The query has changed, so this error is about another sheet.
      else if (JSON.stringify(this.query()) !== wanted) return void this.refresh();
      this.failed(error, query.id);
    }
  }
}
