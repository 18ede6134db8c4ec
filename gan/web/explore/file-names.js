// A point's seed in words: in its box, in the picture's label, and in file names. A point with a z of its own
// has no seed.
import { t } from "../core/i18n.js";

/**
 * Show a point's seed in its box. The box is empty for a z of its own, and keeps a number that the reader is
 * typing.
 * @param {HTMLInputElement} box
 * @param {Pick<Point, "seed" | "at">} point
 */
export function showSeed(box, { seed, at }) {
  box.placeholder = at ? t("explore.own_place") : "";
  box.title = at ? t("explore.own_place_hint") : "";
  if (document.activeElement === box && box.valueAsNumber === seed) return;
  box.value = at ? "" : String(seed);
}

/**
 * The accessible name of a point's picture.
 * @param {Pick<Point, "seed" | "at">} point
 * @param {string} model
 */
export const described = ({ seed, at }, model) =>
  at ? t("explore.picture_own", { model }) : t("explore.picture", { seed, model });

/**
 * The part of a file name that identifies the point: its seed, or the first letters of its z as text.
 * @param {Pick<Point, "seed" | "at">} point
 */
export const filed = ({ seed, at }) => (at ? `place-${at.slice(0, 8)}` : `seed-${seed}`);
