// The seed of a point in words: what its box shows, what a picture is called, and the names of its files. A place that was found or walked to has none.
import { t } from "../core/i18n.js";

/**
 * Bring the box of a seed to where the point is: empty at a place of its own. What somebody is typing there stays.
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
 * What the picture of a point is called, for those who don't see it.
 * @param {Pick<Point, "seed" | "at">} point
 * @param {string} model
 */
export const described = ({ seed, at }, model) => (at ? t("explore.picture_own", { model }) : t("explore.picture", { seed, model }));

/**
 * The part of a file's name that tells the point: its seed, or the beginning of its z as addresses write it.
 * @param {Pick<Point, "seed" | "at">} point
 */
export const filed = ({ seed, at }) => (at ? `place-${at.slice(0, 8)}` : `seed-${seed}`);
