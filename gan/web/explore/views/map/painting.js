// Paints the samples of the map onto its canvas.
import { room } from "../../../latent/plane.js";
import { fitted } from "../../../widgets/mosaic.js";

/** @typedef {import("../../../latent/plane.js").Cell} Cell */
/**
 * Coordinates lie in [0, 1]. While samples move, `goal` holds their new places.
 * @typedef {{count: number, side: number, labels: ?number[], xs: Float32Array, ys: Float32Array, goal?:
 *    Samples}} Samples
 */
/**
 * A picture on the canvas, in device pixels.
 * @typedef {{index: number, x: number, y: number, side: number}} DrawnSample
 */

const COLUMNS = 64; // of the sheet of pictures
/** Colour, distance in pixels and thickness of the two rims. @type {[string, number, number][]} */
const RIMS = [
  ["--surface", 3, 4],
  ["--accent", 2, 2.5],
];
const HUES = [
  "#e6550d",
  "#3182bd",
  "#31a354",
  "#c51b8a",
  "#b58900",
  "#17a2a2",
  "#7a5bd6",
  "#d62728",
  "#8c6d31",
  "#6b7280",
];

/**
 * The colour of a class.
 * @param {number} label
 * @param {number} count how many classes there are
 */
export const colour = (label, count) =>
  count <= HUES.length ? HUES[label] : `hsl(${Math.round((360 * label) / count)} 65% 50%)`;

/**
 * Paint the samples that have a cell. Returns where each picture lies.
 * @param {CanvasRenderingContext2D} pen
 * @param {{plane: import("../../../latent/plane.js").Plane, samples: Samples, sheet: ImageBitmap, shown:
 *    Map<string, Cell>, here: number, classes: number}} map
 *   `here` is the index of the sample that gets the rims, -1 for none
 */
export function paint(pen, { plane, samples, sheet, shown, here, classes }) {
  const { canvas } = pen;
  const { width } = canvas;
  const { cells, growth } = plane;
  const cell = (width * plane.zoom) / cells;
  const rim = samples.labels ? Math.max(1, Math.round(cell / 14)) : 0;
  pen.imageSmoothingQuality = "high";
  /** @type {DrawnSample[]} */
  const drawn = [];
  /** @type {DrawnSample | undefined} */
  let marked;
  for (const place of shown.values()) {
    const { index, column, row } = place;
    const middle = plane.toCanvas((column + 0.5) / cells, (row + 0.5) / cells);
    const reach = (growth * cell) / width;
    if (middle.some((part) => part < -reach || part > 1 + reach)) continue;
    const wide = cell * Math.min(growth, room(shown, place, Math.ceil(growth)));
    const side = fitted(wide - 2 * rim - devicePixelRatio, samples.side);
    const [x, y] = middle.map((part) => Math.round(part * width - side / 2));
    pen.imageSmoothingEnabled = side < 2 * samples.side && side % samples.side !== 0;
    drawn.push({ index, x, y, side });
    if (samples.labels) {
      pen.fillStyle = colour(samples.labels[index], classes);
      pen.fillRect(x - rim, y - rim, side + 2 * rim, side + 2 * rim);
    }
    pen.drawImage(
      sheet,
      (index % COLUMNS) * samples.side,
      Math.floor(index / COLUMNS) * samples.side,
      samples.side,
      samples.side,
      x,
      y,
      side,
      side,
    );
    if (index === here) marked = drawn.at(-1);
  }
  if (marked) mark(pen, marked, rim);
  return drawn;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {DrawnSample} drawn
 * @param {number} rim width of the rim in the colour of the class
 */
function mark(pen, { x, y, side }, rim) {
  const style = getComputedStyle(pen.canvas);
  for (const [name, away, thick] of RIMS) {
    const out = rim + away * devicePixelRatio;
    Object.assign(pen, { strokeStyle: style.getPropertyValue(name), lineWidth: thick * devicePixelRatio });
    pen.strokeRect(x - out, y - out, side + 2 * out, side + 2 * out);
  }
}
