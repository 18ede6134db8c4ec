// A button that asks for a second press before it does something final. It opens no dialog.
import { setText } from "../core/dom.js";

const ASK_FOR = 4000; // ms that it waits for the second press

/** `button` ends with the element of its text, which reads `asks` after a first press. `press(event)` is its click; the second one calls `act()`.
 * The two clicks of a double-click are one press: who makes them has not read the question. */
export class ConfirmButton {
  asking = null; // a timer after the first press

  constructor(button, { asks, act }) {
    this.button = button;
    this.asks = asks;
    this.act = act;
    this.rest = button.textContent;
  }

  /** What the button says at rest. */
  name(text) {
    this.rest = text;
    this.show(Boolean(this.asking));
  }

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

  /** Back to rest: nobody pressed again, or there is nothing to ask any more. */
  settle() {
    if (!this.asking) return;
    clearTimeout(this.asking);
    this.asking = null;
    this.show(false);
  }

  show(asking) {
    this.button.classList.toggle("is-asking", asking);
    setText(this.button.lastChild, asking ? this.asks : this.rest);
  }
}
