// The interpolation from the current seed to another: a strip of pictures along the great circle, and a
// slider over it.
import { h, icon } from "../../core/dom.js";
import { t } from "../../core/i18n.js";
import { filed } from "../file-names.js";
import { query } from "../../latent/encoding.js";
import { MAX_SEED, randomSeed } from "../../latent/point.js";
import { enlarged, save } from "../../renderer/pictures.js";
import { heading } from "../../widgets/help.js";
import { Mosaic, Sheet } from "../../widgets/mosaic.js";
import { Slider } from "../../widgets/slider.js";

const FRAMES = 9;
const ENLARGED = 4;

/** The section under the large picture. */
export class Interpolation {
  /** @param {SheetHost} host */
  constructor({ point, version, change, draw, failed }) {
    this.point = point;
    this.version = version;
    /** @type {HTMLInputElement} */
    this.seed = h("input", {
      type: "number",
      min: "0",
      max: String(MAX_SEED),
      inputmode: "numeric",
      class: "xp-number",
      "aria-label": t("explore.other_seed"),
      oninput: () =>
        this.seed.checkValidity() && this.seed.value !== "" && change({ to: this.seed.valueAsNumber }, false),
    });
    const dice = h(
      "button",
      {
        type: "button",
        class: "gan-ghost",
        title: t("explore.other_random"),
        "aria-label": t("explore.other_random"),
        onclick: () => change({ to: randomSeed() }, false),
      },
      icon("dice"),
    );
    const keep = h(
      "button",
      {
        type: "button",
        class: "xp-button xp-quiet",
        title: t("explore.save_strip"),
        "aria-label": t("explore.save_strip"),
        onclick: () => this.#save(),
      },
      icon("download"),
      h("span", {}, t("explore.strip")),
    );
    this.mosaic = new Mosaic({
      rows: 1,
      columns: FRAMES,
      label: t("explore.way"),
      name: (index) => t("explore.frame", { number: index + 1, count: FRAMES }),
      pick: (index) => change({ t: index / (FRAMES - 1) }, false),
    });
    this.sheet = new Sheet({
      mosaic: this.mosaic,
      path: "strip",
      query: () => this.#query(),
      points: () => this.#points(),
      draw,
      failed,
    });
    this.walk = new Slider({
      name: t("explore.along"),
      low: 0,
      high: 1,
      step: 0.01,
      input: (value, dragging) => change({ t: value }, dragging),
    });
    this.walk.element.classList.add("xp-walk");
    this.element = h(
      "section",
      { class: "xp-way" },
      ...heading(
        t("explore.way"),
        t("explore.way_hint"),
        this.seed,
        dice,
        h("span", { class: "gan-space" }),
        keep,
      ),
      this.mosaic.element,
      this.walk.element,
    );
    this.mosaic.lock(true);
  }

  place() {
    const { to, t: part } = this.point();
    if (document.activeElement !== this.seed || this.seed.value === "") this.seed.value = String(to);
    if (this.walk.bar.valueAsNumber !== part) this.walk.set(part);
    const frame = part * (FRAMES - 1);
    this.mosaic.mark(Math.abs(frame - Math.round(frame)) < 0.05 ? Math.round(frame) : -1);
  }

  #query() {
    const point = this.point();
    return query({ ...point, t: 0 }, { to: point.to, n: FRAMES, v: this.version() });
  }

  #points() {
    return Array.from({ length: FRAMES }, (_, frame) => ({ ...this.point(), t: frame / (FRAMES - 1) }));
  }

  async #save() {
    const { bitmap } = this.sheet;
    if (!bitmap) return;
    save(
      await enlarged(bitmap, bitmap.height < 128 ? ENLARGED : 1),
      `ganarium-way-${filed(this.point())}-${this.point().to}.png`,
    );
  }
}
