// The base of the form's pickers.
import { h, targetOf } from "../../core/dom.js";
import { CHOOSE, OFFER } from "../../core/events.js";
import { refusal, sentence } from "../../core/i18n.js";
import { catalogue } from "../catalogue.js";

/** A name, or minutes. @typedef {string | number} PickerValue */
/** @typedef {HTMLButtonElement & {option: PickerValue}} Card */

/**
 * The base of the three pickers. Gradio sets their value ("offer", data-value) and reads it ("choose"). Their
 * cards behave as radio buttons.
 */
export class Picker extends HTMLElement {
  built = false;
  /** @type {?PickerValue} */ value = null;

  /** Fill the picker from the catalogue. @param {Catalogue} _offer */
  build(_offer) {}

  /** Show more about the chosen card. @param {PickerValue} _value */
  marked(_value) {}

  async connectedCallback() {
    if (this.built) return;
    this.built = true;
    this.value = JSON.parse(this.dataset.value ?? "null");
    this.addEventListener(OFFER, (event) => this.mark(event.detail));
    this.setAttribute("role", "radiogroup");
    this.addEventListener("keydown", (event) => this.arrow(event));
    try {
      this.build(await catalogue());
    } catch (error) {
      this.append(h("p", { class: "tr-error" }, sentence(refusal(error))));
    }
    // Gradio may have bound the value after we were built.
    this.mark(JSON.parse(this.dataset.value ?? "null") ?? this.value);
  }

  /**
   * @param {PickerValue} value
   * @param {Attributes} attributes
   * @param {...Child | Child} children
   */
  card(value, attributes, ...children) {
    const button = h(
      "button",
      { type: "button", role: "radio", ...attributes, onclick: () => this.choose(value) },
      ...children,
    );
    return Object.assign(button, { option: value });
  }

  /** @returns {Card[]} */
  cards() {
    return [...this.querySelectorAll("[role=radio]")].map((card) => /** @type {Card} */ (card));
  }

  /** @param {PickerValue} value */
  choose(value) {
    this.mark(value);
    this.dispatchEvent(new CustomEvent(CHOOSE, { detail: value }));
  }

  /** @param {?PickerValue} value */
  mark(value) {
    if (value === null || value === undefined) return;
    this.value = value;
    const cards = this.cards();
    const chosen = cards.find((card) => card.option === value);
    for (const card of cards) {
      card.setAttribute("aria-checked", String(card === chosen));
      card.tabIndex = card === (chosen ?? cards[0]) ? 0 : -1;
    }
    const folded = chosen?.closest("details");
    if (folded) folded.open = true;
    this.marked(value);
  }

  /** @param {KeyboardEvent} event */
  arrow(event) {
    /** @type {Record<string, number>} */
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    const step = steps[event.key];
    if (!step || targetOf(event).getAttribute("role") !== "radio") return;
    event.preventDefault();
    const cards = this.cards().filter((card) => card.offsetParent !== null && !card.disabled);
    const next =
      cards[(cards.findIndex((card) => card === event.target) + step + cards.length) % cards.length];
    next.focus();
    this.choose(next.option);
  }
}
