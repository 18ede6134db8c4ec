// The arithmetic of the charts: smoothing, ranges, ticks, means over seeds. Pure functions.

/** @typedef {(number | null)[]} Values */
/** Points of a curve: places ascending, and a value or null at each. @typedef {{x: number[], y: Values}} Curve */
/** @typedef {[low: number, high: number]} Span */

const CUT = 0.02; // of the visible points, at each end
const GRID = 400; // places at which runs that differ in their seed are averaged

/**
 * The exponential mean of the past, as TensorBoard draws it: the sum of the weights so far divides it, so that
 * it does not start at 0. null stays null, and does not count.
 * @param {Values} values
 * @param {number} weight of the past, 0 to .99
 * @returns {Values}
 */
export function smoothed(values, weight) {
  let sum = 0;
  let rest = 1; // weight ** count
  return values.map((value) => {
    if (value === null) return null;
    sum = sum * weight + (1 - weight) * value;
    rest *= weight;
    return sum / (1 - rest);
  });
}

/**
 * The statistics that all runs have, in the order of the first.
 * @param {Record<string, Values>[]} runs
 * @returns {{shared: string[], others: string[]}}
 */
export function sharedOf(runs) {
  const drawn = runs.map((values) =>
    Object.keys(values).filter((name) => values[name].some((value) => value !== null)),
  );
  const all = [...new Set(drawn.flat())];
  const inAll = (/** @type {string} */ name) => drawn.every((names) => names.includes(name));
  return { shared: all.filter(inAll), others: all.filter((name) => !inAll(name)) };
}

/**
 * The index of the first place that is not before `at`.
 * @param {number[]} x ascending
 * @param {number} at
 */
export function indexAt(x, at) {
  let [low, high] = [0, x.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The index of the place nearest to `at`; -1 without any.
 * @param {number[]} x ascending
 * @param {number} at
 */
export function nearest(x, at) {
  const after = indexAt(x, at);
  if (after === 0) return x.length ? 0 : -1;
  if (after === x.length) return x.length - 1;
  return at - x[after - 1] <= x[after] - at ? after - 1 : after;
}

/**
 * What a row has on one axis at a place of another, between its points. Outside them it is the end's.
 * @param {number[]} from ascending
 * @param {number[]} to
 * @param {number} at
 */
export function converted(from, to, at) {
  const after = indexAt(from, at);
  if (!to.length) return 0;
  if (after === 0) return to[0];
  if (after >= from.length) return to[to.length - 1];
  const part = (at - from[after - 1]) / (from[after] - from[after - 1] || 1);
  return to[after - 1] + part * (to[after] - to[after - 1]);
}

/**
 * The range of y: from 2 to 98 % of the visible points of all curves, with some room. On a log axis only
 * positive values count, and the range is that of their logarithms. null if nothing is visible.
 * @param {Curve[]} curves
 * @param {Span} span of x
 * @param {boolean} log
 * @returns {?Span}
 */
export function heightOf(curves, [left, right], log) {
  /** @type {number[]} */
  const seen = [];
  for (const { x, y } of curves) {
    for (let index = indexAt(x, left); index < x.length && x[index] <= right; index++) {
      const value = y[index];
      if (value !== null && (!log || value > 0)) seen.push(log ? Math.log10(value) : value);
    }
  }
  if (!seen.length) return null;
  seen.sort((a, b) => a - b);
  const cut = Math.floor(seen.length * CUT);
  const [low, high] = [seen[cut], seen[seen.length - 1 - cut]];
  const room = 0.06 * (high - low || Math.abs(high) || 1);
  return [low - room, high + room];
}

/**
 * Round numbers in a range, about `count` of them.
 * @param {Span} span
 * @param {number} count
 * @returns {{ticks: number[], least: number}} `least` is their distance
 */
export function ticksOf([low, high], count) {
  const rough = (high - low || 1) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((one) => one * power >= rough) ?? 10);
  const ticks = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n++) ticks.push(n * step + 0); // + 0: without a -0
  return { ticks, least: step };
}

/**
 * Ticks of a log axis: powers of ten, with 2 and 5 times them where the range has few.
 * @param {Span} span of the logarithms
 * @returns {number[]} the values
 */
export function logTicksOf([low, high]) {
  const parts = high - low > 3 ? [1] : [1, 2, 5];
  const ticks = [];
  const every = Math.max(1, Math.ceil((high - low) / 8));
  for (let power = Math.floor(low); power <= Math.ceil(high); power++)
    if (power % every === 0)
      for (const part of parts) {
        const place = Math.log10(part) + power;
        if (place >= low && place <= high) ticks.push(part * 10 ** power);
      }
  // A part of a decade has the round numbers of a linear axis.
  return ticks.length > 2 ? ticks : ticksOf([10 ** low, 10 ** high], 4).ticks;
}

/**
 * A value between the points of a curve, which skips its gaps; null outside them.
 * @param {Curve} curve without gaps
 * @param {number} at
 */
function between({ x, y }, at) {
  if (!x.length || at < x[0] || at > x[x.length - 1]) return null;
  return converted(x, /** @type {number[]} */ (y), at);
}

/** @param {Curve} curve @returns {Curve} */
function whole({ x, y }) {
  const kept = x.map((_, index) => index).filter((index) => y[index] !== null);
  return { x: kept.map((index) => x[index]), y: kept.map((index) => y[index]) };
}

/**
 * Mean, lowest and highest of several curves where all of them have values.
 * @param {Curve[]} curves
 * @returns {{x: number[], mean: Values, low: Values, high: Values}}
 */
export function meanOf(curves) {
  const full = curves.map(whole).filter(({ x }) => x.length);
  const from = Math.max(...full.map(({ x }) => x[0]));
  const to = Math.min(...full.map(({ x }) => x[x.length - 1]));
  if (full.length < curves.length || !(from <= to)) return { x: [], mean: [], low: [], high: [] };
  const most = Math.min(GRID, Math.max(...full.map(({ x }) => x.length)));
  const x = Array.from({ length: most }, (_, index) => from + ((to - from) * index) / Math.max(1, most - 1));
  const rows = x.map((at) => full.map((curve) => between(curve, at) ?? 0));
  return {
    x,
    mean: rows.map((row) => row.reduce((sum, value) => sum + value, 0) / row.length),
    low: rows.map((row) => Math.min(...row)),
    high: rows.map((row) => Math.max(...row)),
  };
}

/**
 * Runs that differ at most in the seed, together, in their order. `data_id` tells pictures of one name apart.
 * Runs of which something was changed while they trained belong together if it was the same at the same step.
 * @template {{config: ?object, data_id?: number, changes?: object[]}} Run
 * @param {Run[]} runs
 * @returns {Run[][]}
 */
export function groupedBySeed(runs) {
  /** @type {Map<unknown, Run[]>} */
  const groups = new Map();
  for (const run of runs) {
    const key = run.config
      ? JSON.stringify([
          Object.entries({ ...run.config, seed: 0, data_id: run.data_id }).sort(),
          run.changes ?? [],
        ])
      : run;
    const group = groups.get(key);
    if (group) group.push(run);
    else groups.set(key, [run]);
  }
  return [...groups.values()];
}

/**
 * The settings in which runs differ: [name, value of each run], where null is a setting that a run lacks.
 * @param {Record<string, unknown>[]} configs
 * @returns {[name: string, values: unknown[]][]}
 */
export function differing(configs) {
  const names = [...new Set(configs.flatMap((config) => Object.keys(config)))];
  return names
    .map((name) => /** @type {[string, unknown[]]} */ ([name, configs.map((config) => config[name] ?? null)]))
    .filter(([, values]) => new Set(values.map((value) => JSON.stringify(value))).size > 1);
}

/**
 * The step with a grid that is nearest to a step; null without grids.
 * @param {number[]} steps ascending
 * @param {number} step
 */
export const gridAt = (steps, step) => steps[nearest(steps, step)] ?? null;
