// The view of ways to walk: a pad over two directions, and a random walk that plays and pauses.
import { h, icon, setText, t } from "../common.js";
import { heading } from "../help.js";
import { Pad } from "./moves.js";
import { signed, Slider } from "./sliders.js";

const [SLOWEST, FASTEST] = [0.1, 2]; // radians a second

export class View {
  constructor(explorer) {
    Object.assign(this, { explorer, moves: explorer.moves });
    this.pad = new Pad(this.moves);
    this.selects = [0, 1].map((axis) => explorer.axes.select(axis, t(axis ? "explore.axis_up" : "explore.axis_across")));
    this.values = [0, 1].map(() => h("output", { class: "xp-value" }));
    this.button = h("button", { type: "button", class: "xp-button xp-primary", onclick: () => this.moves.walk.toggle() });
    this.speed = new Slider({
      name: t("explore.walk_speed"), low: SLOWEST, high: FASTEST, step: 0.05, rest: this.moves.speed, input: (value) => { this.moves.speed = value; },
    });
    explorer.addEventListener("gan:playing", () => this.#show());
    this.element = h("div", { class: "xp-moving" },
      h("section", {}, ...heading(t("explore.pad"), t("explore.pad_hint")),
        h("div", { class: "xp-steer" }, this.pad.element, h("div", { class: "xp-axes" }, this.selects.map((select, axis) =>
          h("label", { class: "xp-axis" }, h("span", { "aria-hidden": "true" }, axis ? "↑" : "→"), select, this.values[axis])),
        h("p", { class: "xp-hint" }, t("explore.pad_keys"))))),
      h("section", {}, ...heading(t("explore.random_walk"), t("explore.random_walk_hint")), h("div", { class: "xp-play" }, this.button, this.speed.element)));
    this.#show();
  }

  place() {
    this.pad.place();
    const { place } = this.moves;
    this.values.forEach((value, axis) => setText(value, signed(place[axis])));
  }

  #show() {
    const { playing } = this.moves.walk;
    this.button.replaceChildren(icon(playing ? "pause" : "play"), h("span", {}, t(playing ? "explore.pause" : "explore.play")));
  }
}
