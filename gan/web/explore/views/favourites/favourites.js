// The view of favourites: the list, its file, and arithmetic with three of them.
import { find, h, icon, must, setText } from "../../../core/dom.js";
import { FAVOURITES } from "../../../core/events.js";
import { refusal, t } from "../../../core/i18n.js";
import { read } from "../../favourites-store.js";
import { title } from "../../panels/model-picker.js";
import { keyOf } from "../loop/key-frames.js";
import { overrides, read16, written16 } from "../../../latent/encoding.js";
import { standing } from "../../../latent/loop-path.js";
import { fresh } from "../../../latent/point.js";
import { arithmetic } from "../../../latent/sampling.js";
import { save } from "../../../renderer/pictures.js";
import { button } from "../../../widgets/buttons.js";
import { heading } from "../../../widgets/help.js";
import { drawThumb, thumb } from "../../../widgets/thumbnail.js";

/** @typedef {import("../../favourites-store.js").Favourite} Favourite */

const LARGEST = 2 ** 20; // bytes of a file of favourites
const LETTERS = ["A", "B", "C"];

export class View {
  /** A, B and C. @type {(Favourite | undefined)[]} */
  terms = [undefined, undefined, undefined];
  /** The terms that the reader has chosen; the others follow the favourites. @type {Set<number>} */
  picked = new Set();
  /** @type {Map<Favourite, HTMLElement>} */
  cards = new Map();
  /** Those of the current model. @type {Favourite[]} */
  own = [];
  /** A - B + C, if it is known. @type {?Patch} */
  sum = null;
  /** @type {string | null | undefined} */
  model = null;
  /** @type {string | null | undefined} */
  updated = null;
  /** The button of the favourite that is shown. @type {?HTMLButtonElement | undefined} */
  here;
  selects = LETTERS.map((letter, place) => {
    const select = h("select", { "aria-label": letter });
    select.addEventListener("change", () => this.#choose(place, select.value));
    return select;
  });
  minis = [...LETTERS, "="].map(() => thumb());
  usual = h("input", { type: "checkbox", checked: true, onchange: () => this.#result() });
  result = h(
    "button",
    {
      type: "button",
      class: "xp-kept",
      "aria-label": t("explore.arithmetic_go"),
      onclick: () => this.sum && this.explorer.change(this.sum, false),
    },
    this.minis[3],
  );
  lack = h("p", { class: "xp-hint" }, t("explore.arithmetic_empty"));
  formula = h("div", { class: "xp-formula" });
  length = h("label", { class: "xp-check" }, this.usual, h("span", {}, t("explore.arithmetic_usual")));

  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    this.file = h("input", {
      type: "file",
      accept: ".json,application/json",
      hidden: true,
      onchange: () => this.#import(),
    });
    const file = () => new Blob([explorer.favourites.text()], { type: "application/json" });
    const exporting = () => save(file(), "ganarium-favourites.json");
    this.export = button("download", "explore.favourites_export", exporting, "xp-quiet");
    this.empty = h("p", { class: "xp-hint" }, t("explore.favourites_empty"));
    this.status = h("p", { class: "xp-hint", role: "status", hidden: true });
    this.tray = h("ul", { class: "xp-tray", "aria-label": t("explore.favourites") });
    this.element = h(
      "div",
      { class: "xp-moving" },
      h(
        "section",
        {},
        ...heading(
          t("explore.favourites"),
          t("explore.favourites_hint"),
          h("span", { class: "gan-space" }),
          button("upload", "explore.favourites_import", () => this.file.click(), "xp-quiet"),
          this.export,
          this.file,
        ),
        this.status,
        this.empty,
        this.tray,
      ),
      this.#sums(),
    );
    explorer.addEventListener(FAVOURITES, () => this.element.isConnected && this.#build());
  }

  open() {
    this.#build();
  }

  /** Newer weights change only the pictures, so that a name in the middle of typing stays. */
  renew() {
    const { id, updated } = this.explorer.model ?? {};
    if (id !== this.model) this.#build();
    else if (updated !== this.updated) this.#draw();
  }

  place() {
    const one = this.explorer.favourites.at(this.explorer.point);
    const here = one && this.cards.get(one)?.querySelector("button");
    if (here === this.here) return;
    this.here?.removeAttribute("aria-current");
    here?.setAttribute("aria-current", "true");
    this.here = here;
  }

  #build() {
    const { explorer } = this;
    const { all } = explorer.favourites;
    this.empty.hidden = all.length > 0;
    this.export.disabled = !all.length;
    const focused = document.activeElement?.closest?.(".xp-tray li");
    const stood = focused ? [...this.tray.children].indexOf(focused) : -1;
    this.cards = new Map(all.map((one) => [one, this.#card(one)]));
    this.tray.replaceChildren(...this.cards.values());
    this.#draw();
    if (stood >= 0) this.tray.children[Math.min(stood, all.length - 1)]?.querySelector("button")?.focus();
    this.here = undefined;
    this.place();
  }

  #draw() {
    const { explorer } = this;
    const { id, updated } = explorer.model ?? {};
    Object.assign(this, { model: id, updated });
    for (const [one, card] of this.cards)
      drawThumb(explorer, find(card, "canvas"), explorer.favourites.point(one));
    this.#terms();
  }

  /** @param {Favourite} one */
  #card(one) {
    const { explorer } = this;
    /** @type {HTMLInputElement} */
    const name = h("input", {
      class: "xp-naming",
      value: one.name,
      maxLength: 60,
      "aria-label": t("explore.favourite_name"),
      placeholder: t("explore.favourite_name"),
      onchange: () => rename(),
      onkeydown: (event) => event.key === "Enter" && name.blur(),
    });
    const go = h("button", { type: "button", class: "xp-kept", onclick: () => this.#go(one) }, thumb());
    const remove = h(
      "button",
      {
        type: "button",
        class: "gan-ghost",
        title: t("explore.favourite_remove"),
        onclick: () => explorer.favourites.remove(one),
      },
      icon("close"),
    );
    const label = () => {
      go.setAttribute("aria-label", t("explore.favourite_go", { name: one.name }));
      remove.setAttribute("aria-label", t("explore.favourite_remove_one", { name: one.name }));
    };
    const rename = () => {
      explorer.favourites.rename(one, name.value);
      label();
      this.#terms();
    };
    label();
    return h(
      "li",
      {},
      go,
      h("div", { class: "xp-named" }, name, remove),
      h("small", { hidden: one.model === explorer.point.model }, this.#modelOf(one)),
    );
  }

  /**
   * The title of a favourite's model. A deleted model keeps the title that it had.
   * @param {Favourite} one
   */
  #modelOf(one) {
    const model = this.explorer.models.find(({ id }) => id === one.model);
    return model ? title(model) : one.title || one.model;
  }

  /** @param {Favourite} one */
  #go(one) {
    const { explorer } = this;
    const { wall, axes, view, family, ...point } = explorer.favourites.point(one);
    if (one.model === explorer.point.model) explorer.change(point, false);
    else explorer.choose(one.model, { ...point, view: explorer.point.view });
  }

  async #import() {
    const [file] = this.file.files ?? [];
    this.file.value = "";
    if (!file) return;
    const text = file.size > LARGEST ? "" : await file.text().catch(() => "");
    const brought = read(text);
    if (!brought) return void this.#showStatus(t("explore.import_bad", { name: file.name }));
    const { added, beyond } = this.explorer.favourites.take(brought.found);
    this.#showStatus(
      [
        t("explore.imported", { count: added }),
        brought.odd && t("explore.import_odd", { count: brought.odd }),
        beyond && t("explore.favourites_full"),
      ]
        .filter(Boolean)
        .join(" "),
    );
  }

  /** @param {string} text */
  #showStatus(text) {
    setText(this.status, text);
    this.status.hidden = !text;
  }

  // A - B + C -----------------------------------------------------------------------------------------------

  #sums() {
    const term = (/** @type {number} */ place) =>
      h(
        "label",
        { class: "xp-term" },
        h("span", { class: "xp-mini-box" }, this.minis[place]),
        this.selects[place],
      );
    const sign = (/** @type {string} */ text) => h("span", { class: "xp-sign", "aria-hidden": "true" }, text);
    this.formula.append(term(0), sign("−"), term(1), sign("+"), term(2), sign("="), this.result);
    return h(
      "section",
      {},
      ...heading(t("explore.arithmetic"), t("explore.arithmetic_hint")),
      this.lack,
      this.formula,
      this.length,
    );
  }

  /**
   * Offer the favourites of this model as terms. The first three are the default. Of two it is A - B + A, because
   * A - B + B would only show A.
   */
  #terms() {
    const { explorer } = this;
    this.own = explorer.favourites.all.filter((one) => one.model === explorer.point.model);
    const enough = this.own.length >= 2;
    this.lack.hidden = enough;
    for (const element of [this.formula, this.length]) element.hidden = !enough;
    if (!enough) return;
    this.terms = this.terms.map((one, place) =>
      one && this.picked.has(place) && this.own.includes(one) ? one : this.own[place % this.own.length],
    );
    this.selects.forEach((select, place) => {
      const term = this.terms[place];
      if (!term) return;
      select.replaceChildren(
        ...this.own.map((one, index) =>
          h("option", { value: String(index) }, one.name || t("explore.favourite_name")),
        ),
      );
      select.value = String(this.own.indexOf(term));
      drawThumb(explorer, this.minis[place], explorer.favourites.point(term));
    });
    this.#result();
  }

  /**
   * @param {number} place
   * @param {string} index
   */
  #choose(place, index) {
    this.terms[place] = this.own[Number(index)];
    this.picked.add(place);
    this.#terms();
  }

  /**
   * Compute z = zA - zB + zC. Class and units follow the same rule where two of the three agree; else A's
   * stay.
   */
  async #result() {
    const { explorer, terms } = this;
    const { model } = explorer;
    this.sum = null;
    this.result.disabled = true;
    if (!model) return;
    try {
      const [a, b, c] = await Promise.all(
        terms.map((one) => keyOf(explorer, explorer.favourites.point(must(one, "favourite")))),
      );
      if (terms !== this.terms || model !== explorer.model) return;
      const z = (/** @type {KeyFrame} */ { at }) => Array.from(read16(at, model.z_dim));
      const same = a.label === b.label && a.other === b.other && a.share === b.share;
      const { u } = overrides(a.u) === overrides(b.u) ? c : a;
      this.sum = standing({
        ...(same ? c : a),
        at: written16(arithmetic(z(a), z(b), z(c), this.usual.checked)),
        u,
      });
      this.result.disabled = false;
      drawThumb(explorer, this.minis[3], { ...fresh(), model: model.id, ...this.sum });
    } catch (error) {
      explorer.say(refusal(error));
    }
  }
}
