// The neighbourhood: 5 x 5 pictures over two principal directions, one sigma apart, with the current point among them.
import { h, t } from "../common.js";
import { heading } from "../help.js";
import { Mosaic } from "./mosaic.js";
import { along, LIMIT, query } from "./point.js";
import { Sheet } from "./sheet.js";
import { directionOptions } from "./sliders.js";

export const SIDE = 5;
const REACH = (SIDE - 1) / 2;
const STEP = 1;

/**
 * Where the middle of the map lies for a slider at `value`: whole steps away from it, and so that no cell passes the slider's end.
 * {middle, place}: `place` is the column (or row) of the current point, 0 to 4.
 */
export function windowAround(value) {
  const room = LIMIT - REACH * STEP;
  const steps = Math.sign(value) * Math.ceil(Math.max(0, Math.abs(value) - room - 1e-9) / STEP);
  return { middle: value - steps * STEP, place: REACH + steps };
}

/** The section under the samples. `point()` says where we are, `change(patch)` goes elsewhere. */
export class Neighbours {
  constructor({ point, version, change, draw, failed }) {
    Object.assign(this, { point, version, change, count: 0 });
    this.selects = [0, 1].map((axis) => h("select", {
      "aria-label": t(axis ? "explore.axis_down" : "explore.axis_across"), onchange: (event) => this.#turn(axis, Number(event.target.value)),
    }));
    this.mosaic = new Mosaic({
      rows: SIDE, columns: SIDE, label: t("explore.neighbours"), name: (index) => this.#name(index), pick: (index) => this.#go(index),
    });
    this.sheet = new Sheet({ mosaic: this.mosaic, path: "neighbours", query: () => this.#query(), points: () => this.#points(), draw, failed });
    this.element = h("section", { class: "xp-near" },
      ...heading(t("explore.neighbours"), t("explore.neighbours_hint"), h("span", { class: "gan-space" }),
        h("label", { class: "xp-axis" }, h("span", { "aria-hidden": "true" }, "↔"), this.selects[0]),
        h("label", { class: "xp-axis" }, h("span", { "aria-hidden": "true" }, "↕"), this.selects[1])),
      this.mosaic.element);
    this.mosaic.lock(true);
  }

  /** How many directions there are to choose from. */
  build(count) {
    this.count = count;
    for (const select of this.selects) {
      select.replaceChildren(...directionOptions(count));
    }
    this.place();
  }

  /** Mark where the current point stands, and name the cells after where they lead. */
  place() {
    const { axes, d } = this.point();
    this.selects.forEach((select, axis) => { select.value = String(axes[axis]); });
    const [across, down] = axes.map((axis) => windowAround(d[axis] ?? 0).place);
    this.mosaic.mark(down * SIDE + across);
    this.mosaic.relabel();
  }

  #values(index) {
    const { axes, d } = this.point();
    return [index % SIDE, Math.floor(index / SIDE)].map((cell, axis) => windowAround(d[axes[axis]] ?? 0).middle + (cell - REACH) * STEP);
  }

  #name(index) {
    const { axes } = this.point();
    const [across, down] = this.#values(index).map((value) => value.toFixed(1));
    return t("explore.neighbour", { i: axes[0] + 1, across, j: axes[1] + 1, down });
  }

  #go(index) {
    this.change({ d: along(this.point(), this.#values(index)) });
  }

  #turn(axis, direction) {
    const axes = [...this.point().axes];
    if (axes[1 - axis] === direction) axes[1 - axis] = axes[axis];
    axes[axis] = direction;
    this.change({ axes });
  }

  #points() {
    return Array.from({ length: SIDE * SIDE }, (_, index) => ({ ...this.point(), d: along(this.point(), this.#values(index)) }));
  }

  #query() {
    if (!this.count) return null;
    const point = this.point();
    const middle = point.axes.map((axis) => windowAround(point.d[axis] ?? 0).middle);
    return query({ ...point, d: along(point, middle) }, { i: point.axes[0], j: point.axes[1], step: STEP, n: SIDE, v: this.version() });
  }
}
