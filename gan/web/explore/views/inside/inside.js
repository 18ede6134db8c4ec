// The view inside the generator: feature maps of a layer at the current picture. The reader can switch off or
// amplify units.
import { later, latest } from "../../../core/debounce.js";
import { context2d, h, must, setText } from "../../../core/dom.js";
import { refusal, sentence, t } from "../../../core/i18n.js";
import { query } from "../../../latent/encoding.js";
import { MOST_UNITS } from "../../../latent/point.js";
import { blank, packed } from "../../../renderer/pictures.js";
import { heading } from "../../../widgets/help.js";
import { Mosaic } from "../../../widgets/mosaic.js";

const COLUMNS = 8;
const PAGE = 64; // units in one answer, as in gan/latent/dissection.py
const FACTORS = [1, 0, 2, 4]; // each press sets the next factor
const SETTLE = 120; // ms
const RETRY = 1500;
const HEAT = [
  [14, 16, 32],
  [72, 52, 160],
  [200, 70, 120],
  [250, 160, 80],
  [255, 246, 210],
]; // colours from no activity to the most

/** `cell` is the map's place in the server's order. @typedef {UnitFacts & {cell: number}} Unit */
/** @typedef {"activity" | "effect"} Order */
/** @typedef {{facts: LayerFacts, bitmap: ?ImageBitmap}} Page */

export class View {
  /** The layer on the screen; null for the last one, whose maps look like the sample. @type {?number} */
  layer = null;
  pages = 1;
  /** @type {Unit[]} */
  units = [];
  /** @type {Order} */
  order = "activity";
  /** The query that is shown, as text. @type {?string} */
  asked = null;
  /** @type {?string} */
  model = null;
  /** Of all layers. @type {LayerFacts["layers"]} */
  counts = [];
  /** Width of a map in `sheet`. */
  side = 0;
  /** The maps in the server's order. @type {?HTMLCanvasElement} */
  sheet = null;
  /** @type {Mosaic | undefined} */
  mosaic;
  opened = false;
  load = latest(() => this.#load());
  follow = later(() => this.load(), SETTLE);

  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    this.layers = h("div", { class: "xp-network", role: "group", "aria-label": t("explore.layers") });
    /** @type {HTMLSelectElement} */
    this.select = h(
      "select",
      {
        "aria-label": t("explore.units_by"),
        onchange: () => this.#sort(this.select.value === "effect" ? "effect" : "activity"),
      },
      ["activity", "effect"].map((name) => h("option", { value: name }, t(`explore.units_by_${name}`))),
    );
    this.reset = h(
      "button",
      { type: "button", class: "xp-button xp-quiet", onclick: () => explorer.change({ u: {} }) },
      t("explore.units_reset"),
    );
    this.grid = h("div", { class: "xp-units" });
    this.more = h("button", {
      type: "button",
      class: "xp-button xp-more",
      hidden: true,
      onclick: () => this.#more(),
    });
    this.status = h("p", { class: "xp-hint", role: "status" });
    this.element = h(
      "section",
      { class: "xp-inside" },
      ...heading(
        t("explore.inside"),
        t("explore.inside_hint"),
        h("span", { class: "gan-space" }),
        this.reset,
        this.select,
      ),
      this.layers,
      this.grid,
      this.more,
      this.status,
    );
  }

  open() {
    this.opened = true;
  }

  close() {
    this.opened = false;
    this.follow.cancel();
  }

  renew() {
    if (this.explorer.model && this.explorer.model.id !== this.model) {
      Object.assign(this, { model: this.explorer.model.id, layer: null, pages: 1, units: [], asked: null });
      this.more.hidden = true;
      this.grid.replaceChildren();
      this.layers.replaceChildren();
      setText(this.status, t("explore.inside_looking"));
    }
    this.follow();
  }

  place() {
    this.#mark();
    this.follow();
  }

  /**
   * The query of the maps. It leaves out the factors of this layer's own units, because they do not change
   * its maps.
   */
  #query() {
    const { point } = this.explorer;
    const model = must(this.explorer.model, "model");
    const u = Object.fromEntries(
      Object.entries(point.u).filter(([place]) => Number(place.split(".")[0]) !== this.layer),
    );
    return query({ ...point, u }, { layer: this.layer, v: model.updated });
  }

  async #load() {
    if (!this.opened || !this.explorer.model) return;
    const asked = this.#query();
    const { layer } = this;
    const key = JSON.stringify([asked, this.pages]);
    if (key === this.asked) return;
    try {
      /** @type {Page[]} */
      const answers = [];
      for (let page = 0; page < this.pages; page += 1) {
        answers.push(await packed("inside", { ...asked, page }));
        if (page + 1 < this.pages && JSON.stringify([this.#query(), this.pages]) !== key)
          return void this.follow(); // the point has moved meanwhile
      }
      if (asked.id !== this.explorer.point.model || layer !== this.layer) return;
      this.layer = answers[0].facts.layer; // asked again, it is the same query
      this.asked = JSON.stringify([this.#query(), this.pages]);
      this.#show(answers);
    } catch (thrown) {
      const error = refusal(thrown);
      this.asked = null; // the status now shows the error instead
      setText(this.status, sentence(error));
      if (error.offline) setTimeout(() => this.follow(), RETRY * (1 + Math.random()));
    }
  }

  /** @param {Page[]} answers */
  #show(answers) {
    const [{ facts }] = answers;
    this.units = answers.flatMap(({ facts: { units } }, page) =>
      units.map((unit, cell) => ({ ...unit, cell: page * PAGE + cell })),
    );
    this.sheet = coloured(answers.map(({ bitmap }) => must(bitmap, "picture of the maps")));
    this.side = facts.side;
    this.mosaic?.lock(false);
    this.counts = facts.layers;
    this.#tabs();
    this.#sort(this.order);
    const left = this.counts[facts.layer].units - this.units.length;
    setText(this.more, t("explore.units_more", { count: Math.min(PAGE, left) }));
    const focused = document.activeElement === this.more;
    this.more.hidden = !left;
    if (focused && !left) this.mosaic?.cells.find((cell) => !cell.disabled)?.focus();
  }

  /** Load the next page of units. All loaded units are sorted together. */
  #more() {
    if (this.pages * PAGE > this.units.length) return; // the next page is loading
    this.pages += 1;
    setText(this.status, t("explore.inside_looking"));
    this.load();
  }

  #tabs() {
    if (this.layers.querySelectorAll("button").length !== this.counts.length) {
      this.layers.replaceChildren(
        h("span", { class: "xp-end" }, "z"),
        ...this.#blocks(),
        h("span", { class: "xp-end" }, t("explore.network_sample")),
      );
    }
    this.layers
      .querySelectorAll("button")
      .forEach((chip, layer) => chip.setAttribute("aria-pressed", String(layer === this.layer)));
  }

  /** The layers as blocks in a picture of the network: as high as their maps, as thick as they have units. */
  #blocks() {
    const most = (/** @type {"side" | "units"} */ fact) => Math.max(...this.counts.map((one) => one[fact]));
    const [highest, thickest] = [most("side"), most("units")];
    return this.counts.map(({ units, side }, layer) =>
      h(
        "button",
        {
          type: "button",
          class: "xp-chip",
          "aria-label": t("explore.layer_of", { number: layer + 1, units, side }),
          onclick: () => this.#turn(layer),
        },
        h(
          "span",
          { class: "xp-block" },
          h("i", { style: `--high: ${side / highest}; --thick: ${units / thickest}` }),
        ),
        h("b", {}, String(layer + 1)),
        h("small", {}, `${side}×${side}`),
      ),
    );
  }

  /** @param {number} layer */
  #turn(layer) {
    // Nothing can be pressed while the maps of another layer are shown.
    Object.assign(this, { layer, pages: 1, units: [], asked: null });
    this.mosaic?.lock(true);
    this.more.hidden = true;
    this.#tabs();
    setText(this.status, t("explore.inside_looking"));
    this.load();
  }

  /**
   * Sort the maps. A new mosaic is built if their number has changed.
   * @param {Order} order
   */
  #sort(order) {
    this.order = order;
    this.units.sort((a, b) => b[order] - a[order] || a.cell - b.cell);
    const { units, side, sheet } = this;
    if (!units.length || !sheet) return;
    const rows = Math.ceil(units.length / COLUMNS);
    if (this.mosaic?.rows !== rows || !this.grid.contains(this.mosaic.element)) {
      this.mosaic = new Mosaic({
        rows,
        columns: COLUMNS,
        label: t("explore.units"),
        name: (index) => this.#name(index),
        pick: (index) => this.#turnUnit(index),
      });
      this.grid.replaceChildren(this.mosaic.element);
    }
    const sorted = blank(COLUMNS * side, rows * side);
    const pen = context2d(sorted);
    units.forEach(({ cell }, place) =>
      pen.drawImage(
        sheet,
        (cell % COLUMNS) * side,
        Math.floor(cell / COLUMNS) * side,
        side,
        side,
        (place % COLUMNS) * side,
        Math.floor(place / COLUMNS) * side,
        side,
        side,
      ),
    );
    this.mosaic.draw(sorted);
    this.#mark();
  }

  /** @param {number} unit */
  #factor(unit) {
    return this.explorer.point.u[`${this.layer}.${unit}`] ?? 1;
  }

  /** @param {number} index */
  #name(index) {
    const unit = this.units[index];
    if (!unit) return "";
    return t("explore.unit", {
      unit: unit.unit,
      effect: `${(100 * unit.effect).toFixed(1)} %`,
      factor: this.#factor(unit.unit),
    });
  }

  /** @param {number} index */
  #turnUnit(index) {
    const unit = this.units[index];
    if (!unit) return;
    const { u } = this.explorer.point;
    const key = `${this.layer}.${unit.unit}`;
    if (!(key in u) && Object.keys(u).length >= MOST_UNITS)
      return void setText(this.status, t("explore.units_most", { most: MOST_UNITS }));
    const factor = FACTORS[(FACTORS.indexOf(this.#factor(unit.unit)) + 1) % FACTORS.length];
    const { [key]: _, ...rest } = u;
    this.explorer.change({ u: factor === 1 ? rest : { ...rest, [key]: factor } });
  }

  /** Show each unit's factor and effect on its map. */
  #mark() {
    const changed = Object.keys(this.explorer.point.u).length;
    this.reset.hidden = !changed;
    if (!this.units.length || !this.mosaic) return;
    const most = Math.max(...this.units.map(({ effect }) => effect), 1e-9);
    this.mosaic.cells.forEach((cell, index) => {
      const unit = this.units[index];
      cell.disabled = !unit;
      if (!unit) return;
      const factor = this.#factor(unit.unit);
      if (factor === 1) cell.removeAttribute("data-factor");
      else cell.dataset.factor = factor ? `×${factor}` : t("explore.unit_off");
      cell.classList.toggle("is-off", factor === 0);
      cell.style.setProperty("--effect", (unit.effect / most).toFixed(3));
      cell.title = this.#name(index);
    });
    this.mosaic.relabel();
    const { units } = this.counts[this.layer ?? 0];
    setText(this.status, t("explore.units_shown", { shown: this.units.length, count: units, changed }));
  }
}

/**
 * Stack grey sheets of one width, and colour them as a heat map.
 * @param {ImageBitmap[]} bitmaps
 */
function coloured(bitmaps) {
  const [{ width }] = bitmaps;
  const height = bitmaps.reduce((sum, bitmap) => sum + bitmap.height, 0);
  const canvas = blank(width, height);
  const pen = context2d(canvas);
  let top = 0;
  for (const bitmap of bitmaps) {
    pen.drawImage(bitmap, 0, top);
    top += bitmap.height;
  }
  const image = pen.getImageData(0, 0, width, height);
  const { data } = image;
  for (let place = 0; place < data.length; place += 4) {
    const at = (data[place] / 255) * (HEAT.length - 1);
    const low = Math.min(HEAT.length - 2, Math.floor(at));
    for (let channel = 0; channel < 3; channel += 1)
      data[place + channel] = HEAT[low][channel] + (at - low) * (HEAT[low + 1][channel] - HEAT[low][channel]);
  }
  pen.putImageData(image, 0, 0);
  return canvas;
}
