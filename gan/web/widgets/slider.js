// Sliders: one row each, with a name, a track that is filled from the rest position, and a value.
import { later } from "../core/debounce.js";
import { h, setText, wheelMeant } from "../core/dom.js";
import { known, t } from "../core/i18n.js";
import { className } from "../explore/panels/model-picker.js";

const tenths = new Intl.NumberFormat("en", {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
  signDisplay: "exceptZero",
});
const counted = new Intl.NumberFormat("en", { maximumFractionDigits: 0 }).format;
const plain = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format;

/**
 * An amount of a direction as the page writes it: +1.5, −2.9, 0.0.
 * @param {number} value
 */
export const signed = (value) => tenths.format(value).replace("-", "−");

const NOTCHES = 60; // of the wheel, from one end to the other
const STILL = 250; // ms after the last notch until the movement has ended

/** @typedef {(value: number, dragging: boolean) => void} SliderInput */
/**
 * @typedef {{name: string, note?: string, low: number, high: number, step: number, rest?: number, input:
 *    SliderInput, compact?: boolean,
 *   format?: (value: number) => string}} SliderOptions
 */

/**
 * One slider. `input(value, dragging)` is called for each movement, and once more at its end with dragging
 * false. A double click, Delete or Backspace restores `rest`. `set(value)` moves it from outside, and
 * `describe(name, note)` renames it.
 */
export class Slider {
  index = -1; // the entry of z that a raw slider moves

  /** @param {SliderOptions} options */
  constructor({
    name,
    note = "",
    low,
    high,
    step,
    rest = 0,
    input,
    compact = false,
    format = low < 0 ? signed : step >= 1 ? counted : plain,
  }) {
    this.rest = rest;
    this.format = format;
    this.bar = h("input", {
      type: "range",
      min: String(low),
      max: String(high),
      step: String(step),
      oninput: () => this.#moved(input, true),
      onchange: () => this.#moved(input, false),
      ondblclick: () => this.#restore(input),
      onkeydown: (event) => this.#key(event, input),
      onwheel: (event) => this.#wheel(event, input),
    });
    this.still = later(() => this.#moved(input, false), STILL);
    this.note = h("small");
    this.name = h("span", { class: "xp-name" });
    this.value = h("output", { class: "xp-value" });
    this.element = h(
      "label",
      { class: compact ? "xp-slider xp-compact" : "xp-slider" },
      h("span", { class: "xp-label" }, this.name, this.note),
      this.bar,
      this.value,
    );
    this.describe(name, note);
    this.set(rest);
  }

  /** @param {string} name */
  describe(name, note = "") {
    setText(this.name, name);
    this.name.title = name; // the row may cut a long name off
    setText(this.note, note);
    this.bar.setAttribute("aria-label", note ? `${name}, ${note}` : name);
  }

  /** @param {number} value */
  set(value) {
    this.bar.value = String(value);
    this.#show(value);
  }

  /**
   * @param {SliderInput} input
   * @param {boolean} dragging
   */
  #moved(input, dragging) {
    this.#show(this.bar.valueAsNumber);
    input(this.bar.valueAsNumber, dragging);
  }

  /** @param {SliderInput} input */
  #restore(input) {
    this.set(this.rest);
    input(this.rest, false);
  }

  /**
   * @param {KeyboardEvent} event
   * @param {SliderInput} input
   */
  #key(event, input) {
    if (event.key !== "Delete" && event.key !== "Backspace") return;
    event.preventDefault();
    this.#restore(input);
  }

  /**
   * The wheel moves only a focused slider, so that page scrolling is never hijacked.
   * @param {WheelEvent} event
   * @param {SliderInput} input
   */
  #wheel(event, input) {
    if (!wheelMeant(event, this.bar) || !event.deltaY) return;
    event.preventDefault();
    const [min, max, step] = [this.bar.min, this.bar.max, this.bar.step].map(Number);
    this.bar.valueAsNumber -= Math.sign(event.deltaY) * Math.max(step, (max - min) / NOTCHES);
    this.#moved(input, true);
    this.still();
  }

  /**
   * Show the value itself, which may lie between two steps of the bar.
   * @param {number} value
   */
  #show(value) {
    const [min, max, step] = [this.bar.min, this.bar.max, this.bar.step].map(Number);
    const part = (/** @type {number} */ number) => Math.min(1, Math.max(0, (number - min) / (max - min)));
    const [from, to] = [part(this.rest), part(value)].sort((a, b) => a - b);
    this.bar.style.setProperty("--from", from.toFixed(4));
    this.bar.style.setProperty("--to", to.toFixed(4));
    this.element.classList.toggle("is-moved", Math.abs(value - this.rest) > step / 2);
    setText(this.value, this.format(value));
  }
}

/**
 * Whether a direction deserves a slider: it changes pictures, and differs from those before it.
 * @param {Pick<Direction, "dead" | "twin">} direction
 */
export const lively = (direction) => !direction.dead && !direction.twin;

/**
 * A direction's default name. `title` is the data's name for an attribute.
 * @param {string} id
 * @param {string} [title]
 */
export function usualName(id, title) {
  const [, letter, number] = /^([ps])(\d+)$/.exec(id) ?? [];
  if (number) return t(letter === "p" ? "explore.direction" : "explore.factor", { number: +number + 1 });
  if (known(`explore.attribute_${id}`)) return t(`explore.attribute_${id}`);
  return title ? t("explore.attribute_class", { name: className(title) }) : id;
}

/**
 * The ids of a model's default sliders, in order.
 * @param {Direction[]} directions
 */
export const usualIds = (directions) => directions.filter(lively).map((direction) => direction.id);

/**
 * How much a direction changes pictures, as text; "" if unknown.
 * @param {Direction | undefined} direction
 */
export const effectText = (direction) =>
  direction?.effect === undefined ? "" : t("explore.effect", { times: direction.effect.toFixed(1) });
