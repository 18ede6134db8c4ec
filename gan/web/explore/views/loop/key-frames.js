// Key frames: one is made of a point, and those of this browser's loops are kept in its storage, for each model its own.
// What is read back is checked like an address, and against the model. The storage may be damaged, and a model of the
// same name may be another one by now.
import { request } from "../../../core/api.js";
import { query, read16, written, written16 } from "../../../latent/encoding.js";
import { MOST_KEYS, standing, unitsOf } from "../../../latent/loop-path.js";
import { fresh, MOST_UNITS, movedAlong } from "../../../latent/point.js";
import { pointClasses, pointZ } from "../../../latent/sampling.js";
import { foundPoint, MODEL } from "../../favourites-store.js";

const STORAGE = "gan.loops";
const FORMAT = "ganarium-loops-1";
const MOST_MODELS = 20; // those that were changed last

/** The whole z of a point of the explorer's model, all sliders in it: of this browser, or of the server where only that knows the directions. */
export async function wholeZ(explorer, point) {
  const { model, local } = explorer;
  await explorer.families.have([point]);
  if (local.ready(model)) return pointZ(point, model.z_dim, local.directions, local.vector);
  if (!movedAlong(point).length) return pointZ(point, model.z_dim, []);
  return Float32Array.from((await request("latent", { query: query(point) })).z);
}

/** A key frame of the current model: {at, label, other, share, u}, a z written out, its classes, and the units of the generator that it changes. */
export async function keyOf(explorer, point) {
  return { at: written16(await wholeZ(explorer, point)), ...pointClasses(point, explorer.model.classes.length), u: point.u };
}

/** What is there of all models, [{model, keys}], the one that was changed last first. */
function stored() {
  try {
    const value = JSON.parse(localStorage.getItem(STORAGE));
    if (value?.format !== FORMAT || !Array.isArray(value.loops)) return [];
    const sound = ({ model, keys }) => typeof model === "string" && MODEL.test(model) && Array.isArray(keys) && keys.length <= MOST_KEYS;
    return value.loops.filter((loop) => loop && sound(loop)).slice(0, MOST_MODELS);
  } catch {
    return []; // damaged, or a browser without storage
  }
}

/** The key frame of stored texts; null where they are none of this model. */
function keyAt(texts, { z_dim: size, classes }) {
  const point = foundPoint(texts);
  try {
    read16(point.at, size);
  } catch {
    return null;
  }
  const { at, label, label2, mix, u } = point;
  const blended = label2 !== null && mix > 0;
  const key = { at, label, other: blended ? label2 : label, share: blended ? mix : 0, u };
  const there = (one) => (classes.length ? one !== null && one < classes.length : one === null);
  return there(key.label) && there(key.other) ? key : null;
}

/** The key frames that were kept for a model, an array of one's own. */
export function keysOf(model) {
  const texts = stored().find((loop) => loop.model === model.id)?.keys ?? [];
  const keys = texts.map((each) => keyAt(each, model)).filter(Boolean);
  while (unitsOf(keys) > MOST_UNITS) keys.pop();
  return keys;
}

/** Keep a model's key frames. False where the browser keeps nothing: they last as long as the page. */
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

/** Call `changed` whenever another tab of this page has changed what is kept. */
export const watch = (changed) => addEventListener("storage", ({ key }) => (key === STORAGE || key === null) && changed());
