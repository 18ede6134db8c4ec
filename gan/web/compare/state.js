// What the Compare tab shows, as text in the address. The names do not meet those of a point.

/** @typedef {"images" | "step" | "seconds"} Axis */
/**
 * `smooth` is the weight of the past, from 0 to MOST_SMOOTH; `mean` draws runs that differ only in the seed as
 * one.
 * @typedef {{runs: string[], axis: Axis, smooth: number, log: boolean, mean: boolean}} State
 */
/** Something in the address that can't be shown: the key of its sentence. @typedef {{key: string, values: Values}} Fault */

export const MOST_RUNS = 12;
export const MOST_SMOOTH = 0.99;
/** @type {Axis[]} */
export const AXES = ["images", "step", "seconds"];
const NAMES = { runs: "compare", axis: "by", smooth: "smooth", log: "log", mean: "mean" };
const ID = /^[a-z0-9][a-z0-9-]{0,99}$/; // as in gan/runs/store.py

/** @returns {State} */
export const usual = () => ({ runs: [], axis: "images", smooth: 0.6, log: false, mean: false });

/**
 * Whether the address says what to show.
 * @param {URLSearchParams} hash
 */
export const addressed = (hash) => Object.values(NAMES).some((name) => hash.has(name));

/**
 * The state in the address, and what of it can't be shown.
 * @param {URLSearchParams} hash
 * @returns {{state: State, wrong: string[], faults: Fault[]}} `wrong` are names that no run has
 */
export function parsed(hash) {
  const state = usual();
  /** @type {Fault[]} */
  const faults = [];
  const named = [...new Set((hash.get(NAMES.runs) ?? "").split(",").filter(Boolean))];
  const wrong = named.filter((id) => !ID.test(id));
  const runs = named.filter((id) => ID.test(id));
  state.runs = runs.slice(0, MOST_RUNS);
  if (runs.length > MOST_RUNS) faults.push({ key: "compare.most", values: { most: MOST_RUNS } });
  const axis = hash.get(NAMES.axis);
  const known = AXES.find((one) => one === axis);
  if (known) state.axis = known;
  else if (axis !== null)
    faults.push({ key: "compare.bad_value", values: { name: NAMES.axis, value: shortened([axis]) } });
  const smooth = hash.get(NAMES.smooth);
  if (smooth !== null) {
    const value = smooth.trim() ? Number(smooth) : NaN;
    if (Number.isFinite(value)) state.smooth = Math.min(MOST_SMOOTH, Math.max(0, value));
    if (state.smooth !== value)
      faults.push({ key: "compare.bad_value", values: { name: NAMES.smooth, value: shortened([smooth]) } });
  }
  for (const name of /** @type {const} */ (["log", "mean"])) {
    const value = hash.get(NAMES[name]);
    state[name] = value === "1";
    if (value !== null && value !== "0" && value !== "1")
      faults.push({ key: "compare.bad_value", values: { name: NAMES[name], value: shortened([value]) } });
  }
  return { state, wrong, faults };
}

/**
 * Write the state into the hash; values that are usual are left out.
 * @param {State} state
 * @param {URLSearchParams} hash
 */
export function write(state, hash) {
  const before = usual();
  const texts = {
    runs: state.runs.join(","),
    axis: state.axis === before.axis ? "" : state.axis,
    smooth: state.smooth === before.smooth ? "" : String(state.smooth),
    log: state.log ? "1" : "",
    mean: state.mean ? "1" : "",
  };
  for (const name of /** @type {const} */ (["runs", "axis", "smooth", "log", "mean"])) {
    if (texts[name]) hash.set(NAMES[name], texts[name]);
    else hash.delete(NAMES[name]);
  }
}

/**
 * Texts of an address, short enough for a sentence.
 * @param {string[]} texts
 */
export const shortened = (texts) =>
  texts
    .slice(0, 5)
    .map((text) => (text.length > 40 ? `${text.slice(0, 39)}…` : text))
    .join(", ") + (texts.length > 5 ? ", …" : "");
