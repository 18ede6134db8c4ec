// Moves the point by drag, wheel and keys on the large picture and on the pad, along the two chosen
// directions.
import { later } from "../core/debounce.js";
import { h, icon, targetOf, wheelMeant } from "../core/dom.js";
import { PLAYING } from "../core/events.js";
import { t } from "../core/i18n.js";
import { along, amountOf, LIMIT, randomSeed, unmoved } from "../latent/point.js";
import { wandering } from "../latent/random-walk.js";
import { Player } from "../widgets/player.js";

const STEP = 0.1; // sigma for a press of a key
const STRIDE = 0.5; // sigma with Shift
const NOTCH = 0.2; // sigma for a notch of the wheel, which is 100 pixels of scrolling
const SLACK = 4; // CSS pixels; a shorter movement is a click
const STILL = 250; // ms after the last notch until the movement has ended
/** @type {Record<string, Place>} */
// Up is more, as on a graph.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const SIGNS = [1, -1]; // across and up; the screen counts downwards

/** @param {number} value */
const clamped = (value) => Math.min(LIMIT, Math.max(-LIMIT, value));

/**
 * A view that has borrowed the large picture.
 * @typedef {{label: string, key(event: KeyboardEvent): boolean}} Guest
 */

/**
 * The movements that the large picture, the pad and the random walk share. `speed` is the walk's, in radians
 * a second.
 */
export class HandMoves {
  speed = 0.5;
  /** @type {?Guest} */
  guest = null;

  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    this.walk = new Player(
      explorer,
      wandering(explorer, () => this.speed),
    );
    this.button = h("button", {
      type: "button",
      class: "xp-button xp-stroll",
      onclick: () => this.walk.toggle(),
    });
    explorer.addEventListener(PLAYING, () => this.#show());
    this.#show();
    this.rest = later(() => explorer.change({}, false), STILL);
    const figure = explorer.large.element;
    figure.tabIndex = 0;
    // So that screen readers pass the arrow keys on to the picture.
    figure.setAttribute("role", "application");
    this.lend(null);
    this.listen(figure);
    this.#drag(figure);
  }

  /**
   * Lend pointer and wheel on the large picture to a view; null takes them back. The guest has a `label`, and
   * `key(event)` returns whether it used the key.
   * @param {?Guest} guest
   */
  lend(guest) {
    this.guest = guest;
    this.explorer.large.element.setAttribute("aria-label", guest?.label ?? t("explore.large_keys"));
  }

  /**
   * The view that has borrowed the large picture.
   * @param {HTMLElement} element
   */
  #guest(element) {
    return element === this.explorer.large.element ? this.guest : null;
  }

  #show() {
    const key = this.walk.playing ? "explore.walk_pause" : "explore.walk_play";
    this.button.replaceChildren(icon(this.walk.playing ? "pause" : "play"));
    this.button.setAttribute("aria-label", t(key));
    this.button.title = t(key);
  }

  /** The amounts of the two chosen directions. */
  get place() {
    const { axes, point } = this.explorer;
    return axes.pair.map((id) => amountOf(point, id));
  }

  /**
   * Set these amounts.
   * @param {number[]} values
   * @param {boolean} dragging
   */
  to(values, dragging) {
    const { axes, point } = this.explorer;
    this.explorer.change(along(point, axes.pair, values.map(clamped)), dragging);
  }

  /**
   * @param {number} across
   * @param {number} down
   * @param {boolean} dragging
   */
  by(across, down, dragging) {
    const [x, y] = this.place;
    this.to([x + across, y + down], dragging);
  }

  /**
   * Handle keys and the wheel on a focusable element. The wheel works only while the element has the focus
   * (wheelMeant). A click focuses it, and Escape blurs it.
   * @param {HTMLElement} element
   */
  listen(element) {
    element.addEventListener("keydown", (event) => this.#key(event, element));
    element.addEventListener(
      "keyup",
      (event) => event.key in ARROWS && !this.#guest(element) && this.explorer.change({}, false),
    );
    element.addEventListener(
      "wheel",
      (event) => {
        if (this.#guest(element) || !wheelMeant(event, element)) return;
        event.preventDefault();
        const amount = (/** @type {number} */ pixels) => clamped((-pixels * NOTCH) / 100);
        const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
        const moved = amount(sideways ? event.deltaX || event.deltaY : event.deltaY);
        if (sideways) this.by(0, moved, true);
        else this.by(moved, 0, true);
        this.rest();
      },
      { passive: false },
    );
  }

  /**
   * @param {KeyboardEvent} event
   * @param {HTMLElement} element
   */
  #key(event, element) {
    if (event.target !== element || event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.#guest(element)?.key(event)) return void event.preventDefault();
    const arrow = ARROWS[event.key];
    const size = event.shiftKey ? STRIDE : STEP;
    if (arrow) this.by(size * arrow[0], size * arrow[1], true);
    else if (event.key === " ") (this.explorer.player ?? this.walk).toggle();
    else if (event.key === "r" || event.key === "R")
      this.explorer.change({ ...unmoved(), seed: randomSeed() }, false);
    else if (event.key === "Home") this.to([0, 0], false);
    else if (event.key === "Escape") element.blur();
    else return;
    event.preventDefault();
  }

  /**
   * Dragging across the whole picture moves a slider from one end to the other, as on the pad. A finger's
   * sideways drag moves the point (touch-action: pan-y). Its vertical drag scrolls the page, because the
   * picture fills most of a phone's screen.
   * @param {HTMLElement} figure
   */
  #drag(figure) {
    /** @type {?{x: number, y: number, place: number[], moving: boolean}} */
    let from = null;
    const over = () => {
      if (from?.moving) this.explorer.change({}, false);
      from = null;
    };
    figure.addEventListener("pointerdown", (event) => {
      if (!this.guest && event.button === 0 && event.isPrimary && !targetOf(event).closest("button"))
        from = { x: event.clientX, y: event.clientY, place: this.place, moving: false };
    });
    figure.addEventListener("pointermove", (event) => {
      if (!from || !event.isPrimary) return;
      const { x, y, place } = from;
      const moved = [event.clientX - x, event.clientY - y];
      const upright = event.pointerType === "touch" && Math.abs(moved[0]) <= Math.abs(moved[1]);
      if (!from.moving && (upright || Math.hypot(...moved) < SLACK)) return;
      if (!from.moving) figure.setPointerCapture(event.pointerId);
      from.moving = true;
      const side = this.explorer.large.canvas.clientWidth;
      this.to(
        place.map((value, axis) => value + SIGNS[axis] * (moved[axis] / side) * 2 * LIMIT),
        true,
      );
    });
    for (const end of ["pointerup", "pointercancel"]) figure.addEventListener(end, over);
  }
}
