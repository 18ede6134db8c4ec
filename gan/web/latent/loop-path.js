// The loop through key frames. This is the twin of gan/latent/loop.py, so a loop plays here before the server
// saves it.
import { overrides, read16, written16 } from "./encoding.js";
import { unmoved } from "./point.js";
import { slerp } from "./sampling.js";

export const MOST_KEYS = 24;
export const MOST_STEPS = 120; // frames from one key to the next
export const MOST_FRAMES = 600;
export const MOST_FPS = 30;

/**
 * The change that moves a point to a key.
 * @param {KeyFrame} key
 */
export function standing({ at, label, other, share, u }) {
  return { ...unmoved(), at, psi: 1, label, label2: share > 0 ? other : null, mix: share, u };
}

/**
 * The number of units that all keys change together. A frame between two keys may change the units of both.
 * @param {KeyFrame[]} keys
 */
export const unitsOf = (keys) => new Set(keys.flatMap(({ u }) => Object.keys(u))).size;

/**
 * A key as text for the server.
 * @param {KeyFrame} key
 */
export function keyText({ at, label, other, share, u }) {
  return [at, label ?? "", ...(share > 0 ? [other, share] : ["", ""]), overrides(u)]
    .join(",")
    .replace(/,+$/, "");
}

/**
 * A frame of the loop through `keys`, in the form of a key. `steps` frames lie from each key to the next.
 * @param {KeyFrame[]} keys
 * @param {number} steps
 * @param {number} frame
 * @param {number} size
 */
export function frameOf(keys, steps, frame, size) {
  const place = Math.floor(frame / steps);
  const [from, to] = [keys[place], keys[(place + 1) % keys.length]];
  const part = (frame % steps) / steps;
  return {
    at: written16(slerp(read16(from.at, size), read16(to.at, size), part)),
    ...between(from, to, part),
    u: unitsBetween(from.u, to.u, part),
  };
}

/**
 * Interpolate unit factors at `part` in [0, 1]. Factors change linearly; a unit that a key does not name has
 * factor 1.
 * @param {Record<string, number>} a
 * @param {Record<string, number>} b
 * @param {number} part
 */
function unitsBetween(a, b, part) {
  const factors = Object.keys({ ...a, ...b }).map((unit) => [
    unit,
    (1 - part) * (a[unit] ?? 1) + part * (b[unit] ?? 1),
  ]);
  return Object.fromEntries(factors.filter(([, factor]) => factor !== 1));
}

/**
 * The class with the larger share.
 * @param {ClassMix} mix
 */
const main = ({ label, other, share }) => (share < 0.5 ? label : other);

/**
 * Interpolate the classes of two keys at `part` in [0, 1], without a jump; gan/latent/loop.py says how.
 * @param {ClassMix} a
 * @param {ClassMix} b
 * @param {number} part
 */
export function between(a, b, part) {
  /**
   * Legs of the walk: a class, another one, and the other's share at both ends.
   * @type {[?number, ?number, number, number][]}
   */
  const legs = [];
  const rest = { label: main(a), other: main(a), share: 0 };
  if (a.label === null) return rest;
  if (a.label === b.label && a.other === b.other) legs.push([a.label, a.other, a.share, b.share]);
  else {
    if (a.share > 0 && a.share < 1) legs.push([a.label, a.other, a.share, a.share < 0.5 ? 0 : 1]);
    if (main(a) !== main(b)) legs.push([main(a), main(b), 0, 1]);
    if (b.share > 0 && b.share < 1) legs.push([b.label, b.other, b.share < 0.5 ? 0 : 1, b.share]);
  }
  if (!legs.length) return rest;
  const place = Math.min(Math.floor(part * legs.length), legs.length - 1);
  const [label, other, start, end] = legs[place];
  return { label, other, share: start + (part * legs.length - place) * (end - start) };
}
