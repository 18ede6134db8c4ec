// What D's histograms say, without a page: overlaps, what chance allows, the sentences, and the order of tiles.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  byChance,
  highest,
  judge,
  median,
  ordered,
  outline,
  overlap,
} from "../../gan/web/train/stage/eyes/overlap.js";
import { near } from "./support.js";

/** Shares of a bell in 24 bins from -4 to 4, times `count`. */
const bell = (/** @type {number} */ middle, count = 256) => {
  const heights = Array.from({ length: 24 }, (_, bin) =>
    Math.exp(-((-4 + (bin + 0.5) / 3 - middle) ** 2) / 2),
  );
  const all = heights.reduce((a, b) => a + b);
  return heights.map((height) => Math.round((count * height) / all));
};

test("the overlap is the area that both have in common, whatever their numbers", () => {
  assert.equal(overlap([1, 1, 0, 0], [0, 0, 3, 3]), 0);
  near([overlap([2, 2, 0], [0, 30, 30])], [0.5]);
  near([overlap([1, 3], [10, 30])], [1]);
});

test("two bells overlap by the area that is known", () => {
  // 2 Φ(-1/2) and 2 Φ(-1): bells whose middles are 1 and 2 standard deviations apart.
  near([overlap(bell(0, 1e6), bell(1, 1e6)), overlap(bell(-1, 1e6), bell(1, 1e6))], [0.617, 0.317], 0.01);
});

test("chance allows what random samples of one distribution show on average", () => {
  let state = 1;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const drawn = (/** @type {number} */ count) => {
    const counts = [0, 0, 0, 0, 0, 0];
    for (let index = 0; index < count; index += 1) counts[Math.floor(6 * random())] += 1;
    return counts;
  };
  for (const [n, m] of [
    [256, 256],
    [256, 40],
  ]) {
    const pairs = Array.from({ length: 400 }, () => [drawn(n), drawn(m)]);
    const mean = pairs.reduce((total, [a, b]) => total + overlap(a, b), 0) / pairs.length;
    near([byChance(drawn(n), drawn(m))], [mean], 0.01);
  }
});

test("a D that rates held-out images like its own does not know them by heart", () => {
  const said = judge({ trained: bell(0), held_out: bell(0), fakes: bell(-0.1) });
  assert.deepEqual([said.heart.key, said.tell.key, said.few], ["unknown", "hardly", false]);
});

test("the bounds are those of the verdicts", () => {
  // Of two bells d apart, a share Φ(d / √2) of the pairs is in order: .58 and .62, .74 and .77, .94 and .97.
  const heart = (/** @type {number} */ d) =>
    judge({ trained: bell(0, 1e6), held_out: bell(-d, 1e6), fakes: bell(-2) }).heart.key;
  assert.deepEqual([0.28, 0.44, 0.9, 1.05].map(heart), ["unknown", "partly", "partly", "known"]);
  const tell = (/** @type {number} */ d) =>
    judge({ trained: bell(0), held_out: bell(0.5 * d, 1e6), fakes: bell(-0.5 * d, 1e6) }).tell.key;
  assert.deepEqual([0.28, 0.5, 2.2, 2.6].map(tell), ["hardly", "many", "many", "nearly_all"]);
});

test("with few held-out images the answers are uncertain", () => {
  assert.equal(judge({ trained: bell(0), held_out: bell(0, 30), fakes: bell(0) }).few, true);
});

test("an outline has the height of each bin, and the same area for every histogram", () => {
  assert.equal(outline([1, 3], 1), "M0 1L0 0.7500L1 0.7500L1 0.2500L2 0.2500L2 1");
  assert.equal(outline([10, 30], 1), outline([1, 3], 1));
  near(
    [
      highest([
        [1, 3],
        [8, 2],
      ]),
    ],
    [0.8],
  );
});

test("tiles are sorted both ways, and those without a number are last", () => {
  const tiles = [30, null, 90, 0, 30];
  assert.deepEqual(ordered(tiles, "sheet"), [0, 1, 2, 3, 4]);
  assert.deepEqual(ordered(tiles, "most"), [2, 0, 4, 3, 1]);
  assert.deepEqual(ordered(tiles, "least"), [3, 0, 4, 2, 1]);
});

test("the tile in the middle", () => {
  assert.equal(median([30, null, 90, 0]), 30);
  assert.equal(median([null]), null);
});
