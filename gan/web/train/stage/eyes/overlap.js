// How much two histograms of logits overlap, and what that says of D. Pure functions.

/** Counts in the same bins. @typedef {number[]} Counts */

// Of the overlap that chance allows. Two bells overlap by .86, .63 and .25 of their area where 60, 75 and 95 %
// of their pairs are in order. These are the bounds of the verdicts in gan/worker/rules.json: "seen" is healthy
// up to .6 and D knows its images by heart from .75; "auc" is healthy up to .95.
const ALIKE = 0.86;
const APART = 0.63;
const FAR_APART = 0.25;
const FEW = 50; // held-out images that leave an answer uncertain

/** @param {Counts} counts */
const sum = (counts) => counts.reduce((total, count) => total + count, 0);

/**
 * The share of their area that two histograms have in common, if both have the area 1.
 * @param {Counts} a
 * @param {Counts} b
 */
export function overlap(a, b) {
  const [all, others] = [sum(a), sum(b)];
  return a.reduce((total, count, bin) => total + Math.min(count / all, b[bin] / others), 0);
}

/**
 * The overlap that two random samples of one distribution have on average, so many each. It is below 1: counts
 * scatter. The difference of two shares of a bin has the variance p (1 - p) (1/n + 1/m).
 * @param {Counts} a
 * @param {Counts} b
 */
export function byChance(a, b) {
  const [all, others] = [sum(a), sum(b)];
  const lost = a.reduce((total, count, bin) => {
    const share = (count + b[bin]) / (all + others);
    return total + Math.sqrt((share * (1 - share) * (1 / all + 1 / others)) / (2 * Math.PI));
  }, 0);
  return 1 - lost;
}

/**
 * What D's answers say. `heart`: does it know its images by heart? `tell`: does it tell held-out images from
 * fakes? Each is the key of a sentence.
 * @param {{trained: Counts, held_out: Counts, fakes: Counts}} seen
 */
export function judge({ trained, held_out: held, fakes }) {
  const [heart, tell] = [trained, fakes].map((other) => ({
    overlap: overlap(other, held),
    most: byChance(other, held),
  }));
  const [known, told] = [heart, tell].map((one) => one.overlap / one.most);
  return {
    few: sum(held) < FEW,
    heart: { ...heart, key: known >= ALIKE ? "unknown" : known >= APART ? "partly" : "known" },
    tell: { ...tell, key: told >= ALIKE ? "hardly" : told >= FAR_APART ? "many" : "nearly_all" },
  };
}

/**
 * The outline of a histogram as an SVG path, `bins` wide. The area is 1 for `top` = 1; y points down.
 * @param {Counts} counts
 * @param {number} top the share at the height 1
 */
export function outline(counts, top) {
  const all = sum(counts);
  const steps = counts.map((count, bin) => {
    const y = (1 - count / all / top).toFixed(4);
    return `L${bin} ${y}L${bin + 1} ${y}`;
  });
  return `M0 1${steps.join("")}L${counts.length} 1`;
}

/**
 * The largest share of a bin.
 * @param {Counts[]} histograms
 */
export const highest = (histograms) =>
  Math.max(...histograms.map((counts) => Math.max(...counts) / sum(counts)));

/**
 * The numbers of the tiles in an order: "sheet", "most" real first, or "least". Tiles without a number are last.
 * @param {(number | null)[]} tiles
 * @param {string} order
 */
export function ordered(tiles, order) {
  const places = tiles.map((_, place) => place);
  if (order === "sheet") return places;
  const sign = order === "most" ? -1 : 1;
  const value = (/** @type {number} */ place) => {
    const found = tiles[place];
    return found === null ? Infinity : sign * found;
  };
  return places.sort((a, b) => value(a) - value(b) || a - b);
}

/**
 * The tile in the middle, or null where no tile has a number.
 * @param {(number | null)[]} tiles
 */
export function median(tiles) {
  const sorted = tiles.filter((tile) => tile !== null).sort((a, b) => a - b);
  return sorted.length ? sorted[sorted.length >> 1] : null;
}
