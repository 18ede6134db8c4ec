// A button that asks for a second press before a final action. It opens no dialog.
import { must, setText } from "../core/dom.js";

const ASK_FOR = 4000; // ms that it waits for the second press

/**
 * The last child of `button` is its text, which reads `asks` after the first press. `press(event)` handles a
 * click; the second one calls `act()`. A double-click counts as one press, because its user has not read the
 * question.
 */
export class ConfirmButton {
  /** The timer after the first press. @type {ReturnType<typeof setTimeout> | null} */
  asking = null;

  /**
   * @param {HTMLButtonElement} button
   * @param {{asks: string, act: () => unknown}} options
   */
  constructor(button, { asks, act }) {
    this.button = button;
    this.asks = asks;
    this.act = act;
    this.rest = button.textContent;
  }

  /**
   * Set the text at rest.
   * @param {string} text
   */
  name(text) {
    this.rest = text;
    this.show(Boolean(this.asking));
  }

  /** @param {MouseEvent} event */
  press(event) {
    if (this.asking && event.detail > 1) return;
    if (this.asking) {
      this.settle();
      this.act();
      return;
    }
    this.asking = setTimeout(() => this.settle(), ASK_FOR);
    this.show(true);
  }

  /** Return to rest, because nobody pressed again or the action is no longer possible. */
  settle() {
    if (!this.asking) return;
    clearTimeout(this.asking);
    this.asking = null;
    this.show(false);
  }

  /** @param {boolean} asking */
  show(asking) {
    this.button.classList.toggle("is-asking", asking);
    setText(must(this.button.lastChild, "text of a button"), asking ? this.asks : this.rest);
  }
}
