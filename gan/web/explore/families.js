// The directions of a model by family, fetched when needed. Principal ones come with the model, others from their own routes.
import { address, request } from "../core/api.js";

export const FAMILIES = ["principal", "factors", "attributes"];

/** Which family a direction is of, by its id. */
export const familyOf = (id) => ({ p: "principal", s: "factors" })[/^([ps])\d+$/.exec(id)?.[1]] ?? "attributes";

/** Numbers of little-endian float32 bytes, as every machine that runs a browser has them, cut into vectors of `size`. */
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
  id = null;
  model = null;
  version = null;
  /** @type {Record<string, Promise<object[]>>} */
  asked = {};
  /** @type {Record<string, any[]>} */
  found = {};
  fixed = [];
  titles = {};
  /** @type {Map<string, Float32Array>} */
  byId = new Map();

  constructor(changed) {
    this.changed = changed;
  }

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

  #forget(model, version) {
    Object.assign(this, { id: model?.id ?? null, model, version, asked: {}, found: {}, fixed: [], titles: {}, byId: new Map() });
  }

  /** The directions of a family. Throws what the server says. */
  load(family) {
    const { asked } = this;
    asked[family] ??= this.#fetch(family, asked).catch((error) => {
      delete asked[family];
      throw error;
    });
    return asked[family];
  }

  async know(ids) {
    await Promise.all([...new Set(ids.filter((id) => !this.byId.has(id)).map(familyOf))].map((family) => this.load(family)));
  }

  /** Get the directions that points name. Where they can't be had, the server says so when it is asked for the picture. */
  async have(points) {
    const unknown = points.flatMap((point) => Object.keys(point.x)).filter((id) => !this.byId.has(id));
    if (!unknown.length) return;
    const known = this.byId.size;
    await this.know(unknown).catch(() => null);
    if (this.byId.size > known) this.changed(); // else what asked would be told to ask again
  }

  vector(id) {
    return this.byId.get(id);
  }

  /** What is known of a direction: {id, effect, ...}; undefined where its family was not loaded. */
  about(id) {
    return this.found[familyOf(id)]?.find((direction) => direction.id === id);
  }

  async #fetch(family, asked) {
    const { model } = this;
    const query = { id: model.id, v: model.updated };
    const told = family === "principal" ? { directions: model.directions, ways: await principal(query) } : await request(family, { query });
    const ways = vectors(told.ways ?? Uint8Array.from(atob(told.vectors), (letter) => letter.charCodeAt(0)).buffer, model.z_dim);
    if (asked !== this.asked) throw { text: "" }; // another model came meanwhile
    const found = told.directions.map((direction, index) => ({ ...direction, vector: ways[index] }));
    if (family === "attributes") Object.assign(this, { fixed: told.fixed, titles: told.titles });
    for (const { id, vector } of found) this.byId.set(id, vector);
    this.found[family] = found;
    return found;
  }
}

async function principal(query) {
  const reply = await fetch(address("directions", query));
  if (!reply.ok) throw (await reply.json().catch(() => ({}))).error ?? { text: reply.statusText };
  return reply.arrayBuffer();
}

/** The |cosine| of two vectors of length 1. */
export const likeness = (a, b) => Math.abs(a.reduce((sum, value, index) => sum + value * b[index], 0));
