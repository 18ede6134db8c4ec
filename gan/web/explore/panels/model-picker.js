// The strip of models: shipped checkpoints, runs, and the run that is training right now.
import { address } from "../../core/api.js";
import { h, setText } from "../../core/dom.js";
import { ago } from "../../core/format.js";
import { known, t } from "../../core/i18n.js";

/**
 * @param {string} room
 * @param {string} name
 */
const words = (room, name) => (known(`${room}.${name}`) ? t(`${room}.${name}`) : name);

/** The facts from which a title is made. @typedef {Pick<Model, "title"> & Partial<Pick<Model, "name" | "kind" | "data">>} Named */

/**
 * What a model is called: the name that somebody gave its run, else the data it learned.
 * @param {Named} model
 */
export const title = (model) => model.name ?? dataTitle(model);

/**
 * The data that a model learned, in the reader's language where we have a word for it.
 * @param {Named} model
 */
function dataTitle(model) {
  if (known(`data.${model.data}`)) return t(`data.${model.data}`);
  return model.kind === "run" && model.data ? model.data.slice(model.data.lastIndexOf("/") + 1) : model.title;
}

/**
 * The same where nothing stands beside it: with the recipe of a run that nobody named.
 * @param {Model} model
 */
export const fullTitle = (model) => [title(model), !model.name && model.recipe && words("recipe", model.recipe)].filter(Boolean).join(" · ");

/**
 * A run's newest grid is told apart by its own address; a checkpoint's preview by the version.
 * @param {Model} model
 */
export const previewAddress = (model) => model.preview && address(model.preview, model.kind === "shipped" ? { v: model.updated } : {});

/**
 * The reader's word for a class.
 * @param {string} name
 */
export const className = (name) => words("class", name);

/** @param {Model} model */
function subtitle(model) {
  if (model.unreadable) return t("explore.unreadable");
  if (model.kind === "shipped") return t("explore.shipped");
  const recipe = words("recipe", model.recipe ?? "");
  const data = model.name ? dataTitle(model) : null;
  if (model.live) return [t("explore.live"), data, recipe].filter(Boolean).join(" · ");
  const unfinished = ["paused", "failed", "queued"].includes(model.state ?? "") ? words("state", model.state ?? "") : null;
  return [data, recipe, unfinished, model.created ? ago(model.created) : null].filter(Boolean).join(" · ");
}

/** @typedef {{element: HTMLButtonElement, thumb: HTMLElement, name: HTMLElement, note: HTMLElement, preview: ?string}} Card */

/** A row of cards; `pick(id)` is called for the one that is chosen. `show(models, current)` brings it up to date in place. */
export class ModelPicker {
  /** @param {(id: string) => void} pick */
  constructor(pick) {
    this.pick = pick;
    /** @type {Map<string, Card>} */
    this.cards = new Map();
    this.row = h("div", { class: "xp-cards", role: "group", "aria-label": t("explore.models") });
    this.element = h("section", { class: "xp-picker" }, this.row);
  }

  /**
   * @param {Model[]} models
   * @param {?string} current
   */
  show(models, current) {
    const ids = new Set(models.map((model) => model.id));
    for (const [id, card] of this.cards) {
      if (!ids.has(id)) {
        card.element.remove();
        this.cards.delete(id);
      }
    }
    models.forEach((model, place) => {
      const card = this.cards.get(model.id) ?? this.#add(model.id);
      if (this.row.children[place] !== card.element) this.row.insertBefore(card.element, this.row.children[place] ?? null);
      this.#update(card, model, model.id === current);
    });
  }

  /**
   * Bring a card into view without moving the page.
   * @param {?string} id
   */
  reveal(id) {
    const card = this.cards.get(id ?? "")?.element;
    if (!card) return;
    const [left, right] = [card.offsetLeft - this.row.offsetLeft, card.offsetLeft - this.row.offsetLeft + card.offsetWidth];
    if (left < this.row.scrollLeft || right > this.row.scrollLeft + this.row.clientWidth) this.row.scrollLeft = left - 16;
  }

  /** @param {string} id */
  #add(id) {
    const thumb = h("span", { class: "xp-thumb" });
    const [name, note] = [h("b"), h("small")];
    const element = h("button", { class: "xp-card", type: "button", onclick: () => this.pick(id) }, thumb, h("span", {}, name, note));
    const card = { element, thumb, name, note, preview: null };
    this.cards.set(id, card);
    return card;
  }

  /**
   * @param {Card} card
   * @param {Model} model
   * @param {boolean} chosen
   */
  #update(card, model, chosen) {
    card.element.setAttribute("aria-pressed", String(chosen));
    card.element.classList.toggle("is-live", Boolean(model.live && !model.unreadable));
    card.element.classList.toggle("is-broken", Boolean(model.unreadable));
    setText(card.name, title(model));
    setText(card.note, subtitle(model));
    if (card.preview === model.preview) return;
    card.preview = model.preview;
    card.thumb.style.backgroundImage = model.preview ? `url("${model.preview}")` : "";
    card.thumb.classList.toggle("is-small", model.size <= 32);
  }
}
