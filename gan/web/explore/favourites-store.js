// The favourites of this browser: named points of any model, in its storage and in one file. Favourites from
// files and other pages pass the same checks as addresses. Their names are shown as text only.
import { parsed, written } from "../latent/encoding.js";
import { fresh } from "../latent/point.js";

const STORAGE = "gan.favourites";
const FORMAT = "ganarium-favourites-1";
export const MODEL =
  /^((shipped|run):[a-z0-9][a-z0-9_-]{0,99}|hub:(?=.{3,200}$)(\w+([.-]\w+)*)\/(\w+([.-]\w+)*)(@\w+([.-]\w+)*)?)$/;
const MOST = 200;
const LONGEST = { name: 60, title: 120, value: 20000 }; // characters
const NOT_KEPT = ["model", "wall", "axes", "view", "family"]; // panels and views do not belong to a place

/**
 * The texts of a point that a favourite holds. They are sorted, so that equal places have equal texts.
 * @param {Point} point
 */
function kept(point) {
  const texts = written({
    ...point,
    ...(point.t > 0 ? {} : { to: fresh().to }),
    ...(point.label2 !== null && point.mix > 0 ? {} : { label2: null, mix: 0 }),
  });
  return Object.fromEntries(
    Object.entries(texts)
      .filter(([key]) => !NOT_KEPT.includes(key))
      .sort(),
  );
}

/**
 * A place with a name. `point` holds the texts of `written`.
 * @typedef {{model: string, name: string, title: string, point: Record<string, string>}} Favourite
 */

/** @type {WeakMap<object, string>} */
const identities = new WeakMap(); // a cache, because every movement compares all favourites with the point

/**
 * The text that identifies a place. Two favourites with the same text are the same.
 * @param {{model: ?string, point: Record<string, string>}} one
 */
function identity(one) {
  const text = identities.get(one) ?? `${one.model} ${JSON.stringify(one.point)}`;
  identities.set(one, text);
  return text;
}

/**
 * The point that stored texts describe, or null if they describe none.
 * @param {unknown} texts
 */
export function foundPoint(texts) {
  if (!texts || typeof texts !== "object" || Array.isArray(texts)) return null;
  if (Object.values(texts).some((text) => typeof text !== "string" || text.length > LONGEST.value))
    return null;
  return parsed(/** @type {Record<string, string>} */ (texts));
}

/**
 * A valid favourite {model, name, title, point} from unknown data, or null.
 * @param {any} value
 */
function checked(value) {
  const { model, name = "", title = "", point } = value ?? {};
  if (
    typeof model !== "string" ||
    !MODEL.test(model) ||
    typeof name !== "string" ||
    typeof title !== "string"
  )
    return null;
  const found = foundPoint(point);
  return (
    found && {
      model,
      name: name.slice(0, LONGEST.name),
      title: title.slice(0, LONGEST.title),
      point: kept(found),
    }
  );
}

/**
 * The favourites in a text, and `odd`, the number of invalid entries. null if the text is no list of
 * favourites.
 * @param {string} text
 */
export function read(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (value?.format !== FORMAT || !Array.isArray(value.favourites)) return null;
  const found = value.favourites.map(checked).filter(Boolean);
  return { found, odd: value.favourites.length - found.length };
}

/** `all` are the favourites, the newest first. `changed()` is called after each change. */
export class Favourites {
  /** @type {Favourite[]} */
  all = [];

  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.#load();
    addEventListener("storage", (event) => {
      if (event.key !== STORAGE && event.key !== null) return;
      this.#load(); // another tab of this page changed them
      changed();
    });
  }

  /**
   * The whole point of a favourite.
   * @param {Favourite} one
   */
  point(one) {
    return { ...parsed(one.point), model: one.model };
  }

  /**
   * The favourite that stands at a point, if any.
   * @param {Point} point
   */
  at(point) {
    const wanted = identity({ model: point.model, point: kept(point) });
    return this.all.find((one) => identity(one) === wanted);
  }

  /**
   * Add a point. Returns false if there are too many, or if the browser stores nothing.
   * @param {Point} point
   * @param {string} name
   * @param {string} title
   */
  add(point, name, title) {
    const { model } = point;
    if (!model || this.all.length >= MOST) return false;
    return this.#keep([
      { model, name: name.slice(0, LONGEST.name), title: title.slice(0, LONGEST.title), point: kept(point) },
      ...this.all,
    ]);
  }

  /** @param {Favourite} one */
  remove(one) {
    return this.#keep(this.all.filter((other) => other !== one));
  }

  /**
   * Rename a favourite. The view itself calls this, so `changed` is not called.
   * @param {Favourite} one
   * @param {string} name
   */
  rename(one, name) {
    one.name = name.trim().slice(0, LONGEST.name);
    return this.#write();
  }

  /**
   * Append the new ones among `found`. Returns how many were added, and how many did not fit.
   * @param {Favourite[]} found
   */
  take(found) {
    const known = new Set(this.all.map(identity));
    const others = found.filter((one) => !known.has(identity(one)) && known.add(identity(one)));
    const room = others.slice(0, MOST - this.all.length);
    return {
      added: this.#keep([...this.all, ...room]) ? room.length : 0,
      beyond: others.length - room.length,
    };
  }

  /** All of them as the text of a file. */
  text() {
    return JSON.stringify({ format: FORMAT, favourites: this.all }, null, 1);
  }

  #load() {
    try {
      this.all = read(localStorage.getItem(STORAGE) ?? "")?.found.slice(0, MOST) ?? [];
    } catch {
      this.all = []; // this browser has no storage
    }
  }

  /** @param {Favourite[]} all */
  #keep(all) {
    this.all = all;
    const safe = this.#write();
    this.changed();
    return safe;
  }

  #write() {
    try {
      localStorage.setItem(STORAGE, this.text());
      return true;
    } catch {
      return false; // they last as long as the page
    }
  }
}
