// A point as text: in the address bar, in storage and files, and in queries to the server.
import { fresh, LIMIT, MAX_SEED, MOST_FACTOR, MOST_UNITS, RAW_LIMIT } from "./point.js";

/** The keys of a point in an address. */
export const KEYS = [
  "model",
  "seed",
  "at",
  "psi",
  "label",
  "label2",
  "mix",
  "d",
  "x",
  "z",
  "to",
  "t",
  "u",
  "wall",
  "axes",
  "view",
  "family",
];
/** Lists of directions that an address names. @type {DirectionList[]} */
export const FAMILIES = ["attributes", "principal", "factors", "chosen"];
export const MOST_MOVES = 32; // directions that an address names
export const DIRECTION = /^[a-z][a-z0-9_]{0,29}$/;

/**
 * @template Fallback
 * @param {string | null | undefined} text
 * @param {Fallback} fallback
 */
const whole = (text, fallback) => (text && /^\d{1,10}$/.test(text) && +text <= MAX_SEED ? +text : fallback);
/**
 * @param {string | null} text
 * @param {number} low
 * @param {number} high
 * @param {number} fallback
 */
const within = (text, low, high, fallback) =>
  text !== null && text !== "" && Number.isFinite(+text) ? Math.min(high, Math.max(low, +text)) : fallback;

/**
 * A number as addresses and queries write it.
 * @param {number} value
 */
export const rounded = (value) => Math.round(value * 1000) / 1000;

/**
 * d as a query writes it, without the zeros at its end.
 * @param {number[]} d
 */
function amounts(d) {
  const last = d.findLastIndex((value) => value);
  return d
    .slice(0, last + 1)
    .map((value) => rounded(value || 0))
    .join(",");
}

/**
 * Entries of z, or factors of units, as a query writes them.
 * @param {Record<string, number>} z
 */
export const overrides = (z) =>
  Object.entries(z)
    .map(([index, value]) => `${index}:${rounded(value)}`)
    .join(",");

/**
 * Read units of the generator, "layer.unit" -> factor, from an address. Malformed parts are dropped.
 * @param {string | null | undefined} text
 */
function units(text) {
  const pairs = (text ?? "")
    .split(",")
    .map((pair) => pair.split(":"))
    .filter(([place, factor]) => /^\d{1,2}\.\d{1,4}$/.test(place) && factor);
  return Object.fromEntries(
    pairs.slice(0, MOST_UNITS).map(([place, factor]) => [place, within(factor, 0, MOST_FACTOR, 1)]),
  );
}

/**
 * x as a query writes it, without the directions at rest.
 * @param {Record<string, number>} x
 */
const moves = (x) =>
  Object.entries(x)
    .filter(([, value]) => rounded(value))
    .map(([id, value]) => `${id}:${rounded(value)}`)
    .join(",");

/**
 * The parts of a point that differ from `fresh()`, as text by key.
 * @param {Point} point
 */
export function written(point) {
  const base = fresh();
  /** @type {Record<string, ?string>} */
  const all = {
    model: point.model,
    seed: String(point.seed),
    at: point.at,
    psi: String(rounded(point.psi)),
    label: point.label === null ? "" : String(point.label),
    label2: point.label2 === null ? "" : String(point.label2),
    mix: String(rounded(point.mix)),
    d: amounts(point.d),
    x: moves(point.x),
    z: overrides(point.z),
    to: String(point.to),
    t: String(rounded(point.t)),
    u: overrides(point.u),
    wall: String(point.wall),
    axes: point.axes?.join(",") ?? null,
    view: point.view,
    family: point.family,
  };
  /** @type {Record<string, unknown>} */
  const rest = {
    ...base,
    seed: null,
    psi: "1",
    label: "",
    label2: "",
    mix: "0",
    d: "",
    x: "",
    z: "",
    to: "1",
    t: "0",
    u: "",
    wall: "0",
    view: base.view,
  };
  /** @type {Record<string, string>} */
  const texts = {};
  for (const [key, value] of Object.entries(all))
    if (value !== null && value !== rest[key]) texts[key] = value;
  return texts;
}

/**
 * The point that `written` describes. Missing and malformed parts keep the values of `fresh()`.
 * @param {Record<string, string | null | undefined>} texts
 * @returns {Point}
 */
export function parsed(texts) {
  const base = fresh();
  const axes = (texts.axes ?? "").split(",").filter((id) => DIRECTION.test(id));
  /** @type {Record<string, number>[]} */
  const [x, z] = [{}, {}];
  for (const pair of (texts.x ?? "").split(",").slice(0, MOST_MOVES)) {
    const [id, value] = pair.split(":");
    if (DIRECTION.test(id) && value !== undefined) x[id] = within(value, -LIMIT, LIMIT, 0);
  }
  for (const pair of (texts.z ?? "").split(",")) {
    const [index, value] = pair.split(":");
    if (whole(index, null) !== null && value !== undefined)
      z[index] = within(value, -RAW_LIMIT, RAW_LIMIT, 0);
  }
  return {
    model: texts.model || null,
    seed: whole(texts.seed, base.seed),
    at: texts.at && /^[\w-]{2,1366}$/.test(texts.at) ? texts.at : null,
    psi: within(texts.psi ?? null, 0, 1.5, base.psi),
    label: whole(texts.label, null),
    label2: whole(texts.label2, null),
    mix: within(texts.mix ?? null, 0, 1, base.mix),
    d: texts.d
      ? texts.d
          .split(",")
          .slice(0, 64)
          .map((text) => within(text, -LIMIT, LIMIT, 0))
      : [],
    x,
    z,
    to: whole(texts.to, base.to),
    t: within(texts.t ?? null, 0, 1, 0),
    u: units(texts.u),
    wall: whole(texts.wall, 0),
    axes: axes.length === 2 && axes[0] !== axes[1] ? axes : base.axes,
    view: texts.view && /^[a-z]{1,20}$/.test(texts.view) ? texts.view : base.view,
    family: FAMILIES.find((name) => name === texts.family) ?? null,
  };
}

/**
 * The query of a picture route for this point; `address` takes it.
 * @param {Point} point
 */
export function query(point, extra = {}) {
  const along = point.t > 0 ? { to: point.to, t: rounded(point.t) } : {};
  const blend =
    point.label2 !== null && point.mix > 0 ? { label2: point.label2, mix: rounded(point.mix) } : {};
  return {
    id: point.model,
    seed: point.seed,
    at: point.at,
    psi: rounded(point.psi),
    label: point.label,
    d: amounts(point.d) || null,
    x: moves(point.x) || null,
    z: overrides(point.z) || null,
    u: overrides(point.u) || null,
    ...blend,
    ...along,
    ...extra,
  };
}

export const UNITS = 4096; // steps in 1.0 of a written number of z: 16 bits cover -8 to 8

/**
 * Encode a z for `at`: base64url of little-endian 16-bit integers. Numbers are clamped to [-8, 8).
 * @param {ArrayLike<number>} z
 */
export function written16(z) {
  const bytes = new DataView(new ArrayBuffer(2 * z.length));
  Array.from(z).forEach((value, index) =>
    bytes.setInt16(2 * index, Math.min(32767, Math.max(-32768, Math.round(value * UNITS))), true),
  );
  return btoa(String.fromCharCode(...new Uint8Array(bytes.buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/**
 * Decode `at` into a Float32Array of `size`. Throws {key, values} if the text is no z of this size.
 * @param {string} text
 * @param {number} size
 */
export function read16(text, size) {
  const foreign = { key: "latent.bad_z", values: {} };
  if (text.length !== Math.ceil((8 * size) / 3)) throw foreign; // four letters for three bytes
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) =>
    letter.charCodeAt(0),
  );
  if (bytes.length !== 2 * size) throw foreign;
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: size }, (_, index) => view.getInt16(2 * index, true) / UNITS);
}
