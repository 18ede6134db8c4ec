// The column beside the large picture: class, cluster, truncation, principal directions, and the raw latent
// folded away.
import { h, icon, must, setText } from "../../core/dom.js";
import { RAW } from "../../core/events.js";
import { t } from "../../core/i18n.js";
import { className } from "./model-picker.js";
import { amountOf, LIMIT, movedAlong, RAW_LIMIT, withAmount } from "../../latent/point.js";
import { heading, help } from "../../widgets/help.js";
import { effectText, Slider, usualName } from "../../widgets/slider.js";

const MOST_CHIPS = 16;
const MOST_LETTERS = 100; // in all chips together, about three rows
const PAGE = 16;
const USUAL = 10; // most models have so many directions
const RAW_STEP = 0.05;
const STEP = 0.05; // sigma
const HALF = 0.5;
const PERCENT = new Intl.NumberFormat("en", { style: "percent" }).format;

/**
 * @typedef {{ids(): string[], name(id: string, title?: string): string, forgotten?: boolean}} SliderNames
 * @typedef {{about(id: string): Direction | undefined, fixed?: string[]}} DirectionFacts
 */

/**
 * `change(patch, dragging)` gets each movement. `begin` and `learn` build the sliders of another model.
 * `set(point)` sets all sliders. `base(z)` sets the seed's own z for the raw sliders and the cluster slider,
 * which is the last entry of z. `chosen` (slider-set.js) lists the sliders, and `families` knows the facts
 * about their directions.
 */
export class Controls {
  /** @type {?Point} */
  point = null;
  /** z of the seed itself. @type {ArrayLike<number>} */
  z = [];
  page = 0;
  /** By the ids of their directions. @type {Map<string, Slider>} */
  sliders = new Map();
  /** @type {Slider[]} */
  rawSliders = [];
  /** @type {Model | null | undefined} */
  model = null;
  range = h("span", { class: "xp-range" });
  earlier = h(
    "button",
    { type: "button", class: "gan-ghost", "aria-label": t("explore.raw_earlier") },
    icon("back"),
  );
  further = h(
    "button",
    { type: "button", class: "gan-ghost", "aria-label": t("explore.raw_further") },
    icon("next"),
  );
  rawList = h("div", { class: "xp-raw" });

  /**
   * @param {SheetHost["change"]} change
   * @param {SliderNames} chosen
   * @param {DirectionFacts} families
   */
  constructor(change, chosen, families) {
    this.change = change;
    this.chosen = chosen;
    this.families = families;
    this.psi = new Slider({
      name: t("explore.psi"),
      low: 0,
      high: 1.5,
      step: 0.01,
      rest: 1,
      input: (psi, dragging) => change({ psi }, dragging),
    });
    const [ask, psiNote] = help(t("explore.psi"), t("explore.psi_hint"));
    this.psi.name.after(ask);
    this.cluster = new Slider({
      name: t("explore.cluster"),
      low: -RAW_LIMIT,
      high: RAW_LIMIT,
      step: RAW_STEP,
      input: (value, dragging) => this.#override(this.cluster.index, value, dragging),
    });
    const [askCluster, clusterNote] = help(t("explore.cluster"), t("explore.cluster_hint"));
    this.cluster.name.after(askCluster);
    this.clusters = h("div", { class: "xp-cluster", hidden: true }, this.cluster.element, clusterNote);
    this.classes = h("div", { class: "xp-classes", hidden: true });
    /** @type {HTMLSelectElement} */
    this.mixed = h("select", {
      "aria-label": t("explore.blend"),
      onchange: () => this.#blend(this.mixed.value),
    });
    this.share = new Slider({
      name: t("explore.share"),
      low: 0,
      high: 1,
      step: 0.01,
      format: PERCENT,
      rest: 0.5,
      input: (mix, dragging) => change({ mix }, dragging),
    });
    const [askMix, mixNote] = help(t("explore.blend"), t("explore.blend_hint"));
    this.mix = h(
      "div",
      { class: "xp-mix", hidden: true },
      h(
        "div",
        { class: "xp-row" },
        h("span", { class: "xp-caption" }, t("explore.blend")),
        askMix,
        this.mixed,
      ),
      mixNote,
      this.share.element,
    );
    this.list = h("div", { class: "xp-sliders" });
    this.none = h("p", { class: "xp-hint", hidden: true }, t("explore.no_sliders"));
    this.forgottenNote = h("p", { class: "xp-hint", role: "status", hidden: true });
    this.raw = this.#rawSection();
    this.element = h(
      "section",
      { class: "xp-controls", "aria-label": t("explore.controls") },
      this.classes,
      this.mix,
      this.clusters,
      this.psi.element,
      psiNote,
      ...heading(t("explore.directions"), t("explore.directions_hint")),
      this.forgottenNote,
      this.list,
      this.none,
      this.raw,
    );
    this.begin(null);
  }

  /**
   * Build the controls of a model of which only the list's facts are known. Its sliders work at once; effects
   * arrive later. null disables them.
   * @param {Model | null | undefined} model
   */
  begin(model) {
    this.model = model;
    this.raw.hidden = true;
    this.page = 0;
    this.#buildClasses(model?.classes ?? []);
    this.clusters.hidden = !(model && model.clusters > 1);
    this.cluster.index = model ? model.z_dim - 1 : -1;
    this.sliders.clear();
    this.#buildDirections(Array.from({ length: USUAL }, (_, index) => `p${index}`));
    for (const { bar } of this.sliders.values()) bar.disabled = !model;
    this.none.hidden = this.forgottenNote.hidden = true;
  }

  /**
   * Take over the facts that GET model has found.
   * @param {Model} model
   */
  learn(model) {
    this.model = model;
    this.raw.hidden = false;
    if (this.raw.open) this.#buildRaw();
    this.relabel(model);
  }

  /**
   * Take over new directions, names or effects, for example of a run that still trains.
   * @param {Model} model
   */
  relabel(model) {
    this.model = model;
    this.choose();
  }

  /**
   * Build a slider for each direction in the list, and for each other direction along which the point has
   * moved.
   */
  choose() {
    if (!this.model?.directions) return;
    // A list may be older than the weights.
    const own = this.chosen.ids().filter((id) => !this.families.fixed?.includes(id));
    const ids = [...own, ...movedAlong(this.point ?? { d: [], x: {} }).filter((id) => !own.includes(id))];
    if (ids.join() !== [...this.sliders.keys()].join()) this.#buildDirections(ids);
    for (const [id, slider] of this.sliders) {
      const direction = this.families.about(id) ?? this.model.directions.find((each) => each.id === id);
      slider.describe(this.chosen.name(id, direction?.title), effectText(direction));
    }
    setText(this.forgottenNote, this.chosen.forgotten ? t("explore.found_anew") : "");
    this.forgottenNote.hidden = !this.chosen.forgotten;
    this.none.hidden = ids.length > 0;
  }

  /** @param {string[]} ids */
  #buildDirections(ids) {
    /** @type {(id: string) => import("../../widgets/slider.js").SliderInput} */
    const input = (id) => (amount, dragging) =>
      this.change(withAmount(must(this.point, "point"), id, amount), dragging);
    this.sliders = new Map(
      ids.map((id) => [
        id,
        this.sliders.get(id) ??
          new Slider({ name: usualName(id), low: -LIMIT, high: LIMIT, step: STEP, input: input(id) }),
      ]),
    );
    for (const [id, slider] of this.sliders) {
      slider.element.dataset.id = id;
      slider.set(this.point ? amountOf(this.point, id) : 0);
    }
    const active = /** @type {HTMLElement} */ (document.activeElement);
    const held = this.list.contains(active) ? active : null;
    this.list.replaceChildren(...[...this.sliders.values()].map((slider) => slider.element));
    held?.focus({ preventScroll: true }); // the focus stays on the slider that the reader moves
  }

  /** @param {Point} point */
  set(point) {
    this.point = point;
    this.psi.set(point.psi);
    this.mixed.value = String(point.label2 ?? "");
    this.share.element.hidden = point.label2 === null;
    this.share.set(point.mix);
    if (movedAlong(point).some((id) => !this.sliders.has(id))) this.choose();
    for (const [id, slider] of this.sliders) slider.set(amountOf(point, id));
    for (const option of this.classes.querySelectorAll("button"))
      option.setAttribute("aria-pressed", String(option.value === String(point.label ?? "")));
    const select = this.classes.querySelector("select");
    if (select) select.value = String(point.label ?? "");
    this.#setRaw();
  }

  /** @param {ArrayLike<number>} z */
  base(z) {
    this.z = z;
    this.#setRaw();
  }

  /** @param {string[]} classes */
  #buildClasses(classes) {
    this.classes.hidden = this.mix.hidden = !classes.length;
    this.mixed.replaceChildren(
      h("option", { value: "" }, t("explore.blend_none")),
      ...classes.map((name, index) => h("option", { value: String(index) }, className(name))),
    );
    const options = [
      ["", t("explore.mixed")],
      ...classes.map((name, index) => [String(index), className(name)]),
    ];
    const choose = (/** @type {string} */ value) =>
      this.change({ label: value === "" ? null : Number(value) }, false);
    const group = { role: "group", "aria-label": t("explore.class") };
    if (classes.length <= MOST_CHIPS && options.join("").length <= MOST_LETTERS) {
      const chips = options.map(([value, name]) =>
        h("button", { type: "button", class: "xp-chip", value, onclick: () => choose(value) }, name),
      );
      this.classes.replaceChildren(
        h("span", { class: "xp-caption" }, t("explore.class")),
        h("div", { class: "xp-chips", ...group }, chips),
      );
      return;
    }
    /** @type {HTMLSelectElement} */
    const select = h(
      "select",
      { "aria-label": t("explore.class"), onchange: () => choose(select.value) },
      options.map(([value, name]) => h("option", { value }, name)),
    );
    this.classes.replaceChildren(h("span", { class: "xp-caption" }, t("explore.class")), select);
  }

  /**
   * Choose the class to blend in. The first choice blends half of it.
   * @param {string} value
   */
  #blend(value) {
    this.change(
      value === "" ? { label2: null, mix: 0 } : { label2: Number(value), mix: this.point?.mix || HALF },
      false,
    );
  }

  #rawSection() {
    const turn = (/** @type {number} */ step) => {
      this.page += step;
      this.#buildRaw();
    };
    this.earlier.addEventListener("click", () => turn(-1));
    this.further.addEventListener("click", () => turn(1));
    /** @type {HTMLDetailsElement} */
    const details = h(
      "details",
      { class: "xp-fold", hidden: true, ontoggle: () => details.open && this.#openRaw() },
      h("summary", {}, icon("chevron"), t("explore.raw")),
      h("p", { class: "xp-hint" }, t("explore.raw_hint")),
      h("div", { class: "xp-pager" }, this.earlier, this.range, this.further),
      this.rawList,
    );
    return details;
  }

  #openRaw() {
    this.#buildRaw();
    this.element.dispatchEvent(new CustomEvent(RAW, { bubbles: true }));
  }

  #buildRaw() {
    const first = this.page * PAGE;
    const count = must(this.model, "model").z_dim;
    const last = Math.min(first + PAGE, count) - 1;
    this.rawSliders = Array.from({ length: last - first + 1 }, (_, place) => first + place).map((index) => {
      const input = (/** @type {number} */ value, /** @type {boolean} */ dragging) =>
        this.#override(index, value, dragging);
      const slider = new Slider({
        name: `z${index}`,
        low: -RAW_LIMIT,
        high: RAW_LIMIT,
        step: RAW_STEP,
        compact: true,
        input,
      });
      slider.index = index;
      return slider;
    });
    this.rawList.replaceChildren(...this.rawSliders.map((slider) => slider.element));
    setText(this.range, t("explore.raw_range", { first, last, count }));
    this.earlier.disabled = first === 0;
    this.further.disabled = last + 1 >= count;
    this.#setRaw();
  }

  /**
   * A raw slider at the seed's own value overrides nothing.
   * @param {number} index
   * @param {number} value
   * @param {boolean} dragging
   */
  #override(index, value, dragging) {
    /** @type {Record<string, number>} */
    const z = { ...this.point?.z, [index]: value };
    if (Math.abs(value - (this.z[index] ?? 0)) < RAW_STEP) delete z[index];
    this.change({ z }, dragging);
  }

  #setRaw() {
    for (const slider of [...this.rawSliders, this.cluster]) {
      slider.rest = this.z[slider.index] ?? 0;
      slider.set(this.point?.z[slider.index] ?? slider.rest);
    }
  }
}
