// The directions of a model by family, fetched when needed. Principal ones come with the model, others from their own routes.
import { address, request } from "../core/api.js";
import { must } from "../core/dom.js";

/** @typedef {"principal" | "factors" | "attributes"} FamilyName */
/** @type {FamilyName[]} */
export const FAMILIES = ["principal", "factors", "attributes"];

/**
 * Which family a direction is of, by its id.
 * @param {string} id
 * @returns {FamilyName}
 */
export function familyOf(id) {
  const letter = /^([ps])\d+$/.exec(id)?.[1];
  return letter === "p" ? "principal" : letter === "s" ? "factors" : "attributes";
}

/**
 * Numbers of little-endian float32 bytes, as every machine that runs a browser has them, cut into vectors of `size`.
 * @param {ArrayBuffer} buffer
 * @param {number} size
 */
function vectors(buffer, size) {
  const numbers = new Float32Array(buffer);
  return Array.from({ length: numbers.length / size }, (_, index) => numbers.subarray(index * size, (index + 1) * size));
}

/**
 * `follow(model)` forgets the directions of another model, or of weights for which they mean something else. `load(family)` has [{id, effect, dead, twin, vector,
 * ...what is known of it}] and keeps it, `vector(id)` the Float32Array of one that was loaded, `know(ids)` loads what these need. `fixed` are the attributes that
 * z does not move, `titles` the names of attributes that only the data name.
 */
export class Families {
  /** @type {?string} */
  id = null;
  /** @type {Model | null | undefined} */
  model = null;
  /** @type {?string} */
  version = null;
  /** Requests by family. @type {Record<string, Promise<FoundDirection[]>>} */
  asked = {};
  /** Answers by family. @type {Record<string, FoundDirection[]>} */
  found = {};
  /** @type {string[]} */
  fixed = [];
  /** @type {Record<string, string>} */
  titles = {};
  /** @type {Map<string, Float32Array>} */
  byId = new Map();

  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
  }

  /** @param {Model | undefined} model */
  follow(model) {
    const id = model?.id ?? null;
    const version = model?.directions_version ?? null;
    if (id !== this.id || (version && this.version && version !== this.version)) this.#forget(model, version);
    this.version ??= version;
    this.model = model;
  }

  /** Forget all directions, because the server has dropped them. */
  lose() {
    this.#forget(this.model, this.version);
  }

  /**
   * @param {Model | null | undefined} model
   * @param {?string} version
   */
  #forget(model, version) {
    Object.assign(this, { id: model?.id ?? null, model, version, asked: {}, found: {}, fixed: [], titles: {}, byId: new Map() });
  }

  /**
   * The directions of a family. Throws what the server says.
   * @param {FamilyName} family
   */
  load(family) {
    const { asked } = this;
    asked[family] ??= this.#fetch(family, asked).catch((error) => {
      delete asked[family];
      throw error;
    });
    return asked[family];
  }

  /** @param {string[]} ids */
  async know(ids) {
    await Promise.all([...new Set(ids.filter((id) => !this.byId.has(id)).map(familyOf))].map((family) => this.load(family)));
  }

  /**
   * Get the directions that points name. Where they can't be had, the server says so when it is asked for the picture.
   * @param {Pick<Point, "x">[]} points
   */
  async have(points) {
    const unknown = points.flatMap((point) => Object.keys(point.x)).filter((id) => !this.byId.has(id));
    if (!unknown.length) return;
    const known = this.byId.size;
    await this.know(unknown).catch(() => null);
    if (this.byId.size > known) this.changed(); // else what asked would be told to ask again
  }

  /** @param {string} id */
  vector(id) {
    return this.byId.get(id);
  }

  /**
   * The facts about a direction; undefined if its family was not loaded.
   * @param {string} id
   * @returns {FoundDirection | undefined}
   */
  about(id) {
    return this.found[familyOf(id)]?.find((direction) => direction.id === id);
  }

  /**
   * @param {FamilyName} family
   * @param {Record<string, Promise<FoundDirection[]>>} asked
   */
  async #fetch(family, asked) {
    const model = must(this.model, "model");
    const query = { id: model.id, v: model.updated };
    const answer = family === "principal" ? null : await request(family, { query });
    const bytes = answer ? Uint8Array.from(atob(answer.vectors), (letter) => letter.charCodeAt(0)).buffer : await principal(query);
    const ofEach = vectors(bytes, model.z_dim);
    if (asked !== this.asked) throw { text: "" }; // another model came meanwhile
    const directions = answer ? answer.directions : must(model.directions, "directions of the model");
    const found = directions.map((direction, index) => ({ ...direction, vector: ofEach[index] }));
    if (answer && family === "attributes") Object.assign(this, { fixed: answer.fixed, titles: answer.titles });
    for (const { id, vector } of found) this.byId.set(id, vector);
    this.found[family] = found;
    return found;
  }
}

/** @param {Query} query */
async function principal(query) {
  const reply = await fetch(address("directions", query));
  if (!reply.ok) throw (await reply.json().catch(() => ({}))).error ?? { text: reply.statusText };
  return reply.arrayBuffer();
}

/**
 * The |cosine| of two vectors of length 1.
 * @param {Float32Array} a
 * @param {ArrayLike<number>} b
 */
export const likeness = (a, b) => Math.abs(a.reduce((sum, value, index) => sum + value * b[index], 0));
