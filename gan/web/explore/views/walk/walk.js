// The view of walks: a pad over two directions, and a random walk that plays and pauses.
import { h, icon, setText } from "../../../core/dom.js";
import { PLAYING } from "../../../core/events.js";
import { t } from "../../../core/i18n.js";
import { LIMIT } from "../../../latent/point.js";
import { heading } from "../../../widgets/help.js";
import { signed, Slider } from "../../../widgets/slider.js";

const [SLOWEST, FASTEST] = [0.1, 2]; // radians a second

/** @param {number} value */
const clamped = (value) => Math.min(LIMIT, Math.max(-LIMIT, value));

export class View {
  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    this.moves = explorer.moves;
    this.pad = new Pad(this.moves);
    this.selects = [0, 1].map((axis) =>
      explorer.axes.select(axis, t(axis ? "explore.axis_up" : "explore.axis_across")),
    );
    this.values = [0, 1].map(() => h("output", { class: "xp-value" }));
    this.button = h("button", {
      type: "button",
      class: "xp-button xp-primary",
      onclick: () => this.moves.walk.toggle(),
    });
    this.speed = new Slider({
      name: t("explore.walk_speed"),
      low: SLOWEST,
      high: FASTEST,
      step: 0.05,
      rest: this.moves.speed,
      input: (value) => {
        this.moves.speed = value;
      },
    });
    explorer.addEventListener(PLAYING, () => this.#show());
    this.element = h(
      "div",
      { class: "xp-moving" },
      h(
        "section",
        {},
        ...heading(t("explore.pad"), t("explore.pad_hint")),
        h(
          "div",
          { class: "xp-steer" },
          this.pad.element,
          h(
            "div",
            { class: "xp-axes" },
            this.selects.map((select, axis) =>
              h(
                "label",
                { class: "xp-axis" },
                h("span", { "aria-hidden": "true" }, axis ? "↑" : "→"),
                select,
                this.values[axis],
              ),
            ),
            h("p", { class: "xp-hint" }, t("explore.pad_keys")),
          ),
        ),
      ),
      h(
        "section",
        {},
        ...heading(t("explore.random_walk"), t("explore.random_walk_hint")),
        h("div", { class: "xp-play" }, this.button, this.speed.element),
      ),
    );
    this.#show();
  }

  place() {
    this.pad.place();
    const { place } = this.moves;
    this.values.forEach((value, axis) => setText(value, signed(place[axis])));
  }

  #show() {
    const { playing } = this.moves.walk;
    this.button.replaceChildren(
      icon(playing ? "pause" : "play"),
      h("span", {}, t(playing ? "explore.pause" : "explore.play")),
    );
  }
}

/** A square that moves two directions at once. `place()` sets its knob to the point. */
class Pad {
  /** @param {Explorer["moves"]} moves */
  constructor(moves) {
    this.moves = moves;
    this.knob = h("span", { class: "xp-knob" });
    this.element = h(
      "div",
      {
        class: "xp-pad",
        tabindex: "0",
        role: "application",
        onpointerdown: (event) => this.#begin(event),
        onpointermove: (event) => this.#follow(event),
        onpointerup: () => this.#end(),
        onpointercancel: () => this.#end(),
        ondblclick: () => moves.to([0, 0], false),
      },
      this.knob,
    );
    moves.listen(this.element);
  }

  place() {
    const { axes } = this.moves.explorer;
    const [i, j] = axes.pair.map((id) => axes.name(id));
    const [x, y] = this.moves.place;
    this.knob.style.left = `${(50 * (clamped(x) + LIMIT)) / LIMIT}%`;
    this.knob.style.top = `${(50 * (LIMIT - clamped(y))) / LIMIT}%`;
    this.element.setAttribute("aria-label", t("explore.pad_at", { i, across: signed(x), j, up: signed(y) }));
  }

  /** @param {PointerEvent} event */
  #begin(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    this.held = true;
    this.element.setPointerCapture(event.pointerId);
    this.#follow(event);
  }

  /** @param {PointerEvent} event */
  #follow(event) {
    if (!this.held || !event.isPrimary) return;
    const box = this.element.getBoundingClientRect();
    const part = [(event.clientX - box.left) / box.width, (box.bottom - event.clientY) / box.height];
    this.moves.to(
      part.map((value) => Math.round((2 * value - 1) * LIMIT * 100) / 100),
      true,
    );
  }

  #end() {
    if (this.held) this.moves.explorer.change({}, false);
    this.held = false;
  }
}
