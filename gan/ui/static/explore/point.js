// The point in latent space that the page shows: a plain object, its place in the address bar, and the query that draws it.
import { hashText, readHash, writeHash } from "../common.js";

export const LIMIT = 3; // a direction's slider ends at +-3 sigma
export const RAW_LIMIT = 4; // z ~ N(0, 1)
export const MAX_SEED = 2 ** 31 - 1;
const KEYS = ["model", "seed", "at", "psi", "label", "label2", "mix", "d", "x", "z", "to", "t", "u", "wall", "axes", "view"];
export const MOST_FACTOR = 4; // of a unit of the generator
export const MOST_UNITS = 64; // that a point may change
const MOST_MOVES = 32; // directions that an address names
const STORAGE = "gan.explore";

/** A point nobody has touched: seed 0, no truncation, mixed classes, every slider at rest, and no two directions chosen for the hands (axes.js). */
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

const whole = (text, fallback) => (/^\d{1,10}$/.test(text ?? "") && +text <= MAX_SEED ? +text : fallback);
const within = (text, low, high, fallback) => (text !== null && text !== "" && Number.isFinite(+text) ? Math.min(high, Math.max(low, +text)) : fallback);
/** A number as addresses and queries write it. */
export const rounded = (value) => Math.round(value * 1000) / 1000;

/** d as the query writes it: zeros at the end are left out. */
function amounts(d) {
  const last = d.findLastIndex((value) => value);
  return d.slice(0, last + 1).map((value) => rounded(value || 0)).join(",");
}

/** Numbers by key, of z or of units, as queries write them. */
export const overrides = (z) => Object.entries(z).map(([index, value]) => `${index}:${rounded(value)}`).join(",");

/** Units of the generator, "layer.unit" -> factor, as an address writes them; what makes no sense is left out. */
function units(text) {
  const pairs = (text ?? "").split(",").map((pair) => pair.split(":")).filter(([place, factor]) => /^\d{1,2}\.\d{1,4}$/.test(place) && factor);
  return Object.fromEntries(pairs.slice(0, MOST_UNITS).map(([place, factor]) => [place, within(factor, 0, MOST_FACTOR, 1)]));
}

/** Whether a point changes the generator itself: only the server can draw that. */
export const altered = (point) => Object.keys(point.u).length > 0;

/** x as the query writes it: directions at rest are left out. */
const moves = (x) => Object.entries(x).filter(([, value]) => rounded(value)).map(([id, value]) => `${id}:${rounded(value)}`).join(",");

const PRINCIPAL = /^p(\d{1,3})$/; // p0 is the first number of d; all other directions stand in x
const DIRECTION = /^[a-z][a-z0-9_]{0,29}$/;

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

/** The parts of a point that differ from a fresh one, as text by key. */
export function written(point) {
  const base = fresh();
  const all = {
    model: point.model, seed: String(point.seed), at: point.at, psi: String(rounded(point.psi)), label: point.label === null ? "" : String(point.label),
    label2: point.label2 === null ? "" : String(point.label2), mix: String(rounded(point.mix)),
    d: amounts(point.d), x: moves(point.x), z: overrides(point.z), to: String(point.to), t: String(rounded(point.t)), u: overrides(point.u), wall: String(point.wall), axes: point.axes?.join(",") ?? null, view: point.view,
  };
  const rest = { ...base, seed: null, psi: "1", label: "", label2: "", mix: "0", d: "", x: "", z: "", to: "1", t: "0", u: "", wall: "0", view: base.view };
  return Object.fromEntries(Object.entries(all).filter(([key, value]) => value !== null && value !== rest[key]));
}

/** The point that `written` describes; whatever is missing or makes no sense stays fresh. */
export function parsed(texts) {
  const base = fresh();
  const axes = (texts.axes ?? "").split(",").filter((id) => DIRECTION.test(id));
  const [x, z] = [{}, {}];
  for (const pair of (texts.x ?? "").split(",").slice(0, MOST_MOVES)) {
    const [id, value] = pair.split(":");
    if (DIRECTION.test(id) && value !== undefined) x[id] = within(value, -LIMIT, LIMIT, 0);
  }
  for (const pair of (texts.z ?? "").split(",")) {
    const [index, value] = pair.split(":");
    if (whole(index, null) !== null && value !== undefined) z[index] = within(value, -RAW_LIMIT, RAW_LIMIT, 0);
  }
  return {
    model: texts.model || null,
    seed: whole(texts.seed, base.seed),
    at: /^[\w-]{2,1366}$/.test(texts.at ?? "") ? texts.at : null,
    psi: within(texts.psi ?? null, 0, 1.5, base.psi),
    label: whole(texts.label, null),
    label2: whole(texts.label2, null),
    mix: within(texts.mix ?? null, 0, 1, base.mix),
    d: texts.d ? texts.d.split(",").slice(0, 64).map((text) => within(text, -LIMIT, LIMIT, 0)) : [],
    x,
    z,
    to: whole(texts.to, base.to),
    t: within(texts.t ?? null, 0, 1, 0),
    u: units(texts.u),
    wall: whole(texts.wall, 0),
    axes: axes.length === 2 && axes[0] !== axes[1] ? axes : base.axes,
    view: /^[a-z]{1,20}$/.test(texts.view ?? "") ? texts.view : base.view,
  };
}

/** Whether the address names a point. */
export const addressed = () => KEYS.some((key) => readHash().has(key));

/** The point of the address bar, else of the last visit with this browser, else a fresh one. */
export function restore() {
  if (addressed()) return parsed(Object.fromEntries(readHash()));
  try {
    return parsed(JSON.parse(localStorage.getItem(STORAGE)) ?? {});
  } catch {
    return fresh();
  }
}

const UNITS = 4096; // of a number of z that is written out: 16 bits for -8 to 8

/** The text of a z (numbers in -8 to 8) as points and queries carry it in `at`: base64url of 16-bit integers, little end first. */
export function written16(z) {
  const bytes = new DataView(new ArrayBuffer(2 * z.length));
  z.forEach((value, index) => bytes.setInt16(2 * index, Math.min(32767, Math.max(-32768, Math.round(value * UNITS))), true));
  return btoa(String.fromCharCode(...new Uint8Array(bytes.buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The z (Float32Array of `size`) that `written16` wrote. Throws {key, values} where the text is no z, or another model's. */
export function read16(text, size) {
  const foreign = { key: "latent.bad_z", values: {} };
  if (text.length !== Math.ceil((8 * size) / 3)) throw foreign; // four letters for three bytes
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  if (bytes.length !== 2 * size) throw foreign;
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: size }, (_, index) => view.getInt16(2 * index, true) / UNITS);
}

/** The address of this page with the point alone: its query may hold what is nobody else's, a language for example or the key that a frame was given. */
export const linkTo = (point) => `${location.origin}${location.pathname}#${hashText(new URLSearchParams(written(point)))}`;

/** Write the point into the address bar, as a new entry of the browser's history where it is a `turn`, and into its storage. Other keys of the address stay. */
export function remember(point, turn = false) {
  const texts = written(point);
  const hash = readHash();
  for (const key of KEYS) hash.delete(key);
  for (const [key, value] of Object.entries(texts)) hash.set(key, value);
  writeHash(hash, turn);
  try {
    localStorage.setItem(STORAGE, JSON.stringify(texts));
  } catch {
    // a browser without storage still has the address bar
  }
}

/** What a picture route needs to know of this point, for `address`. */
export function query(point, extra = {}) {
  const way = point.t > 0 ? { to: point.to, t: rounded(point.t) } : {};
  const blend = point.label2 !== null && point.mix > 0 ? { label2: point.label2, mix: rounded(point.mix) } : {};
  return { id: point.model, seed: point.seed, at: point.at, psi: rounded(point.psi), label: point.label, d: amounts(point.d) || null, x: moves(point.x) || null, z: overrides(point.z) || null, u: overrides(point.u) || null, ...blend, ...way, ...extra };
}
