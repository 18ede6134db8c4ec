// The directions of a model by family, loaded on demand. GET model brings the principal ones; the others have
// routes of their own.
import { address, patiently, request } from "../core/api.js";
import { must } from "../core/dom.js";

/** @typedef {"principal" | "factors" | "attributes"} FamilyName */

/**
 * The family of a direction, by its id.
 * @param {string} id
 * @returns {FamilyName}
 */
export function familyOf(id) {
  const letter = /^([ps])\d+$/.exec(id)?.[1];
  return letter === "p" ? "principal" : letter === "s" ? "factors" : "attributes";
}

/**
 * Cut a buffer of little-endian float32 numbers into vectors of `size`.
 * @param {ArrayBuffer} buffer
 * @param {number} size
 */
function vectors(buffer, size) {
  const numbers = new Float32Array(buffer);
  return Array.from({ length: numbers.length / size }, (_, index) =>
    numbers.subarray(index * size, (index + 1) * size),
  );
}

/**
 * `follow(model)` drops the directions if the model changes, or if its weights give them another meaning.
 * `load(family)` fetches a family and caches it. `vector(id)` is the vector of a loaded direction, and
 * `loadFor(ids)` loads the families of these ids. `fixed` are the attributes that z does not move. `titles`
 * names attributes for which only the data have a name.
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
    Object.assign(this, {
      id: model?.id ?? null,
      model,
      version,
      asked: {},
      found: {},
      fixed: [],
      titles: {},
      byId: new Map(),
    });
  }

  /**
   * The directions of a family. Throws the server's error.
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
  async loadFor(ids) {
    await Promise.all(
      [...new Set(ids.filter((id) => !this.byId.has(id)).map(familyOf))].map((family) => this.load(family)),
    );
  }

  /**
   * Load the directions that points use. If that fails, the picture request reports the error.
   * @param {Pick<Point, "x">[]} points
   */
  async loadForPoints(points) {
    const unknown = points.flatMap((point) => Object.keys(point.x)).filter((id) => !this.byId.has(id));
    if (!unknown.length) return;
    const known = this.byId.size;
    await this.loadFor(unknown).catch(() => null);
    // Only then: callers retry on `changed`, and would get the same error again.
    if (this.byId.size > known) this.changed();
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
    const given = () => {
      if (asked !== this.asked) throw { text: "" }; // another model was opened meanwhile
    };
    const answer = family === "principal" ? null : await patiently(() => request(family, { query }), given);
    const bytes = answer
      ? Uint8Array.from(atob(answer.vectors), (letter) => letter.charCodeAt(0)).buffer
      : await patiently(() => principal(query), given);
    const ofEach = vectors(bytes, model.z_dim);
    given();
    const directions = answer ? answer.directions : must(model.directions, "directions of the model");
    const found = directions.map((direction, index) => ({ ...direction, vector: ofEach[index] }));
    if (answer && family === "attributes")
      Object.assign(this, { fixed: answer.fixed, titles: answer.titles });
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
