// Key frames: made from points, and stored in this browser for each model. Stored texts pass the same checks
// as addresses, because storage may be damaged. They must also fit the model, which may have been replaced
// under the same id.
import { request } from "../../../core/api.js";
import { must } from "../../../core/dom.js";
import { query, read16, written, written16 } from "../../../latent/encoding.js";
import { MOST_KEYS, standing, unitsOf } from "../../../latent/loop-path.js";
import { fresh, MOST_UNITS, movedAlong } from "../../../latent/point.js";
import { pointClasses, pointZ } from "../../../latent/sampling.js";
import { foundPoint, MODEL } from "../../favourites-store.js";

const STORAGE = "gan.loops";
const FORMAT = "ganarium-loops-1";
const MOST_MODELS = 20; // those that changed last

/**
 * The whole z of a point with all its sliders. The server computes it if this browser lacks the directions.
 * @param {Explorer} explorer
 * @param {Point} point
 */
export async function wholeZ(explorer, point) {
  const { local } = explorer;
  const model = must(explorer.model, "model");
  await explorer.families.loadForPoints([point]);
  if (local.ready(model)) return pointZ(point, model.z_dim, local.directions, local.vector);
  if (!movedAlong(point).length) return pointZ(point, model.z_dim, []);
  return Float32Array.from((await request("latent", { query: query(point) })).z);
}

/**
 * A key frame of the current model.
 * @param {Explorer} explorer
 * @param {Point} point
 * @returns {Promise<KeyFrame>}
 */
export async function keyOf(explorer, point) {
  return {
    at: written16(await wholeZ(explorer, point)),
    ...pointClasses(point, must(explorer.model, "model").classes.length),
    u: point.u,
  };
}

/**
 * The loops of all models, the one that changed last first.
 * @returns {{model: string, keys: unknown[]}[]}
 */
function stored() {
  try {
    const value = JSON.parse(localStorage.getItem(STORAGE) ?? "null");
    if (value?.format !== FORMAT || !Array.isArray(value.loops)) return [];
    const sound = (/** @type {Record<string, unknown>} */ { model, keys }) =>
      typeof model === "string" && MODEL.test(model) && Array.isArray(keys) && keys.length <= MOST_KEYS;
    return value.loops.filter((/** @type {any} */ loop) => loop && sound(loop)).slice(0, MOST_MODELS);
  } catch {
    return []; // damaged, or this browser has no storage
  }
}

/**
 * The key frame of stored texts; null if they don't fit this model.
 * @param {unknown} texts
 * @param {Model} model
 * @returns {?KeyFrame}
 */
function keyAt(texts, { z_dim: size, classes }) {
  const point = foundPoint(texts);
  if (!point?.at) return null;
  try {
    read16(point.at, size);
  } catch {
    return null;
  }
  const { at, label, label2, mix, u } = point;
  const blended = label2 !== null && mix > 0;
  const key = { at, label, other: blended ? label2 : label, share: blended ? mix : 0, u };
  const there = (/** @type {?number} */ one) =>
    classes.length ? one !== null && one < classes.length : one === null;
  return there(key.label) && there(key.other) ? key : null;
}

/**
 * The stored key frames of a model, in a new array.
 * @param {Model} model
 */
export function keysOf(model) {
  const texts = stored().find((loop) => loop.model === model.id)?.keys ?? [];
  const keys = texts.map((each) => keyAt(each, model)).filter((key) => key !== null);
  while (unitsOf(keys) > MOST_UNITS) keys.pop();
  return keys;
}

/**
 * Store a model's key frames. Returns false if the browser stores nothing; they then last as long as the
 * page.
 * @param {Model} model
 * @param {KeyFrame[]} keys
 */
export function keep(model, keys) {
  const texts = keys.map((key) => written({ ...fresh(), ...standing(key) }));
  const others = stored().filter((loop) => loop.model !== model.id);
  const loops = [...(keys.length ? [{ model: model.id, keys: texts }] : []), ...others].slice(0, MOST_MODELS);
  try {
    localStorage.setItem(STORAGE, JSON.stringify({ format: FORMAT, loops }));
    return true;
  } catch {
    return false;
  }
}

/**
 * Call `changed` when another tab of this page changes the storage.
 * @param {() => void} changed
 */
export const watch = (changed) =>
  addEventListener("storage", ({ key }) => (key === STORAGE || key === null) && changed());
