// The point in latent space that the page shows: a plain object, and what changes in it when it moves.

export const LIMIT = 3; // a direction's slider ends at +-3 sigma
export const RAW_LIMIT = 4; // z ~ N(0, 1)
export const MAX_SEED = 2 ** 31 - 1;
export const MOST_FACTOR = 4; // of a unit of the generator
export const MOST_UNITS = 64; // that a point may change

/** A point nobody has touched: seed 0, no truncation, mixed classes, every slider at rest, and no two directions chosen for the hands. */
export function fresh() {
  return { model: null, seed: 0, at: null, psi: 1, label: null, label2: null, mix: 0, d: [], x: {}, z: {}, to: 1, t: 0, u: {}, wall: 0, axes: null, view: "samples" };
}

/** The sliders at rest, on the seed itself. */
export function unmoved() {
  const { at, d, x, z, t: part } = fresh();
  return { at, d, x, z, t: part };
}

/** Nothing but the seed as the generator was trained to draw it: sliders at rest, and no class or unit is set. */
export function plain() {
  const { psi, label, label2, mix, u } = fresh();
  return { ...unmoved(), psi, label, label2, mix, u };
}

export const randomSeed = () => Math.floor(Math.random() * 1e6);

/** Whether a point changes the generator itself: only the server can draw that. */
export const altered = (point) => Object.keys(point.u).length > 0;

const PRINCIPAL = /^p(\d{1,3})$/; // p0 is the first number of d; all other directions stand in x

/** How far the point is along a direction, by its id. */
export function amountOf(point, id) {
  const place = PRINCIPAL.exec(id)?.[1];
  return (place === undefined ? point.x[id] : point.d[place]) ?? 0;
}

/** What of the point changes for a direction to be at `amount`. */
export function withAmount(point, id, amount) {
  const place = PRINCIPAL.exec(id)?.[1];
  if (place === undefined) return { x: { ...point.x, [id]: amount } };
  const d = Array.from({ length: Math.max(point.d.length, +place + 1) }, (_, index) => point.d[index] ?? 0);
  d[place] = amount;
  return { d };
}

/** What of the point changes where the model has no such direction; of principal ones, none after it either. */
export function without(point, id) {
  const { [id]: _, ...x } = point.x;
  const place = PRINCIPAL.exec(id)?.[1];
  return place === undefined ? { x } : { d: point.d.slice(0, place) };
}

/** What of the point changes for directions, by their ids, to be at `amounts`. */
export const along = (point, ids, amounts) => ids.reduce((patch, id, place) => ({ ...patch, ...withAmount({ ...point, ...patch }, id, amounts[place]) }), {});

/** The ids of all directions along which the point has moved. */
export const movedAlong = (point) => [...point.d.map((_, index) => `p${index}`), ...Object.keys(point.x)].filter((id) => amountOf(point, id));
