// One picture of a sheet with COLUMNS pictures in a row, as an element of any size.
import { h } from "../../../core/dom.js";

export const COLUMNS = 8;

/**
 * The style that shows one picture of a sheet.
 * @param {number} place row by row
 * @param {number} rows
 */
export function styleOf(place, rows) {
  const at = (/** @type {number} */ index, /** @type {number} */ count) =>
    `${count > 1 ? (100 * index) / (count - 1) : 0}%`;
  const [column, row] = [place % COLUMNS, Math.floor(place / COLUMNS)];
  return `background-size: ${100 * COLUMNS}% ${100 * rows}%; background-position: ${at(column, COLUMNS)} ${at(row, rows)};`;
}

/**
 * @param {string} sheet its address
 * @param {number} place
 * @param {number} rows
 */
export const cell = (sheet, place, rows) =>
  h("i", { class: "tr-cell", style: `${styleOf(place, rows)} background-image: url("${sheet}")` });

/** @param {string} base64 */
export const webp = (base64) => `data:image/webp;base64,${base64}`;
