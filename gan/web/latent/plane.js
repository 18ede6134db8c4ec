// The geometry of the map: which part of the unit square the screen shows, and which samples have room.

export const MOST_ZOOM = 64;
const COARSE = 18; // cells to a side of the whole map
const FINEST = 32; // the most times COARSE is multiplied; beyond it pictures grow with the map
const SPARSE = 4; // the zoom from which pictures with room around them grow
const LARGEST = 1 / 3; // side of such a picture, as a share of the canvas
const EDGE = 0.2; // `reveal` keeps a point this share of the canvas away from its edge

/** A sample in the grid. @typedef {{index: number, column: number, row: number}} Cell */

/**
 * The part of the unit square that a square canvas shows, enlarged `zoom` times around (x, y). It never
 * leaves the square.
 */
export class Plane {
  x = 0.5;
  y = 0.5;
  zoom = 1;

  reset() {
    Object.assign(this, { x: 0.5, y: 0.5, zoom: 1 });
  }

  /**
   * Enlarge `factor` times; the point at (u, v) of the canvas, 0 to 1, stays where it is.
   * @param {number} factor
   */
  scale(factor, u = 0.5, v = 0.5) {
    const zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor));
    const shift = 1 / this.zoom - 1 / zoom;
    Object.assign(this, { zoom, x: this.x + (u - 0.5) * shift, y: this.y + (v - 0.5) * shift });
    this.#keep();
  }

  /**
   * Move by parts of the canvas.
   * @param {number} du
   * @param {number} dv
   */
  pan(du, dv) {
    this.x -= du / this.zoom;
    this.y -= dv / this.zoom;
    this.#keep();
  }

  /**
   * Where a point of the square lies on the canvas, 0 to 1 within it.
   * @param {number} x
   * @param {number} y
   * @returns {Place}
   */
  toCanvas(x, y) {
    return [(x - this.x) * this.zoom + 0.5, (y - this.y) * this.zoom + 0.5];
  }

  /**
   * Pan just enough to show a point of the square.
   * @param {number} x
   * @param {number} y
   */
  reveal(x, y) {
    const out = (/** @type {number} */ part) => Math.max(0, EDGE - part) - Math.max(0, part - 1 + EDGE);
    const [u, v] = this.toCanvas(x, y);
    this.pan(out(u), out(v));
  }

  /**
   * @param {number} u
   * @param {number} v
   * @returns {Place}
   */
  toSquare(u, v) {
    return [(u - 0.5) / this.zoom + this.x, (v - 0.5) / this.zoom + this.y];
  }

  /**
   * Cells on a side of the whole square. They double with the zoom, so that pictures keep about their size.
   */
  get cells() {
    return COARSE * Math.min(FINEST, 2 ** Math.round(Math.log2(this.zoom)));
  }

  get finest() {
    return this.cells === COARSE * FINEST;
  }

  /** The largest width of a picture without neighbours, in cells. */
  get growth() {
    return Math.max(1, Math.min(this.zoom / SPARSE, (LARGEST * this.cells) / this.zoom));
  }

  #keep() {
    const room = 0.5 / this.zoom;
    this.x = Math.min(1 - room, Math.max(room, this.x));
    this.y = Math.min(1 - room, Math.max(room, this.y));
  }
}

/**
 * Choose at most one sample for each cell of the square: a Map of "column,row" to {index, column, row}.
 * `first` wins its cell; otherwise the lowest index wins. `wanted(index)` may leave samples out.
 * The grid belongs to the square, so panning does not change the choice.
 * @param {ArrayLike<number>} xs
 * @param {ArrayLike<number>} ys
 * @param {number} cells
 */
export function thinned(xs, ys, cells, wanted = (/** @type {number} */ _index) => true, first = -1) {
  /** @type {Map<string, Cell>} */
  const shown = new Map();
  const put = (/** @type {number} */ index) => {
    const [column, row] = [xs[index], ys[index]].map((place) =>
      Math.min(cells - 1, Math.floor(place * cells)),
    );
    const key = `${column},${row}`;
    if (!shown.has(key)) shown.set(key, { index, column, row });
  };
  if (first >= 0 && first < xs.length) put(first);
  for (let index = 0; index < xs.length; index += 1) if (wanted(index)) put(index);
  return shown;
}

/**
 * The nearest shown sample from (column, row) within 45 degrees of (dx, dy), or undefined.
 * @param {Map<string, Cell>} shown
 * @param {number} column
 * @param {number} row
 * @param {number} dx
 * @param {number} dy
 */
export function towards(shown, column, row, dx, dy) {
  /** @type {Cell | undefined} */
  let best;
  let least = Infinity;
  for (const cell of shown.values()) {
    const [x, y] = [cell.column - column, cell.row - row];
    const along = x * dx + y * dy;
    const across = Math.abs(x * dy) + Math.abs(y * dx);
    if (along <= 0 || across > along) continue;
    const distance = along + 2 * across;
    if (distance < least) [best, least] = [cell, distance];
  }
  return best;
}

/**
 * The width in cells, at most `most`, that a picture can have without touching another.
 * @param {Map<string, Cell>} shown
 * @param {Cell} cell
 * @param {number} most
 */
export function room(shown, { column, row }, most) {
  for (let away = 1; away < most; away += 1) {
    for (let side = -away; side <= away; side += 1) {
      const ring = [
        [side, -away],
        [side, away],
        [-away, side],
        [away, side],
      ];
      if (ring.some(([dx, dy]) => shown.has(`${column + dx},${row + dy}`))) return away;
    }
  }
  return most;
}

/**
 * The shown sample nearest to a point of the square, or undefined. The square has `cells` cells on a side.
 * @param {Map<string, Cell>} shown
 * @param {number} x
 * @param {number} y
 * @param {number} cells
 */
export function nearest(shown, x, y, cells) {
  /** @type {Cell | undefined} */
  let best;
  let least = Infinity;
  for (const cell of shown.values()) {
    const distance = Math.max(
      Math.abs((cell.column + 0.5) / cells - x),
      Math.abs((cell.row + 0.5) / cells - y),
    );
    if (distance < least) [best, least] = [cell, distance];
  }
  return best;
}
