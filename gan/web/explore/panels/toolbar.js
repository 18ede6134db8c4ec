// The row under the large picture: its seed, and what can be done with it.
import { h, icon, setText } from "../../core/dom.js";
import { t } from "../../core/i18n.js";
import { filed, showSeed } from "../file-names.js";
import { title } from "./model-picker.js";
import { query } from "../../latent/encoding.js";
import { MAX_SEED, randomSeed, unmoved } from "../../latent/point.js";
import { enlarged, picture, save } from "../../renderer/pictures.js";

const ENLARGED = 8;

/** `place(point)` brings the row to where the point is. */
export class Toolbar {
  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    /** @type {HTMLInputElement} */
    this.seed = h("input", {
      type: "number", min: "0", max: String(MAX_SEED), inputmode: "numeric", class: "xp-number", onchange: () => this.#refuse(), onblur: () => showSeed(this.seed, explorer.point),
      oninput: () => this.#fits() && explorer.change({ ...unmoved(), seed: this.seed.valueAsNumber }),
    });
    const tool = (/** @type {string} */ name, /** @type {string} */ glyph, /** @type {string} */ key, /** @type {() => unknown} */ onclick) => h("button", { type: "button", class: `xp-button xp-${name}`, title: t(key), "aria-label": t(key), onclick }, icon(glyph), h("span", {}, t(key)));
    this.heart = tool("heart", "heart", "explore.keep", () => this.#keep());
    this.element = h("div", { class: "xp-tools" },
      h("label", { class: "xp-seed" }, h("span", {}, t("explore.seed")), this.seed),
      tool("random", "dice", "explore.random", () => explorer.change({ ...unmoved(), seed: randomSeed() })),
      tool("reset", "reset", "explore.reset", () => explorer.change({ ...unmoved(), u: {}, psi: 1 })),
      h("span", { class: "gan-space" }),
      this.heart,
      h("span", { class: "xp-saves" }, tool("save", "download", "explore.save", () => this.#save(1)),
        h("button", { type: "button", class: "xp-button xp-save8", title: t("explore.save_large"), "aria-label": t("explore.save_large"), onclick: () => this.#save(ENLARGED) },
          `×${ENLARGED}`)));
  }

  /** @param {Point} point */
  place(point) {
    showSeed(this.seed, point);
    this.mark();
  }

  /** Say whether the current point is among the favourites. */
  mark() {
    const { favourites, point } = this.explorer;
    this.heart.setAttribute("aria-pressed", String(Boolean(favourites.at(point))));
  }

  #fits() {
    return this.seed.value !== "" && this.seed.checkValidity();
  }

  /** What is no seed does not stay in the box while the picture is another's. */
  #refuse() {
    if (this.#fits()) return;
    const { point } = this.explorer;
    const emptied = this.seed.value === "" && this.seed.checkValidity();
    showSeed(this.seed, point);
    if (!emptied || !point.at) this.explorer.say({ text: t("explore.bad_seed", { max: MAX_SEED }) });
  }

  /** Keep the current point among the favourites, or no longer. */
  #keep() {
    const { favourites, model, point } = this.explorer;
    if (!model) return;
    const one = favourites.at(point);
    const name = point.at || point.t > 0 ? t("explore.favourite_of", { number: favourites.all.length + 1 }) : t("explore.seed_of", { seed: point.seed });
    const safe = one ? favourites.remove(one) : favourites.add(point, name, title(model));
    this.explorer.say(safe ? null : { text: t("explore.favourites_full") });
  }

  /**
   * Save the picture as the server draws it, with the mark that a trained model made it.
   * @param {number} times
   */
  async #save(times) {
    const { point, shown } = this.explorer;
    if (!shown) return;
    const name = `ganarium-${(point.model ?? "").replace(/[^a-z0-9-]+/gi, "-")}-${filed(point)}${times > 1 ? `-x${times}` : ""}.png`;
    try {
      const { bitmap, blob } = await picture("image", query(point));
      save(times > 1 ? await enlarged(bitmap, times) : blob, name);
    } catch (error) {
      this.explorer.say(error);
    }
  }
}

// On a phone, where everything stands in one column: a button on the picture, which stays in sight, that leads to the sliders and from there back to the view.

const SEEN = 0.75; // of the window's height: sliders that begin above that are what one looks at

/**
 * The button; `sliders` and `view` are the elements it leads to.
 * @param {HTMLElement} sliders
 * @param {HTMLElement} view
 */
export function jump(sliders, view) {
  const go = () => {
    const there = sliders.getBoundingClientRect().top < SEEN * innerHeight && sliders.getBoundingClientRect().bottom > 0;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    (there ? view : sliders).scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
  };
  return h("button", { type: "button", class: "xp-button xp-jump", title: t("explore.jump"), "aria-label": t("explore.jump"), onclick: go }, icon("sliders"));
}

// A line under the large picture: who draws it, this browser or the server, and how long that takes here.

const CALM = 500; // ms between two times on the screen: nobody reads sixty a second

/** `tell(ms, model)` after each picture: ms for one drawn here, null for one of the server. Readers of the screen hear of a change of path alone. */
export class Path {
  constructor() {
    this.name = h("span", { role: "status" });
    this.time = h("span", { class: "xp-ms", "aria-hidden": "true" });
    this.element = h("p", { class: "xp-path" }, this.name, this.time);
    this.told = 0;
  }

  /**
   * @param {?number} ms
   * @param {Model | undefined} model
   */
  tell(ms, model) {
    const here = ms !== null;
    this.element.classList.toggle("is-here", here);
    setText(this.name, t(here ? "explore.path_browser" : model?.live ? "explore.path_live" : "explore.path_server"));
    if (here && performance.now() - this.told < CALM && this.time.textContent) return;
    this.told = performance.now();
    setText(this.time, here ? ` · ${t("explore.path_ms", { ms: Math.max(1, Math.round(ms)) })}` : "");
  }
}
