// The Compare tab without a page: smoothing, ranges, means over seeds, and its state in the address.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  converted,
  differing,
  gridAt,
  groupedBySeed,
  heightOf,
  indexAt,
  logTicksOf,
  meanOf,
  nearest,
  sharedOf,
  smoothed,
  ticksOf,
} from "../../gan/web/compare/curves.js";
import { addressed, MOST_RUNS, parsed, usual, write } from "../../gan/web/compare/state.js";
import { near } from "./support.js";

const numbers = (/** @type {(number | null)[]} */ values) => values.map((value) => value ?? NaN);
const hash = (/** @type {string} */ text) => new URLSearchParams(text);

test("smoothing is TensorBoard's: the mean of the past, divided by the sum of its weights", () => {
  // By hand, with weight .5: 4; (.5*2 + .25*4) ... over 1 - .5^n.
  near(numbers(smoothed([4, 8, 0], 0.5)), [4, (1 + 4) / 0.75, (0.5 + 2) / 0.875]);
  assert.deepEqual(smoothed([1, 5, -2], 0), [1, 5, -2]);
  near(numbers(smoothed(Array(500).fill(3), 0.99)), Array(500).fill(3), 1e-9);
});

test("a gap stays a gap, and does not count", () => {
  const found = smoothed([4, null, 8], 0.5);
  assert.equal(found[1], null);
  near([found[0] ?? 0, found[2] ?? 0], [4, 5 / 0.75]);
});

test("only statistics that all runs have are shared", () => {
  const images = { loss_d: [1], pair: [0.5], modes: [null] };
  const points = { loss_d: [1], modes: [7], pair: [0.4] };
  assert.deepEqual(sharedOf([images, points]), { shared: ["loss_d", "pair"], others: ["modes"] });
  assert.deepEqual(sharedOf([points]).shared, ["loss_d", "modes", "pair"]);
  assert.deepEqual(sharedOf([]), { shared: [], others: [] });
});

test("places are found, also outside", () => {
  const x = [1, 2, 4, 8];
  assert.deepEqual(
    [0, 1, 3, 8, 9].map((at) => indexAt(x, at)),
    [0, 0, 2, 3, 4],
  );
  assert.deepEqual(
    [0, 2.9, 3.1, 100].map((at) => nearest(x, at)),
    [0, 1, 2, 3],
  );
  assert.equal(nearest([], 1), -1);
  assert.deepEqual(
    [0, 3, 8, 9].map((at) => converted(x, [10, 20, 40, 80], at)),
    [10, 30, 80, 80],
  );
});

test("the height is that of 96 of 100 visible points", () => {
  const y = Array.from({ length: 100 }, (_, index) => index);
  const x = y.map((value) => value);
  [y[50], y[51]] = [1e6, -1e6];
  const [low, high] = heightOf([{ x, y }], [0, 99], false) ?? [0, 0];
  assert.ok(low > -10 && low <= 1 && high < 110 && high >= 98);
  const [, all] = heightOf([{ x, y }], [45, 55], false) ?? [0, 0];
  assert.ok(all > 1e6, "a zoom into few points shows a spike whole");
  assert.equal(heightOf([{ x, y }], [200, 300], false), null);
});

test("a log axis counts positive values alone", () => {
  const curve = { x: [0, 1, 2], y: [-5, 1, 100] };
  const [low, high] = heightOf([curve], [0, 2], true) ?? [0, 0];
  near([low, high], [-0.12, 2.12], 1e-9);
  assert.equal(heightOf([{ x: [0], y: [0] }], [0, 1], true), null);
});

test("a flat line has a height", () => {
  const [low, high] = heightOf([{ x: [0, 1], y: [0, 0] }], [0, 1], false) ?? [0, 0];
  assert.ok(low < 0 && high > 0);
});

test("ticks are round", () => {
  assert.deepEqual(ticksOf([0, 1], 4), { ticks: [0, 0.5, 1], least: 0.5 });
  assert.deepEqual(ticksOf([-130, 260], 4).ticks, [-100, 0, 100, 200]);
  assert.deepEqual(logTicksOf([-1, 1]), [0.1, 0.2, 0.5, 1, 2, 5, 10]);
  assert.ok(logTicksOf([-20, 20]).length < 12);
  near(logTicksOf([Math.log10(0.4), Math.log10(0.75)]), [0.4, 0.5, 0.6, 0.7], 1e-9);
});

test("several seeds become their mean, lowest and highest where all have values", () => {
  const { x, mean, low, high } = meanOf([
    { x: [0, 2, 4], y: [0, 2, 4] },
    { x: [1, 2, 3, 5], y: [3, null, 5, 7] },
  ]);
  near(x, [1, 2.5, 4]);
  near(numbers(mean), [2, 3.5, 5]);
  near(numbers(low), [1, 2.5, 4]);
  near(numbers(high), [3, 4.5, 6]);
  assert.deepEqual(
    meanOf([
      { x: [0], y: [1] },
      { x: [], y: [] },
    ]).x,
    [],
  );
  assert.deepEqual(
    meanOf([
      { x: [0, 1], y: [1, 1] },
      { x: [2, 3], y: [1, 1] },
    ]).x,
    [],
    "without a common part",
  );
});

test("runs that differ in the seed alone are one group", () => {
  const run = (/** @type {object | null} */ config, data_id = 0) => ({ config, data_id });
  const runs = [
    run({ lr: 1, seed: 0 }),
    run({ lr: 2, seed: 0 }),
    run({ seed: 5, lr: 1 }),
    run(null),
    run(null),
    run({ lr: 1, seed: 9 }, 1), // other pictures of the same name
  ];
  assert.deepEqual(
    groupedBySeed(runs).map((group) => group.map((one) => runs.indexOf(one))),
    [[0, 2], [1], [3], [4], [5]],
  );
});

test("a run that was changed while it trained is no seed of one that was not", () => {
  const run = (/** @type {number} */ seed, /** @type {object[]} */ ...changes) => ({
    config: { lr: 1, seed },
    data_id: 0,
    changes,
  });
  const doubled = { step: 9, name: "gamma", factor: 2 };
  const runs = [run(0), run(1, doubled), run(2), run(3, doubled), run(4, { ...doubled, step: 10 })];
  assert.deepEqual(
    groupedBySeed(runs).map((group) => group.map((one) => runs.indexOf(one))),
    [[0, 2], [1, 3], [4]],
  );
});

test("only settings that differ are named", () => {
  assert.deepEqual(
    differing([
      { lr: 1, batch: 8 },
      { lr: 2, batch: 8, size: 28 },
    ]),
    [
      ["lr", [1, 2]],
      ["size", [null, 28]],
    ],
  );
  assert.deepEqual(differing([{ lr: 1 }]), []);
});

test("the nearest grid", () => {
  assert.equal(gridAt([1, 10, 100], 40), 10);
  assert.equal(gridAt([], 40), null);
});

test("the state survives the address", () => {
  const state = {
    runs: ["a-1", "b"],
    axis: /** @type {const} */ ("seconds"),
    smooth: 0.25,
    log: true,
    mean: true,
  };
  const text = hash("tab=compare&seed=7");
  write(state, text);
  assert.deepEqual(parsed(text), { state, wrong: [], faults: [] });
  assert.equal(text.get("seed"), "7", "what belongs to others stays");
  write(usual(), text);
  assert.equal(text.toString(), "tab=compare&seed=7");
  assert.ok(!addressed(text) && addressed(hash("log=1")));
});

test("what an address can't mean is named", () => {
  const { state, wrong, faults } = parsed(hash("compare=a,a,<b>&by=hours&smooth=7&log=yes"));
  assert.deepEqual(state, { ...usual(), runs: ["a"], smooth: 0.99 });
  assert.deepEqual(wrong, ["<b>"]);
  assert.deepEqual(
    faults.map(({ key, values }) => [key, values.name]),
    [
      ["compare.bad_value", "by"],
      ["compare.bad_value", "smooth"],
      ["compare.bad_value", "log"],
    ],
  );
  for (const text of ["smooth=", "smooth=x", "smooth=NaN", "smooth=Infinity"])
    assert.deepEqual([parsed(hash(text)).state.smooth, parsed(hash(text)).faults.length], [0.6, 1], text);
  const many = Array.from({ length: 15 }, (_, index) => `r${index}`).join(",");
  assert.equal(parsed(hash(`compare=${many}`)).state.runs.length, MOST_RUNS);
  assert.equal(parsed(hash(`compare=${many}`)).faults[0].key, "compare.most");
});
