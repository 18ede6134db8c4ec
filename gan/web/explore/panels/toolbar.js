// The row under the large picture: its seed, and the buttons for the current point.
import { h, icon, setText } from "../../core/dom.js";
import { refusal, t } from "../../core/i18n.js";
import { filed, showSeed } from "../file-names.js";
import { title } from "./model-picker.js";
import { query } from "../../latent/encoding.js";
import { MAX_SEED, randomSeed, unmoved } from "../../latent/point.js";
import { enlarged, picture, save } from "../../renderer/pictures.js";

const ENLARGED = 8;

/** `place(point)` shows a point. */
export class Toolbar {
  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    /** @type {HTMLInputElement} */
    this.seed = h("input", {
      type: "number",
      min: "0",
      max: String(MAX_SEED),
      inputmode: "numeric",
      class: "xp-number",
      onchange: () => this.#refuse(),
      onblur: () => showSeed(this.seed, explorer.point),
      oninput: () => this.#fits() && explorer.change({ ...unmoved(), seed: this.seed.valueAsNumber }),
    });
    const tool = (
      /** @type {string} */ name,
      /** @type {string} */ glyph,
      /** @type {string} */ key,
      /** @type {() => unknown} */ onclick,
    ) =>
      h(
        "button",
        { type: "button", class: `xp-button xp-${name}`, title: t(key), "aria-label": t(key), onclick },
        icon(glyph),
        h("span", {}, t(key)),
      );
    this.heart = tool("heart", "heart", "explore.keep", () => this.#keep());
    this.element = h(
      "div",
      { class: "xp-tools" },
      h("label", { class: "xp-seed" }, h("span", {}, t("explore.seed")), this.seed),
      tool("random", "dice", "explore.random", () => explorer.change({ ...unmoved(), seed: randomSeed() })),
      tool("reset", "reset", "explore.reset", () => explorer.change({ ...unmoved(), u: {}, psi: 1 })),
      h("span", { class: "gan-space" }),
      this.heart,
      h(
        "span",
        { class: "xp-saves" },
        tool("save", "download", "explore.save", () => this.#save(1)),
        h(
          "button",
          {
            type: "button",
            class: "xp-button xp-save8",
            title: t("explore.save_large"),
            "aria-label": t("explore.save_large"),
            onclick: () => this.#save(ENLARGED),
          },
          `×${ENLARGED}`,
        ),
      ),
    );
  }

  /** @param {Point} point */
  place(point) {
    showSeed(this.seed, point);
    this.mark();
  }

  /** Mark the heart if the current point is a favourite. */
  mark() {
    const { favourites, point } = this.explorer;
    this.heart.setAttribute("aria-pressed", String(Boolean(favourites.at(point))));
  }

  #fits() {
    return this.seed.value !== "" && this.seed.checkValidity();
  }

  /** Replace a text that is no seed, because the picture belongs to another one. */
  #refuse() {
    if (this.#fits()) return;
    const { point } = this.explorer;
    const emptied = this.seed.value === "" && this.seed.checkValidity();
    showSeed(this.seed, point);
    if (!emptied || !point.at) this.explorer.say({ text: t("explore.bad_seed", { max: MAX_SEED }) });
  }

  /** Add the current point to the favourites, or remove it. */
  #keep() {
    const { favourites, model, point } = this.explorer;
    if (!model) return;
    const one = favourites.at(point);
    const name =
      point.at || point.t > 0
        ? t("explore.favourite_of", { number: favourites.all.length + 1 })
        : t("explore.seed_of", { seed: point.seed });
    const safe = one ? favourites.remove(one) : favourites.add(point, name, title(model));
    this.explorer.say(safe ? null : { text: t("explore.favourites_full") });
  }

  /**
   * Save the server's picture, which carries the provenance mark.
   * @param {number} times
   */
  async #save(times) {
    const { point, shown } = this.explorer;
    if (!shown) return;
    const model = (point.model ?? "").replace(/[^a-z0-9-]+/gi, "-");
    const name = `ganarium-${model}-${filed(point)}${times > 1 ? `-x${times}` : ""}.png`;
    try {
      const { bitmap, blob } = await picture("image", query(point));
      save(times > 1 ? await enlarged(bitmap, times) : blob, name);
    } catch (error) {
      this.explorer.say(refusal(error));
    }
  }
}

// A button on the large picture, for phones with their single column. It scrolls to the sliders, and from
// there back to the view.

const SEEN = 0.75; // share of the window's height; sliders that begin above it count as visible

/**
 * The button. `sliders` and `view` are the elements that it scrolls to.
 * @param {HTMLElement} sliders
 * @param {HTMLElement} view
 */
export function jump(sliders, view) {
  const go = () => {
    const there =
      sliders.getBoundingClientRect().top < SEEN * innerHeight && sliders.getBoundingClientRect().bottom > 0;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    (there ? view : sliders).scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
  };
  return h(
    "button",
    {
      type: "button",
      class: "xp-button xp-jump",
      title: t("explore.jump"),
      "aria-label": t("explore.jump"),
      onclick: go,
    },
    icon("sliders"),
  );
}

// A line under the large picture: whether this browser or the server draws it, and how long that takes here.

const CALM = 500; // ms between two updates of the time, so that people can read it

/**
 * Call `show(ms, model)` after each picture; null for a picture of the server. Screen readers hear only a
 * change between browser and server.
 */
export class Path {
  constructor() {
    this.name = h("span", { role: "status" });
    this.time = h("span", { class: "xp-ms", "aria-hidden": "true" });
    this.element = h("p", { class: "xp-path" }, this.name, this.time);
    this.updated = 0;
  }

  /**
   * @param {?number} ms
   * @param {Model | undefined} model
   */
  show(ms, model) {
    const here = ms !== null;
    this.element.classList.toggle("is-here", here);
    setText(
      this.name,
      t(here ? "explore.path_browser" : model?.live ? "explore.path_live" : "explore.path_server"),
    );
    if (here && performance.now() - this.updated < CALM && this.time.textContent) return;
    this.updated = performance.now();
    setText(this.time, here ? ` · ${t("explore.path_ms", { ms: Math.max(1, Math.round(ms)) })}` : "");
  }
}
