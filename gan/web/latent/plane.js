// The geometry of the map: what part of the unit square is on the screen, and which samples have room there.

export const MOST_ZOOM = 64;
const COARSE = 18; // cells to a side of the whole map
const FINEST = 32; // times as many at most: from there on pictures grow with the map instead
const SPARSE = 4; // times enlarged: from there on pictures with room around them grow too
const LARGEST = 1 / 3; // of the canvas: the side of such a picture
const EDGE = 0.2; // of the canvas: what is kept in sight has its middle at least so far within

/** The part of the unit square that a square canvas shows: `zoom` times enlarged, with (x, y) in its middle. It never leaves the square. */
export class Plane {
  x = 0.5;
  y = 0.5;
  zoom = 1;

  reset() {
    Object.assign(this, { x: 0.5, y: 0.5, zoom: 1 });
  }

  /** Enlarge `factor` times; the point at (u, v) of the canvas, 0 to 1, stays where it is. */
  scale(factor, u = 0.5, v = 0.5) {
    const zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor));
    const shift = 1 / this.zoom - 1 / zoom;
    Object.assign(this, { zoom, x: this.x + (u - 0.5) * shift, y: this.y + (v - 0.5) * shift });
    this.#keep();
  }

  /** Move by parts of the canvas. */
  pan(du, dv) {
    this.x -= du / this.zoom;
    this.y -= dv / this.zoom;
    this.#keep();
  }

  /** Where a point of the square lies on the canvas, 0 to 1 within it. */
  toCanvas(x, y) {
    return [(x - this.x) * this.zoom + 0.5, (y - this.y) * this.zoom + 0.5];
  }

  /** Bring a point of the square into sight, by no more than it takes. */
  reveal(x, y) {
    const out = (part) => Math.max(0, EDGE - part) - Math.max(0, part - 1 + EDGE);
    this.pan(...this.toCanvas(x, y).map(out));
  }

  toSquare(u, v) {
    return [(u - 0.5) / this.zoom + this.x, (v - 0.5) / this.zoom + this.y];
  }

  /** How many cells there are to a side of the whole square: twice as many at each doubling of the zoom, so that pictures keep about their size. */
  get cells() {
    return COARSE * Math.min(FINEST, 2 ** Math.round(Math.log2(this.zoom)));
  }

  get finest() {
    return this.cells === COARSE * FINEST;
  }

  /** How many cells wide a picture may be drawn where nothing else is around it. */
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
 * The samples that are shown: at most one to a cell of the square, the first of those in it (`first` before all), as Map of "column,row" to
 * {index, column, row}. The grid belongs to the square, so that moving about changes nothing. `wanted(index)` may leave samples out.
 */
export function thinned(xs, ys, cells, wanted = (_index) => true, first = -1) {
  const shown = new Map();
  const put = (index) => {
    const [column, row] = [xs[index], ys[index]].map((place) => Math.min(cells - 1, Math.floor(place * cells)));
    const key = `${column},${row}`;
    if (!shown.has(key)) shown.set(key, { index, column, row });
  };
  if (first >= 0 && first < xs.length) put(first);
  for (let index = 0; index < xs.length; index += 1) if (wanted(index)) put(index);
  return shown;
}

/** The shown sample that is nearest to one at (column, row) towards (dx, dy), within 45 degrees of that; undefined where there is none. */
export function towards(shown, column, row, dx, dy) {
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

/** How many cells, at most `most`, a picture may be wide without touching others: as many as lie between its cell and the nearest that is taken. */
export function room(shown, { column, row }, most) {
  for (let away = 1; away < most; away += 1) {
    for (let side = -away; side <= away; side += 1) {
      const ring = [[side, -away], [side, away], [-away, side], [away, side]];
      if (ring.some(([dx, dy]) => shown.has(`${column + dx},${row + dy}`))) return away;
    }
  }
  return most;
}

/** The shown sample that is nearest to a point of the square, which has so many `cells` to a side; undefined where there is none. */
export function nearest(shown, x, y, cells) {
  let best;
  let least = Infinity;
  for (const cell of shown.values()) {
    const distance = Math.max(Math.abs((cell.column + 0.5) / cells - x), Math.abs((cell.row + 0.5) / cells - y));
    if (distance < least) [best, least] = [cell, distance];
  }
  return best;
}
