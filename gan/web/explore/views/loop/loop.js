// The view of loops: key frames, the walk through them and back to the first, and its file.
import { h, icon, must, setText } from "../../../core/dom.js";
import { PLAYING } from "../../../core/events.js";
import { fileSize } from "../../../core/format.js";
import { refusal, sentence, t } from "../../../core/i18n.js";
import { film } from "./film.js";
import { keep, keyOf, keysOf, watch } from "./key-frames.js";
import {
  frameOf,
  keyText,
  MOST_FPS,
  MOST_FRAMES,
  MOST_KEYS,
  MOST_STEPS,
  standing,
  unitsOf,
} from "../../../latent/loop-path.js";
import { fresh, MOST_UNITS, randomSeed } from "../../../latent/point.js";
import { save } from "../../../renderer/pictures.js";
import { button } from "../../../widgets/buttons.js";
import { heading } from "../../../widgets/help.js";
import { Player } from "../../../widgets/player.js";
import { Slider } from "../../../widgets/slider.js";
import { drawThumb, thumb } from "../../../widgets/thumbnail.js";

const FORMS = ["gif", "webp", "mp4"];
const SIZES = [256, 512];

export class View {
  /** Key frames by model. @type {Map<string, KeyFrame[]>} */
  all = new Map();
  /** Ends the making of a file. @type {AbortController | undefined} */
  ending;
  current = -1;
  frame = 0;
  steps = 24;
  fps = 12;
  /** @type {string | null | undefined} */
  model = null;
  /** @type {string | null | undefined} */
  updated = null;

  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    this.player = new Player(explorer, (seconds) => this.#step(seconds));
    const tool = (
      /** @type {string} */ glyph,
      /** @type {string} */ key,
      /** @type {() => unknown} */ onclick,
    ) =>
      h(
        "button",
        { type: "button", class: "gan-ghost", title: t(key), "aria-label": t(key), onclick },
        icon(glyph),
      );
    this.list = h("ol", {
      class: "xp-keys",
      "aria-label": t("explore.keys"),
      onkeydown: (event) => this.#key(event),
    });
    this.tools = [
      tool("back", "explore.key_earlier", () => this.#shift(-1)),
      tool("next", "explore.key_later", () => this.#shift(1)),
      tool("bin", "explore.key_remove", () => this.#remove()),
    ];
    this.which = h("span", { class: "xp-caption" });
    this.chosen = h("div", { class: "xp-chosen" }, this.which, h("span", { class: "gan-space" }), this.tools);
    this.hint = h("p", { class: "xp-hint" });
    this.adders = [
      button("plus", "explore.key_add", () => this.#add([explorer.point])),
      button("heart", "explore.key_favourites", () => this.#addFavourites()),
      button("dice", "explore.key_random", () =>
        this.#add([
          {
            ...fresh(),
            model: explorer.point.model,
            seed: randomSeed(),
            label: explorer.point.label,
            u: explorer.point.u,
          },
        ]),
      ),
    ];
    const amount = (
      /** @type {string} */ name,
      /** @type {number} */ most,
      /** @type {"steps" | "fps"} */ key,
    ) =>
      new Slider({
        name: t(name),
        low: 1,
        high: most,
        step: 1,
        rest: this[key],
        input: (value) => {
          this[key] = value;
          this.#show();
        },
      });
    this.sliders = [
      amount("explore.loop_steps", MOST_STEPS, "steps"),
      amount("explore.loop_fps", MOST_FPS, "fps"),
    ];
    this.play = h("button", { type: "button", class: "xp-button", onclick: () => this.player.toggle() });
    this.form = h(
      "select",
      { "aria-label": t("explore.loop_form") },
      FORMS.map((form) => h("option", { value: form }, t(`explore.loop_${form}`))),
    );
    this.size = h(
      "select",
      { "aria-label": t("explore.loop_size") },
      SIZES.map((size) => h("option", { value: String(size) }, t("explore.loop_pixels", { size }))),
    );
    this.save = button("download", "explore.loop_save", () => this.#save(), "xp-primary");
    this.cancel = h(
      "button",
      { type: "button", class: "xp-button", hidden: true, onclick: () => this.ending?.abort() },
      t("explore.cancel"),
    );
    this.bar = h("progress", { max: "1", "aria-label": t("explore.loop_progress") });
    this.fileNote = h("span", { role: "status", class: "xp-caption" });
    // Screen readers hear the progress bar.
    this.counted = h("span", { class: "xp-caption", "aria-hidden": "true" });
    this.progress = h("div", { class: "xp-progress", hidden: true }, this.bar, this.counted, this.fileNote);
    this.note = h("p", { class: "xp-hint" });
    explorer.addEventListener(PLAYING, () => this.#show());
    watch(() => this.#reread());
    this.element = h(
      "div",
      { class: "xp-moving" },
      h(
        "section",
        {},
        ...heading(t("explore.loop"), t("explore.loop_hint")),
        this.hint,
        this.list,
        this.chosen,
        h("div", { class: "xp-row" }, this.adders),
      ),
      h(
        "section",
        { class: "xp-timing" },
        this.sliders.map((slider) => slider.element),
        h("div", { class: "xp-play" }, this.play, this.note),
      ),
      h(
        "section",
        {},
        h("div", { class: "xp-row" }, this.form, this.size, this.save, this.cancel),
        this.progress,
      ),
    );
  }

  /** The key frames of the current model. */
  get keys() {
    const { model } = this.explorer;
    if (!model) return [];
    const keys = this.all.get(model.id) ?? keysOf(model);
    this.all.set(model.id, keys);
    return keys;
  }

  /** Another tab has changed the storage. */
  #reread() {
    this.all.clear();
    this.current = Math.min(this.current, this.keys.length - 1);
    if (this.element.isConnected) this.#build();
  }

  /** Store the key frames and show them again. */
  #changed(focus = false) {
    const { model } = this.explorer;
    if (model && !keep(model, this.keys)) this.explorer.say({ text: t("explore.keys_unsafe") });
    this.#build(focus);
  }

  close() {
    this.player.pause();
  }

  renew() {
    const { id, updated } = this.explorer.model ?? {};
    if (id === this.model && updated === this.updated) return;
    Object.assign(this, { model: id, updated });
    this.current = Math.min(this.current, this.keys.length - 1);
    this.#build(this.list.contains(document.activeElement));
  }

  // Keys ----------------------------------------------------------------------------------------------------

  /** @param {Point[]} points */
  async #add(points) {
    const { keys } = this;
    try {
      for (const point of points.slice(0, MOST_KEYS - keys.length)) {
        const key = await keyOf(this.explorer, point);
        if (keys !== this.keys) return; // another model was opened meanwhile
        if (unitsOf([...keys, key]) > MOST_UNITS)
          throw { text: t("explore.units_most", { most: MOST_UNITS }) };
        keys.push(key);
      }
      this.current = keys.length - 1;
      this.#changed();
    } catch (error) {
      this.explorer.say(refusal(error));
    }
  }

  #addFavourites() {
    const { favourites, point } = this.explorer;
    this.#add(favourites.all.filter((one) => one.model === point.model).map((one) => favourites.point(one)));
  }

  /** @param {number} by */
  #shift(by) {
    const { keys, current } = this;
    const to = current + by;
    if (!keys[current] || !keys[to]) return;
    [keys[current], keys[to]] = [keys[to], keys[current]];
    this.current = to;
    this.#changed(true);
  }

  #remove() {
    this.keys.splice(this.current, 1);
    this.current = Math.min(this.current, this.keys.length - 1);
    this.#changed(true);
  }

  /**
   * Move to a key frame, and select it for the buttons below.
   * @param {number} index
   */
  #go(index) {
    this.player.pause();
    this.current = index;
    this.explorer.change(standing(this.keys[index]), false);
    this.#mark();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 };
    const by = steps[event.key];
    if (by && event.shiftKey) this.#shift(by);
    else if (by) this.#button(this.current + by)?.focus();
    else if (event.key === "Delete" || event.key === "Backspace") this.#remove();
    else return;
    event.preventDefault();
  }

  #build(focus = false) {
    const { keys, explorer } = this;
    if (!keys.length) this.player.pause();
    /** @type {[HTMLLIElement, HTMLCanvasElement, Point][]} */
    const cells = keys.map((key, index) => {
      const canvas = thumb();
      const choose = () => this.#go(index);
      const button = h(
        "button",
        {
          type: "button",
          class: "xp-key",
          "aria-label": t("explore.key", { number: index + 1, count: keys.length }),
          onclick: choose,
          onfocus: () => {
            this.current = index;
            this.#mark();
          },
        },
        canvas,
        h("small", { "aria-hidden": "true" }, String(index + 1)),
      );
      return [h("li", {}, button), canvas, { ...fresh(), model: explorer.point.model, ...standing(key) }];
    });
    this.list.replaceChildren(...cells.map(([cell]) => cell));
    for (const [, canvas, point] of cells) drawThumb(explorer, canvas, point);
    this.#mark();
    this.#show();
    if (focus) (this.#button(this.current) ?? this.adders[0]).focus();
  }

  /** The button of a key frame. @param {number} index */
  #button(index) {
    return this.list.querySelectorAll("button")[index];
  }

  #mark() {
    const { keys, current } = this;
    this.list.querySelectorAll("button").forEach((button, index) => {
      button.setAttribute("aria-pressed", String(index === current));
      button.tabIndex = index === Math.max(0, current) ? 0 : -1;
    });
    this.chosen.hidden = current < 0;
    setText(this.which, current < 0 ? "" : t("explore.key", { number: current + 1, count: keys.length }));
    this.tools[0].disabled = current <= 0;
    this.tools[1].disabled = current >= keys.length - 1;
  }

  // The loop ------------------------------------------------------------------------------------------------

  /** @param {number} seconds */
  #step(seconds) {
    const total = this.keys.length * this.steps;
    const before = Math.floor(this.frame) % total;
    this.frame = (this.frame + seconds * this.fps) % total;
    const now = Math.floor(this.frame);
    return now === before && seconds
      ? undefined
      : standing(frameOf(this.keys, this.steps, now, must(this.explorer.model, "model").z_dim));
  }

  #show() {
    const count = this.keys.length;
    const total = count * this.steps;
    const [few, many] = [count < 2, total > MOST_FRAMES];
    const { playing } = this.player;
    if (few && playing) return void this.player.pause();
    this.hint.hidden = !few;
    setText(this.hint, t(count ? "explore.loop_one_more" : "explore.loop_empty"));
    this.play.replaceChildren(
      icon(playing ? "pause" : "play"),
      h("span", {}, t(playing ? "explore.pause" : "explore.play")),
    );
    this.play.disabled = few;
    this.save.disabled = few || many;
    for (const button of this.adders) button.disabled = count >= MOST_KEYS;
    const length = { frames: total, seconds: (total / this.fps).toFixed(1) };
    setText(
      this.note,
      few
        ? ""
        : many
          ? t("explore.loop_too_long", { ...length, most: MOST_FRAMES })
          : t("explore.loop_length", length),
    );
  }

  async #save() {
    const { explorer, keys } = this;
    const form = this.form.value;
    this.ending = new AbortController();
    this.#working(true);
    try {
      const asked = {
        id: explorer.point.model,
        keys: keys.map(keyText).join(";"),
        steps: this.steps,
        fps: this.fps,
        as: form,
        side: this.size.value,
      };
      const blob = await film(asked, (line) => this.#showProgress(line), this.ending.signal);
      save(blob, `ganarium-loop-${(explorer.point.model ?? "").replace(/[^a-z0-9-]+/gi, "-")}.${form}`);
      setText(this.fileNote, t("explore.loop_saved", { size: fileSize(blob.size) }));
    } catch (thrown) {
      const error = refusal(thrown);
      setText(this.fileNote, error.name === "AbortError" ? t("explore.loop_cancelled") : sentence(error));
    }
    this.#working(false);
  }

  /** @param {boolean} on */
  #working(on) {
    this.save.hidden = on;
    this.cancel.hidden = !on;
    this.progress.hidden = false;
    this.bar.hidden = !on;
    if (on) this.bar.value = 0;
    setText(this.counted, "");
    (on ? this.cancel : this.save).focus();
  }

  /**
   * Show the progress. The bar counts frames; while the server packs the file it is indeterminate.
   * @param {import("./film.js").Progress} progress
   */
  #showProgress({ done, of, packing }) {
    if (packing) this.bar.removeAttribute("value");
    else this.bar.value = done / of;
    setText(this.counted, !packing && done ? t("explore.loop_drawing", { done, of }) : "");
    setText(this.fileNote, packing ? t("explore.loop_packing") : done ? "" : t("explore.loop_waiting"));
  }
}
