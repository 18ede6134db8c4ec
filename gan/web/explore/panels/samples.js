// Samples: 64 pictures of 64 consecutive seeds. The reader chooses one to move there.
import { h, icon } from "../../core/dom.js";
import { t } from "../../core/i18n.js";
import { query } from "../../latent/encoding.js";
import { fresh, randomSeed, unmoved } from "../../latent/point.js";
import { heading } from "../../widgets/help.js";
import { Mosaic, Sheet } from "../../widgets/mosaic.js";

export const SIDE = 8;

/** The section of samples. */
export class Samples {
  /** The seed of the first cell. @type {?number} */
  first = null;

  /** @param {SheetHost} host */
  constructor({ point, version, change, draw, failed }) {
    this.point = point;
    this.version = version;
    this.mosaic = new Mosaic({
      rows: SIDE,
      columns: SIDE,
      label: t("explore.wall"),
      name: (index) => t("explore.seed_of", { seed: point().wall + index }),
      pick: (index) => change({ ...unmoved(), seed: point().wall + index }),
    });
    this.sheet = new Sheet({
      mosaic: this.mosaic,
      path: "wall",
      query: () => this.#query(),
      points: () => this.#points(),
      draw,
      failed,
    });
    this.mosaic.lock(true);
    this.element = h(
      "section",
      { class: "xp-wall" },
      ...heading(
        t("explore.wall"),
        t("explore.wall_hint"),
        h("span", { class: "gan-space" }),
        h(
          "button",
          { type: "button", class: "xp-button xp-quiet", onclick: () => change({ wall: randomSeed() }) },
          icon("dice"),
          t("explore.more"),
        ),
      ),
      this.mosaic.element,
    );
  }

  /** Name the cells after their seeds, and mark the current one. */
  place() {
    const { seed, wall, t: part, at } = this.point();
    if (wall !== this.first) this.mosaic.relabel();
    this.first = wall;
    const cell = seed - wall;
    this.mosaic.mark(cell >= 0 && cell < SIDE * SIDE && !part && !at ? cell : -1);
  }

  #points() {
    const { psi, label, label2, mix, u, wall } = this.point();
    return Array.from({ length: SIDE * SIDE }, (_, index) => ({
      ...fresh(),
      seed: wall + index,
      psi,
      label,
      label2,
      mix,
      u,
    }));
  }

  #query() {
    const { model, psi, label, label2, mix, u, wall } = this.point();
    const v = this.version();
    return v ? query({ ...fresh(), model, psi, label, label2, mix, u, seed: wall }, { v }) : null;
  }
}
