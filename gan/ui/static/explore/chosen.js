// Which directions a visitor has sliders for, under which names and in which order: kept in this browser for each model, and written to a file and back.
import { t } from "../common.js";
import { familyOf, likeness } from "./families.js";
import { lively, usualName } from "./sliders.js";

const STORAGE = "gan.directions.";
const FORMAT = "ganarium-directions-1";
const ID = /^[a-z][a-z0-9_]{0,29}$/;
const MOST = 64;
export const LONGEST = 40; // letters of a name
const DIGITS = 1e5; // numbers of a vector in a file are rounded to this
const SAME = 0.99; // |cosine| from which a vector in a file is the one that this model has

/** The list of one model at a time. `changed()` is called after each change of it. */
export class Chosen {
  constructor(changed) {
    Object.assign(this, { changed, model: null, list: null, names: {}, hidden: [] });
  }

  /** Take over what this browser keeps for a model as GET model describes it. */
  follow(model) {
    const version = model.directions_version;
    if (this.model?.id === model.id && this.model.directions_version === version) return void (this.model = model);
    Object.assign(this, { model, list: null, names: {}, hidden: [] });
    try {
      const kept = JSON.parse(localStorage.getItem(STORAGE + model.id));
      if (kept?.version !== version) return;
      const ids = (value) => (Array.isArray(value) ? value.filter((id) => ID.test(id)).slice(0, MOST) : null);
      Object.assign(this, { list: ids(kept.list), names: named(kept.names ?? {}), hidden: ids(kept.hidden) ?? [] });
    } catch {
      // nothing kept, or nothing that can be read: the list begins anew
    }
  }

  /** The ids of the sliders, in order. */
  ids() {
    return this.list ?? (this.model?.directions ?? []).filter(lively).map((direction) => direction.id);
  }

  has(id) {
    return this.ids().includes(id);
  }

  name(id, title) {
    return this.names[id] ?? usualName(id, title);
  }

  /** A slider more, at the end. What is only known by its `title` keeps that as its name. */
  add(id, title) {
    if (this.has(id) || this.ids().length >= MOST) return;
    const names = usualName(id) === id && title ? { [id]: usualName(id, title), ...this.names } : this.names;
    this.#change({ list: [...this.ids(), id], names, hidden: this.hidden.filter((other) => other !== id) });
  }

  remove(id) {
    this.#change({ list: this.ids().filter((other) => other !== id) });
  }

  /** One place up (-1) or down (1). */
  move(id, step) {
    const list = [...this.ids()];
    const from = list.indexOf(id);
    if (list[from + step] === undefined) return;
    [list[from], list[from + step]] = [list[from + step], list[from]];
    this.#change({ list });
  }

  /** An empty name brings the usual one back. */
  rename(id, text, title) {
    const { [id]: _, ...names } = this.names;
    const name = text.trim().slice(0, LONGEST);
    this.#change({ names: name && name !== usualName(id, title) ? { ...names, [id]: name } : names });
  }

  /** A hidden direction is not shown in its family, and has no slider. */
  hide(id) {
    this.#change({ hidden: [...this.hidden, id], list: this.ids().filter((other) => other !== id) });
  }

  show(ids) {
    this.#change({ hidden: this.hidden.filter((id) => !ids.includes(id)) });
  }

  /** Everything as it was at first. */
  reset() {
    this.#change({ list: null, names: {}, hidden: [] });
  }

  #change(patch) {
    Object.assign(this, patch);
    const { list, names, hidden } = this;
    try {
      localStorage.setItem(STORAGE + this.model.id, JSON.stringify({ version: this.model.directions_version, list, names, hidden }));
    } catch {
      // a browser without storage keeps the list until the page is closed
    }
    this.changed();
  }

  /** The list as a file's text, with each direction's vector, so that it can be told whether another model means the same by it. */
  async exported(families) {
    const ids = this.ids();
    await families.know(ids);
    const { id: model, title, z_dim } = this.model;
    const directions = ids.map((id) => ({ id, name: this.name(id), family: familyOf(id), vector: Array.from(families.vector(id) ?? [], (value) => Math.round(value * DIGITS) / DIGITS) }));
    return JSON.stringify({ format: FORMAT, model, title, z_dim, directions }, null, 1);
  }

  /** Take over the list of a file's text. Throws {text}, a sentence, for what is none, or another model's. */
  async imported(text, families) {
    const { model } = this;
    const file = read(text);
    const foreign = { text: t("explore.import_foreign", { name: String(file.title ?? file.model ?? "?").slice(0, LONGEST) }) };
    if (file.z_dim !== model.z_dim) throw foreign;
    await families.know(file.directions.map((direction) => direction.id));
    if (model !== this.model) return;
    for (const { id, vector } of file.directions) {
      const own = families.vector(id);
      if (!own || vector.length !== own.length || !(likeness(own, vector) >= SAME)) throw foreign;
    }
    const names = named(Object.fromEntries(file.directions.map(({ id, name }) => [id, name])));
    for (const id of Object.keys(names)) if (names[id] === usualName(id)) delete names[id];
    const list = file.directions.map((direction) => direction.id);
    this.#change({ list, names: { ...this.names, ...names }, hidden: this.hidden.filter((id) => !list.includes(id)) });
  }
}

/** Names by id, of whatever was stored: strings, and not too long. */
function named(names) {
  return Object.fromEntries(Object.entries(names).filter(([id, name]) => ID.test(id) && typeof name === "string" && name.trim()).map(([id, name]) => [id, name.trim().slice(0, LONGEST)]));
}

/** What a file says, its form checked. Throws {text}. */
function read(text) {
  const wrong = { text: t("explore.import_wrong") };
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    throw wrong;
  }
  const fits = ({ id, name, vector } = {}) => ID.test(id) && typeof name === "string" && Array.isArray(vector) && vector.every(Number.isFinite);
  const { directions } = file ?? {};
  if (file?.format !== FORMAT || !Array.isArray(directions) || !directions.length || directions.length > MOST || !directions.every(fits)) throw wrong;
  if (new Set(directions.map(({ id }) => id)).size < directions.length) throw wrong;
  return file;
}
