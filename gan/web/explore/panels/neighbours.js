// The neighbourhood: 5 x 5 pictures over two directions, one sigma apart. The current point is one of them.
import { h } from "../../core/dom.js";
import { t } from "../../core/i18n.js";
import { query } from "../../latent/encoding.js";
import { along, amountOf, LIMIT } from "../../latent/point.js";
import { heading } from "../../widgets/help.js";
import { Mosaic, Sheet } from "../../widgets/mosaic.js";
import { signed } from "../../widgets/slider.js";

export const SIDE = 5;
const REACH = (SIDE - 1) / 2;
const STEP = 1;

/**
 * The centre of the grid along one direction, for a slider at `value`. It is a whole number of steps away, so
 * that no cell passes the slider's end. `place` is the point's column, or its row from the bottom, 0 to 4.
 * @param {number} value
 */
export function windowAround(value) {
  const room = LIMIT - REACH * STEP;
  const steps = Math.sign(value) * Math.ceil(Math.max(0, Math.abs(value) - room - 1e-9) / STEP);
  return { middle: value - steps * STEP, place: REACH + steps };
}

/** The section under the samples. `axes` (axes.js) has its two directions. */
export class Neighbours {
  awake = false;
  /** @type {string[]} */
  names = [];

  /** @param {PanelHost} host */
  constructor({ point, axes, version, change, draw, failed }) {
    this.point = point;
    this.axes = axes;
    this.version = version;
    this.change = change;
    this.pair = axes.pair;
    this.mosaic = new Mosaic({
      rows: SIDE,
      columns: SIDE,
      label: t("explore.neighbours"),
      name: (index) => this.#name(index),
      pick: (index) => this.change(this.#patch(this.#values(index))),
    });
    this.sheet = new Sheet({
      mosaic: this.mosaic,
      path: "neighbours",
      query: () => this.#query(),
      points: () => this.#points(),
      draw,
      failed,
    });
    this.element = h(
      "section",
      { class: "xp-near" },
      ...heading(
        t("explore.neighbours"),
        t("explore.neighbours_hint"),
        h("span", { class: "gan-space" }),
        h(
          "label",
          { class: "xp-axis" },
          h("span", { "aria-hidden": "true" }, "→"),
          axes.select(0, t("explore.axis_across")),
        ),
        h(
          "label",
          { class: "xp-axis" },
          h("span", { "aria-hidden": "true" }, "↑"),
          axes.select(1, t("explore.axis_up")),
        ),
      ),
      this.mosaic.element,
    );
    this.mosaic.lock(true);
  }

  /**
   * Whether the model's directions are known. Without them there is nothing to request.
   * @param {boolean} awake
   */
  wake(awake) {
    this.awake = awake;
    this.place();
  }

  /** Mark the current point's cell, and rename all cells. */
  place() {
    this.pair = this.axes.pair;
    this.names = this.pair.map((id) => this.axes.name(id));
    const [across, up] = this.#stands().map((value) => windowAround(value).place);
    this.mosaic.mark((SIDE - 1 - up) * SIDE + across);
    this.mosaic.relabel();
  }

  #stands() {
    return this.pair.map((id) => amountOf(this.point(), id));
  }

  /** @param {number} index */
  #values(index) {
    const stands = this.#stands();
    return [index % SIDE, SIDE - 1 - Math.floor(index / SIDE)].map(
      (cell, axis) => windowAround(stands[axis]).middle + (cell - REACH) * STEP,
    );
  }

  /** @param {number[]} values */
  #patch(values) {
    return along(this.point(), this.pair, values);
  }

  /** @param {number} index */
  #name(index) {
    const [across, up] = this.#values(index).map(signed);
    return t("explore.neighbour", { i: this.names[0], across, j: this.names[1], up });
  }

  #points() {
    return Array.from({ length: SIDE * SIDE }, (_, index) => ({
      ...this.point(),
      ...this.#patch(this.#values(index)),
    }));
  }

  #query() {
    if (!this.awake) return null;
    const middle = this.#stands().map((value) => windowAround(value).middle);
    return query(
      { ...this.point(), ...this.#patch(middle) },
      { i: this.pair[0], j: this.pair[1], step: STEP, n: SIDE, v: this.version() },
    );
  }
}
