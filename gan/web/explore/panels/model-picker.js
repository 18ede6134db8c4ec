// The cards of the models: the run that is training and the newest runs, pulled models, shipped checkpoints, and
// older runs. A button beside them opens a field that pulls another model from the Hugging Face Hub.
import { address, patiently, request } from "../../core/api.js";
import { h, icon, setText } from "../../core/dom.js";
import { ago } from "../../core/format.js";
import { controls, isVisitor } from "../../core/control.js";
import { known, refusal, t } from "../../core/i18n.js";
import { fullName, manner, numbered } from "../../core/run-name.js";

/**
 * @param {string} group
 * @param {string} name
 */
const words = (group, name) => (known(`${group}.${name}`) ? t(`${group}.${name}`) : name);

/**
 * The facts from which a title is made.
 * @typedef {Pick<Model, "title"> & Partial<Pick<Model, "name" | "number" | "kind" | "data">>} Named
 */

/**
 * A model's title: the name of its run, else its data set with the run's number.
 * @param {Named} model
 */
export const title = (model) => model.name ?? dataTitle(model);

/**
 * The data set of a model, in the reader's language if there is a text for it; the own title of a pulled one.
 * @param {Named} model
 */
function dataTitle(model) {
  const named = model.kind === "run" || (model.kind !== "hub" && known(`data.${model.data}`));
  return (named && numbered(model)) || model.title;
}

/**
 * The title with the recipe and budget of an unnamed run, for places without a subtitle.
 * @param {Model} model
 */
export const fullTitle = (model) => (model.kind === "run" && model.data ? fullName(model) : title(model));

const RECENT = 5; // runs before the other models; more would bury those

/**
 * The models in the order of their cards: live runs, the newest runs of the visitor, pulled models, shipped ones, the
 * other runs. Where visitors control only their own runs, theirs are those; elsewhere all runs belong to the class.
 * @param {Model[]} models runs newest first
 */
export function inOrder(models) {
  const own = (/** @type {Model} */ model) => !isVisitor() || controls(model.id.slice("run:".length));
  const runs = models.filter((model) => model.kind === "run");
  const recent = runs.filter((model) => !model.live && own(model)).slice(0, RECENT);
  const first = [...runs.filter((model) => model.live), ...recent];
  const of = (/** @type {string} */ kind) => models.filter((model) => model.kind === kind);
  return [...first, ...of("hub"), ...of("shipped"), ...runs.filter((model) => !first.includes(model))];
}

/**
 * Each sample sheet of a run has its own address. A checkpoint's preview needs the version in its query.
 * @param {Model} model
 */
export const previewAddress = (model) =>
  model.preview && address(model.preview, model.kind === "shipped" ? { v: model.updated } : {});

/**
 * The reader's word for a class.
 * @param {string} name
 */
export const className = (name) => words("class", name);

/** @param {Model} model */
function subtitle(model) {
  if (model.unreadable) return t("explore.unreadable");
  if (model.kind === "shipped") return t("explore.shipped");
  if (model.kind === "hub") return `${t("explore.hub")} · ${model.id.slice(HUB.length)}`;
  const facts = manner(model);
  const data = model.name ? dataTitle(model) : null;
  if (model.live) return [t("explore.live"), data, ...facts].filter(Boolean).join(" · ");
  const unfinished = ["paused", "failed", "queued"].includes(model.state ?? "")
    ? words("state", model.state ?? "")
    : null;
  return [data, ...facts, unfinished, model.created ? ago(model.created) : null].filter(Boolean).join(" · ");
}

const HUB = "hub:";
const MOST_PULLED = 20; // models that the server keeps
const UNREADABLE = ["latent.damaged", "latent.other_version", "latent.not_finite"];

/**
 * Whether an error is about the model's file, and lasts until the file changes.
 * @param {?Refusal} error
 */
export const unreadable = (error) => UNREADABLE.includes(error?.key ?? "");

/**
 * An error about a model's file with the model's name as the picker shows it.
 * @param {Refusal} error
 * @param {Model} model
 * @returns {Refusal}
 */
export const namedError = (error, model) => ({
  ...error,
  values: { ...error.values, name: fullTitle(model) },
});

/**
 * @typedef {{element: HTMLButtonElement, thumb: HTMLElement, name: HTMLElement, note: HTMLElement, preview:
 *    ?string}} Card
 */

/**
 * A row of cards. `pick(id)` gets the chosen model, and one that the server has pulled. `say(error)` gets why it
 * pulled none. `show(models, current)` updates the row in place.
 */
export class ModelPicker {
  /**
   * @param {(id: string) => void} pick
   * @param {(error: ?Refusal) => void} say
   */
  constructor(pick, say) {
    this.pick = pick;
    this.say = say;
    /** @type {Map<string, Card>} */
    this.cards = new Map();
    this.row = h("div", { class: "xp-cards", role: "group", "aria-label": t("explore.models") });
    this.name = h("input", {
      type: "text",
      class: "xp-pull-name",
      placeholder: "owner/name",
      maxLength: 260,
      spellcheck: false,
      autocapitalize: "none",
      autocomplete: "off",
      "aria-label": t("explore.pull_name"),
    });
    this.button = h("button", { type: "submit", class: "xp-button xp-quiet" }, t("explore.pull"));
    this.form = h(
      "form",
      { class: "xp-pull", id: "xp-pull", hidden: true, onsubmit: (event) => this.#pull(event) },
      [
        h("span", { class: "xp-hint" }, t("explore.pull_hint", { count: MOST_PULLED })),
        this.name,
        this.button,
      ],
    );
    this.opener = h(
      "button",
      {
        type: "button",
        class: "xp-button xp-quiet xp-opener needs-owner",
        "aria-expanded": "false",
        "aria-controls": "xp-pull",
        "aria-label": t("explore.hub"),
        title: t("explore.pull_name"),
        onclick: () => this.#open(this.form.hidden),
      },
      icon("plus"),
      h("span", {}, t("explore.hub")),
    );
    this.element = h("section", { class: "xp-picker" }, this.row, this.opener, this.form);
  }

  /** Show or hide the field for a name. @param {boolean} shown */
  #open(shown) {
    this.form.hidden = !shown;
    this.opener.setAttribute("aria-expanded", String(shown));
    if (shown) this.name.focus();
  }

  /** Put the name of a model of the Hub into the field. @param {string} id */
  offer(id) {
    if (!id.startsWith(HUB) || this.name.value) return;
    this.name.value = id.slice(HUB.length);
    this.#open(true);
  }

  /** @param {SubmitEvent} event */
  async #pull(event) {
    event.preventDefault();
    const name = this.name.value.trim();
    if (!name || this.button.disabled) return;
    this.button.disabled = true;
    try {
      const { id } = await patiently(
        () => {
          setText(this.button, t("explore.pulling"));
          return request("pull", { method: "POST", value: { id: name } });
        },
        () => setText(this.button, t("common.waits")),
      );
      this.name.value = "";
      this.#open(false);
      this.pick(id);
    } catch (error) {
      this.say(refusal(error));
    } finally {
      this.button.disabled = false;
      setText(this.button, t("explore.pull"));
    }
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
    inOrder(models).forEach((model, place) => {
      const card = this.cards.get(model.id) ?? this.#add(model.id);
      if (this.row.children[place] !== card.element)
        this.row.insertBefore(card.element, this.row.children[place] ?? null);
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
    const [left, right] = [
      card.offsetLeft - this.row.offsetLeft,
      card.offsetLeft - this.row.offsetLeft + card.offsetWidth,
    ];
    if (left < this.row.scrollLeft || right > this.row.scrollLeft + this.row.clientWidth)
      this.row.scrollLeft = left - 16;
  }

  /** @param {string} id */
  #add(id) {
    const thumb = h("span", { class: "xp-thumb" });
    const [name, note] = [h("b"), h("small")];
    const element = h(
      "button",
      { class: "xp-card", type: "button", "data-model": id, onclick: () => this.pick(id) },
      thumb,
      h("span", {}, name, note),
    );
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
