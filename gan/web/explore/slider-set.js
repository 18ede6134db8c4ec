// The reader's sliders: which directions, their names, their order. This browser stores them for each model.
// The reader can also save them with the model, or in a file.
import { patiently, request } from "../core/api.js";
import { must } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { familyOf, likeness } from "./families.js";
import { usualIds, usualName } from "../widgets/slider.js";

const STORAGE = "gan.directions.";
const FORMAT = "ganarium-directions-1";
const ID = /^[a-z][a-z0-9_]{0,29}$/;
const MOST = 64;
export const LONGEST = 40; // letters of a name
const DIGITS = 1e5; // vectors in a file have five decimals
const SAME = 0.99; // |cosine| from which a vector in a file equals this model's
const NOTHING = { list: null, names: {}, hidden: [] }; // no choice

/**
 * The list of one model at a time. `changed()` is called after each change. The reader's own list comes
 * before the one saved with the model, and that before the default. `forgotten`: the server found the
 * directions again, so choices of numbered ones were dropped.
 */
export class SliderSet {
  /** @type {?OpenModel} */
  model = null;
  own = false;
  forgotten = false;
  /** @type {?string[]} */
  list = NOTHING.list;
  /** @type {Record<string, string>} */
  names = NOTHING.names;
  /** @type {string[]} */
  hidden = NOTHING.hidden;

  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
  }

  /**
   * Load this browser's list for a model as GET model describes it.
   * @param {OpenModel} model
   */
  follow(model) {
    const known = this.model?.id === model.id && this.model.directions_version === model.directions_version;
    this.model = model;
    if (known && this.own) return;
    Object.assign(this, { own: false, ...this.#saved() });
    if (known) return;
    this.forgotten = false;
    const kept = stored(model.id);
    if (!kept) return;
    if (kept.version === model.directions_version)
      return void Object.assign(this, { own: true, ...tidy(kept) });
    this.#carryOver(tidy(kept));
  }

  /**
   * The weights have changed. A named direction such as "night" keeps its meaning, a numbered one does not.
   * @param {SliderList} old
   */
  #carryOver(old) {
    const stays = (/** @type {string} */ id) => familyOf(id) === "attributes";
    const [list, hidden] = [old.list?.filter(stays) ?? [], old.hidden.filter(stays)];
    const names = Object.fromEntries(Object.entries(old.names).filter(([id]) => stays(id)));
    this.forgotten = [...(old.list ?? []), ...old.hidden, ...Object.keys(old.names)].some((id) => !stays(id));
    this.own = list.length + hidden.length + Object.keys(names).length > 0;
    if (list.length) this.list = [...new Set([...this.ids(), ...list])].slice(0, MOST);
    Object.assign(this, {
      names: { ...this.names, ...names },
      hidden: [...new Set([...this.hidden, ...hidden])],
    });
    if (this.own) this.#store();
    else this.#unstore();
  }

  #saved() {
    return this.model?.saved ? tidy(this.model.saved) : NOTHING;
  }

  /** The ids of the sliders, in order. */
  ids() {
    return this.list ?? usualIds(this.model?.directions ?? []).filter((id) => !this.hidden.includes(id));
  }

  /** @param {string} id */
  has(id) {
    return this.ids().includes(id);
  }

  /**
   * @param {string} id
   * @param {string} [title]
   */
  name(id, title) {
    return this.names[id] ?? usualName(id, title);
  }

  /**
   * Append a slider. A direction that only has a `title` gets it as its name.
   * @param {string} id
   * @param {string} [title]
   */
  add(id, title) {
    if (this.has(id) || this.ids().length >= MOST) return;
    const names = usualName(id) === id && title ? { [id]: usualName(id, title), ...this.names } : this.names;
    this.#change({ list: [...this.ids(), id], names, hidden: this.hidden.filter((other) => other !== id) });
  }

  /** @param {string} id */
  remove(id) {
    this.#change({ list: this.ids().filter((other) => other !== id) });
  }

  /**
   * Move a slider one place up (-1) or down (1).
   * @param {string} id
   * @param {number} step
   */
  move(id, step) {
    const list = [...this.ids()];
    const from = list.indexOf(id);
    if (list[from + step] === undefined) return;
    [list[from], list[from + step]] = [list[from + step], list[from]];
    this.#change({ list });
  }

  /**
   * Rename a direction. An empty name restores the default one.
   * @param {string} id
   * @param {string} text
   * @param {string} [title]
   */
  rename(id, text, title) {
    const { [id]: _, ...names } = this.names;
    const name = text.trim().slice(0, LONGEST);
    this.#change({ names: name && name !== usualName(id, title) ? { ...names, [id]: name } : names });
  }

  /**
   * Hide a direction from its family, and remove its slider.
   * @param {string} id
   */
  hide(id) {
    this.#change({ hidden: [...this.hidden, id], list: this.ids().filter((other) => other !== id) });
  }

  /** @param {string[]} ids */
  show(ids) {
    this.#change({ hidden: this.hidden.filter((id) => !ids.includes(id)) });
  }

  /** Restore the list that is saved with the model, or the default. */
  reset() {
    this.#unstore();
    Object.assign(this, { own: false, forgotten: false, ...this.#saved() });
    this.changed();
  }

  /** @param {Partial<SliderList>} patch */
  #change(patch) {
    Object.assign(this, { own: true, forgotten: false, ...patch });
    this.#store();
    this.changed();
  }

  #store() {
    const { list, names, hidden } = this;
    const model = must(this.model, "model");
    try {
      localStorage.setItem(
        STORAGE + model.id,
        JSON.stringify({ version: model.directions_version, list, names, hidden }),
      );
    } catch {
      // this browser has no storage: the list lasts as long as the page
    }
  }

  #unstore() {
    try {
      localStorage.removeItem(STORAGE + must(this.model, "model").id);
    } catch {
      // this browser has no storage
    }
  }

  /** The list in the server's form. */
  written() {
    return {
      list: this.ids(),
      names: Object.fromEntries(Object.entries(this.names).slice(0, MOST)),
      hidden: this.hidden,
    };
  }

  /** Whether the model was saved with exactly this list. */
  get isSaved() {
    const saved = this.model?.saved;
    return saved !== null && saved !== undefined && asText(tidy(saved)) === asText(this.written());
  }

  /**
   * Save the list with the model for everybody, or delete it if it is saved. Throws the server's error.
   * @param {(error: Refusal) => void} waiting gets the sentence of a busy server, which is asked again
   */
  async save(waiting) {
    const { isSaved } = this;
    const model = must(this.model, "model");
    const value = isSaved ? NOTHING : this.written();
    const { saved } = await patiently(
      () => request("directions/save", { method: "POST", query: { id: model.id }, value }),
      waiting,
    );
    if (this.model?.id !== model.id) return;
    this.model.saved = saved;
    if (isSaved) return void this.#change({}); // it is the reader's own list again
    this.#unstore();
    Object.assign(this, { own: false, ...this.#saved() });
    this.changed();
  }

  /**
   * The list as the text of a file, with hidden and renamed directions. Each has its vector, so that an
   * import can tell whether the model has the same direction.
   * @param {Families} families
   */
  async exported(families) {
    const sliders = this.ids();
    const ids = [...new Set([...sliders, ...this.hidden, ...Object.keys(this.names)])];
    await families.loadFor(ids);
    const { id: model, title, z_dim } = must(this.model, "model");
    const numbers = (/** @type {string} */ id) =>
      Array.from(must(families.vector(id), id), (value) => Math.round(value * DIGITS) / DIGITS);
    const directions = ids
      .filter((id) => families.vector(id))
      .slice(0, MOST)
      .map((id) => ({
        id,
        name: this.name(id, families.about(id)?.title),
        family: familyOf(id),
        slider: sliders.includes(id),
        hidden: this.hidden.includes(id),
        vector: numbers(id),
      }));
    return JSON.stringify({ format: FORMAT, model, title, z_dim, directions }, null, 1);
  }

  /**
   * Import the list of a file's text. Throws {text} if the file is invalid, or belongs to another model.
   * @param {string} text
   * @param {Families} families
   */
  async imported(text, families) {
    const model = must(this.model, "model");
    const file = read(text);
    const foreign = {
      text: t("explore.import_foreign", { name: String(file.title ?? file.model ?? "?").slice(0, LONGEST) }),
    };
    if (file.z_dim !== model.z_dim) throw foreign;
    await families.loadFor(file.directions.map((direction) => direction.id));
    if (model.id !== this.model?.id) return;
    for (const { id, vector } of file.directions) {
      const own = families.vector(id);
      if (!own || vector.length !== own.length || !(likeness(own, vector) >= SAME)) throw foreign;
    }
    const names = named(Object.fromEntries(file.directions.map(({ id, name }) => [id, name])));
    for (const id of Object.keys(names)) if (names[id] === usualName(id)) delete names[id];
    const ids = (/** @type {"slider" | "hidden"} */ wanted) =>
      file.directions.filter((direction) => direction[wanted]).map(({ id }) => id);
    const list = ids("slider");
    const hidden = [
      ...this.hidden.filter((id) => !file.directions.some((direction) => direction.id === id)),
      ...ids("hidden"),
    ];
    this.#change({ list, names: { ...this.names, ...names }, hidden: hidden.slice(0, MOST) });
  }
}

/**
 * The stored list of a model; null if there is none, or if it can't be read.
 * @param {string} id
 */
function stored(id) {
  try {
    return JSON.parse(localStorage.getItem(STORAGE + id) ?? "null");
  } catch {
    return null;
  }
}

/**
 * A valid list from stored or saved data.
 * @param {{list?: unknown, names?: object | null, hidden?: unknown}} sliders
 * @returns {SliderList}
 */
function tidy({ list, names, hidden }) {
  const ids = (/** @type {unknown} */ value) =>
    Array.isArray(value) ? [...new Set(value.filter((id) => ID.test(id)))].slice(0, MOST) : null;
  return { list: ids(list), names: named(names ?? {}), hidden: ids(hidden) ?? [] };
}

/**
 * A list as text. Equal lists have equal texts.
 * @param {SliderList} sliders
 */
const asText = ({ list, names, hidden }) =>
  JSON.stringify([list, Object.entries(names).sort(), [...hidden].sort()]);

/**
 * The valid names in stored data, cut to LONGEST.
 * @param {object} names
 */
function named(names) {
  return Object.fromEntries(
    Object.entries(names)
      .filter(([id, name]) => ID.test(id) && typeof name === "string" && name.trim())
      .map(([id, name]) => [id, name.trim().slice(0, LONGEST)]),
  );
}

/**
 * @typedef {{id: string, name: string, vector: number[], slider: boolean, hidden: boolean}} FileDirection
 * @typedef {{title?: string, model?: string, z_dim: number, directions: FileDirection[]}} SliderFile
 */

/**
 * The contents of a file. Throws {text} if the form is wrong.
 * @param {string} text
 * @returns {SliderFile}
 */
function read(text) {
  const wrong = { text: t("explore.import_wrong") };
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    throw wrong;
  }
  const flags = (/** @type {unknown[]} */ ...values) => values.every((value) => typeof value === "boolean");
  const fits = (/** @type {Record<string, any>} */ { id, name, vector, slider, hidden }) =>
    ID.test(id) &&
    typeof name === "string" &&
    flags(slider, hidden) &&
    Array.isArray(vector) &&
    vector.every(Number.isFinite);
  const { directions } = file ?? {};
  if (
    file?.format !== FORMAT ||
    !Array.isArray(directions) ||
    !directions.length ||
    directions.length > MOST ||
    !directions.every((one) => fits(one ?? {}))
  )
    throw wrong;
  if (new Set(directions.map(({ id }) => id)).size < directions.length) throw wrong;
  return file;
}
