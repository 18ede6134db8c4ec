// The point in latent space that the page shows. It is a plain object; moving it makes a new one.

export const LIMIT = 3; // a direction's slider ends at +-3 sigma
export const RAW_LIMIT = 4; // z ~ N(0, 1)
export const MAX_SEED = 2 ** 31 - 1;
export const MOST_FACTOR = 4; // of a unit of the generator
export const MOST_UNITS = 64; // that a point may change

/**
 * The point that a new visitor sees: seed 0, no truncation, mixed classes, every slider at rest. `axes` null
 * means the first two directions, `family` null the one that the view of directions opens with.
 * @returns {Point}
 */
export function fresh() {
  return {
    model: null,
    seed: 0,
    at: null,
    psi: 1,
    label: null,
    label2: null,
    mix: 0,
    d: [],
    x: {},
    z: {},
    to: 1,
    t: 0,
    u: {},
    wall: 0,
    axes: null,
    view: "samples",
    family: null,
  };
}

/** The sliders at rest, on the seed itself. */
export function unmoved() {
  const { at, d, x, z, t: part } = fresh();
  return { at, d, x, z, t: part };
}

/** A seed as the generator was trained on it: sliders at rest, no class, no changed unit. */
export function plain() {
  const { psi, label, label2, mix, u } = fresh();
  return { ...unmoved(), psi, label, label2, mix, u };
}

export const randomSeed = () => Math.floor(Math.random() * 1e6);

/**
 * Whether a point changes units of the generator. Only the server can draw such a point.
 * @param {Point} point
 */
export const altered = (point) => Object.keys(point.u).length > 0;

const PRINCIPAL = /^p(\d{1,3})$/; // p0 is the first number of d; all other directions stand in x

/**
 * How far the point is along a direction, by its id.
 * @param {Pick<Point, "d" | "x">} point
 * @param {string} id
 */
export function amountOf(point, id) {
  const place = PRINCIPAL.exec(id)?.[1];
  return (place === undefined ? point.x[id] : point.d[+place]) ?? 0;
}

/**
 * The change that puts a direction at `amount`.
 * @param {Pick<Point, "d" | "x">} point
 * @param {string} id
 * @param {number} amount
 * @returns {Patch}
 */
export function withAmount(point, id, amount) {
  const place = PRINCIPAL.exec(id)?.[1];
  if (place === undefined) return { x: { ...point.x, [id]: amount } };
  const d = Array.from({ length: Math.max(point.d.length, +place + 1) }, (_, index) => point.d[index] ?? 0);
  d[+place] = amount;
  return { d };
}

/**
 * The change that removes a direction. Removing a principal direction removes all after it too.
 * @param {Point} point
 * @param {string} id
 */
export function without(point, id) {
  const { [id]: _, ...x } = point.x;
  const place = PRINCIPAL.exec(id)?.[1];
  return place === undefined ? { x } : { d: point.d.slice(0, +place) };
}

/**
 * The change that puts each direction, named by its id, at its amount.
 * @param {Point} point
 * @param {string[]} ids
 * @param {number[]} amounts
 */
export const along = (point, ids, amounts) =>
  ids.reduce(
    (patch, id, place) => ({ ...patch, ...withAmount({ ...point, ...patch }, id, amounts[place]) }),
    /** @type {Patch} */ ({}),
  );

/**
 * The ids of all directions along which the point has moved.
 * @param {Pick<Point, "d" | "x">} point
 */
export const movedAlong = (point) =>
  [...point.d.map((_, index) => `p${index}`), ...Object.keys(point.x)].filter((id) => amountOf(point, id));
