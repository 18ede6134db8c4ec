// One direction in its view: name, effect, buttons, and a strip of pictures along it.
import { h, icon, setText } from "../../../core/dom.js";
import { t } from "../../../core/i18n.js";
import { LONGEST } from "../../slider-set.js";
import { query } from "../../../latent/encoding.js";
import { amountOf, withAmount } from "../../../latent/point.js";
import { Mosaic, Sheet } from "../../../widgets/mosaic.js";
import { effectText } from "../../../widgets/slider.js";

export const AMOUNTS = [-3, -2, -1, 0, 1, 2, 3]; // sigma
const OTHERS = 3; // attributes shown before the reader asks for all
const figures = new Intl.NumberFormat("en", {
  maximumFractionDigits: 1,
  minimumFractionDigits: 1,
  signDisplay: "exceptZero",
});
/** @param {number} value */
const signed = (value) => figures.format(value).replace("-", "−");
/** @param {number} share */
const percent = (share) => `${Math.round(100 * share)}\u202f%`;

/**
 * A row of the list `view`. `update(direction, {own, reason})` updates it. `own`: the row is in the reader's
 * own list, which has an order.
 */
export class DirectionRow {
  /**
   * @param {import("./directions.js").View} view
   * @param {string} id
   */
  constructor(view, id) {
    const { explorer } = view;
    this.view = view;
    this.explorer = explorer;
    this.id = id;
    /** @type {Direction} */
    this.direction = { id };
    this.own = false;
    this.reason = "";
    this.unfolded = false;
    this.name = h("span", { class: "xp-dir-name" });
    this.effect = h("small");
    this.fact = h("small", { class: "xp-dir-fact" });
    this.more = h("button", {
      type: "button",
      class: "xp-dir-more",
      hidden: true,
      onclick: () => this.#unfold(),
    });
    const tool = (/** @type {string} */ glyph, /** @type {() => unknown} */ onclick, more = "") =>
      h("button", { type: "button", class: `gan-ghost ${more}`, onclick }, icon(glyph));
    this.up = tool("chevron", () => this.#move(-1), "is-up");
    this.down = tool("chevron", () => this.#move(1));
    this.pencil = tool("pencil", () => this.#rename());
    this.hideButton = tool("hide", () =>
      this.hidden ? explorer.chosen.show([id]) : explorer.chosen.hide(id),
    );
    this.slider = h(
      "button",
      {
        type: "button",
        class: "xp-chip",
        onclick: () =>
          explorer.chosen.has(id)
            ? explorer.chosen.remove(id)
            : explorer.chosen.add(id, this.direction.title),
      },
      t("explore.as_slider"),
    );
    this.mosaic = new Mosaic({
      rows: 1,
      columns: AMOUNTS.length,
      label: "",
      name: (index) => this.#at(index),
      pick: (index) => this.#go(index),
    });
    this.sheet = new Sheet({
      mosaic: this.mosaic,
      path: "along",
      query: () => this.#query(),
      points: () => AMOUNTS.map((amount) => this.#placed(amount)),
      draw: (path, asked, points, columns) => explorer.sheet(path, asked, points, columns),
      failed: (error, model) => model === explorer.point.model && explorer.say(error),
    });
    this.mosaic.lock(true);
    this.head = h(
      "div",
      { class: "xp-dir-head" },
      this.name,
      this.effect,
      h("span", { class: "gan-space" }),
      this.up,
      this.down,
      this.pencil,
      this.hideButton,
      this.slider,
    );
    this.element = h(
      "li",
      { class: "xp-dir", "data-id": id, onkeydown: (event) => this.#key(event) },
      this.head,
      this.mosaic.element,
      this.fact,
      this.more,
    );
  }

  /**
   * @param {Direction} direction
   * @param {{own: boolean, reason: string}} state
   */
  update(direction, { own, reason }) {
    const { chosen } = this.explorer;
    Object.assign(this, { direction, own, reason });
    const name = this.#name();
    const has = chosen.has(this.id);
    setText(this.name, name);
    setText(this.effect, effectText(direction));
    this.#showFacts();
    /** @type {[HTMLButtonElement, string][]} */
    const labels = [
      [this.up, "explore.move_up"],
      [this.down, "explore.move_down"],
      [this.pencil, "explore.rename"],
      [this.hideButton, this.hidden ? "explore.unhide" : "explore.hide"],
      [this.slider, "explore.slider_for"],
    ];
    for (const [button, key] of labels) button.setAttribute("aria-label", t(key, { name }));
    this.slider.setAttribute("aria-pressed", String(has));
    this.hideButton.setAttribute("aria-pressed", String(this.hidden));
    const place = chosen.ids().indexOf(this.id);
    this.up.hidden = this.down.hidden = !own;
    this.hideButton.hidden = own;
    this.up.disabled = place === 0;
    this.down.disabled = place === chosen.ids().length - 1;
    this.mosaic.overlay.setAttribute("aria-label", t("explore.does", { name }));
    this.mosaic.relabel();
  }

  /** Show the facts, and a button for the other attributes that move along. */
  #showFacts() {
    const { direction, explorer } = this;
    const text = facts(
      direction,
      (id) => explorer.chosen.name(id, explorer.families.titles[id]),
      this.unfolded ? Infinity : OTHERS,
    );
    setText(this.fact, [text, this.reason].filter(Boolean).join(" "));
    this.fact.hidden = !this.fact.textContent;
    const rest = (direction.others?.length ?? 0) - OTHERS;
    this.more.hidden = !(rest > 0);
    this.more.setAttribute("aria-expanded", String(Boolean(this.unfolded)));
    setText(this.more, this.unfolded ? t("explore.fewer_others") : t("explore.more_others", { count: rest }));
  }

  #unfold() {
    this.unfolded = !this.unfolded;
    this.#showFacts();
  }

  get hidden() {
    return this.explorer.chosen.hidden.includes(this.id);
  }

  /** Mark the picture at the slider's amount, if there is one. */
  mark() {
    const amount = amountOf(this.explorer.point, this.id);
    this.mosaic.mark(AMOUNTS.findIndex((place) => Math.abs(place - amount) < 0.25));
  }

  #name() {
    return this.explorer.chosen.name(this.id, this.direction.title);
  }

  /** @param {number} index */
  #at(index) {
    return t("explore.does_at", { name: this.#name(), amount: signed(AMOUNTS[index]) });
  }

  /** @param {number} amount */
  #placed(amount) {
    const { point } = this.explorer;
    return { ...point, ...withAmount(point, this.id, amount) };
  }

  /** @param {number} index */
  #go(index) {
    this.explorer.change(withAmount(this.explorer.point, this.id, AMOUNTS[index]));
  }

  /**
   * The query of the strip. It leaves out the slider's own amount, because the strip runs from end to end.
   */
  #query() {
    const { model } = this.explorer;
    return model ? query(this.#placed(0), { k: this.id, v: model.updated }) : null;
  }

  /** @param {number} step */
  #move(step) {
    const { chosen } = this.explorer;
    chosen.move(this.id, step);
    (step < 0 ? [this.up, this.down] : [this.down, this.up]).find((button) => !button.disabled)?.focus();
    this.view.announce(
      t("explore.moved_to", {
        name: this.#name(),
        place: chosen.ids().indexOf(this.id) + 1,
        count: chosen.ids().length,
      }),
    );
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || !event.altKey || !this.own) return;
    event.preventDefault();
    this.#move(step);
  }

  /** Replace the name by a field. Enter or leaving the field keeps its text; Escape restores the name. */
  #rename() {
    const box = h("input", {
      type: "text",
      class: "xp-dir-box",
      maxlength: String(LONGEST),
      "aria-label": t("explore.new_name", { name: this.#name() }),
      value: this.#name(),
    });
    let open = true;
    const end = (/** @type {boolean} */ keep, /** @type {boolean} */ back) => {
      if (!open) return;
      open = false;
      const text = box.value;
      box.replaceWith(this.name);
      if (keep) this.explorer.chosen.rename(this.id, text, this.direction.title);
      if (back) this.pencil.focus();
    };
    box.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
      event.preventDefault(); // otherwise the same key press would click the pencil, which gets the focus
      end(event.key === "Enter", true);
    });
    box.addEventListener("blur", () => end(true, false));
    this.name.replaceWith(box);
    box.focus();
    box.select();
  }
}

/**
 * The facts about a named direction in a sentence or two, with at most `most` other attributes. "" for other
 * directions.
 * @param {Direction} direction
 * @param {(id: string) => string} name
 * @param {number} most
 */
function facts(direction, name, most) {
  if (direction.moved === undefined) return "";
  const { share, low = 0, high = 0, moved, steady = 0, others = [] } = direction;
  const wanted = share
    ? t("explore.fact_share", { low: percent(low), high: percent(high) })
    : t("explore.fact_moved", { moved: signed(moved), steady: percent(steady) });
  const listed = others
    .slice(0, most)
    .map(([id, amount]) => t("explore.fact_other", { name: name(id), amount: signed(amount) }))
    .join(t("explore.between"));
  return [wanted, listed ? t("explore.fact_others", { list: listed }) : t("explore.fact_alone")].join(" ");
}
