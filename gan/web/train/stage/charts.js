// The two charts under the samples: the losses of D and G, and D's logits for real and fake images.
import { h, setText } from "../../core/dom.js";
import { t } from "../../core/i18n.js";
import { catalogue } from "../catalogue.js";
import { Plot, Zoom } from "../../widgets/plot.js";
import { changesIn } from "./changes.js";

// States of runs that may still get curves. The charts keep their place there, so that nothing jumps.
const TO_COME = ["queued", "starting", "running", "paused"];

export class Charts {
  /** Called with the thousands of images that the reader has pressed on. */
  /** @type {(kimg: number) => void} */
  pressed = () => {};

  constructor() {
    const zoom = new Zoom();
    this.zoom = zoom;
    this.losses = new Plot(zoom, {
      title: t("stage.losses"),
      about: t("stage.losses_help"),
      unit: t("stage.loss_axis"),
      series: [
        { field: "loss_d", colour: "d", name: "D" },
        { field: "loss_g", colour: "g", name: "G" },
      ],
    });
    this.logits = new Plot(zoom, {
      title: t("stage.logits"),
      about: t("stage.logits_help"),
      unit: t("stage.logit_axis"),
      series: [
        { field: "real", colour: "real", name: t("stage.real") },
        { field: "fake", colour: "fake", name: t("stage.fake") },
      ],
    });
    this.back = h(
      "button",
      { type: "button", class: "tr-quiet", hidden: true, onclick: () => zoom.set(null) },
      t("stage.unzoom"),
    );
    zoom.changed = (zoomed) => {
      this.back.hidden = !zoomed;
    };
    this.element = h(
      "section",
      { class: "tr-charts", "aria-label": t("stage.curves") },
      this.losses.element,
      this.logits.element,
    );
    for (const plot of [this.losses, this.logits]) plot.pressed = (kimg) => this.pressed(kimg);
    const strokes = ["smooth", "raw"].map((name) =>
      h("span", { class: `is-${name}` }, t(`stage.line_${name}`)),
    );
    this.losses.canvas.append(h("p", { class: "tr-strokes" }, strokes));
    this.losses.canvas.append(this.back); // in the corner beside the name of the axis
    /** @type {?string} */
    this.id = null;
    /** @type {Catalogue["losses"]} */
    this.facts = {};
    /** The newest row in the charts. @type {StatsRow | undefined} */
    this.seen = undefined;
    catalogue()
      .then((offer) => {
        this.facts = offer.losses;
      })
      .catch(() => {});
  }

  /**
   * @param {Run} run
   * @param {RunStats} stats
   */
  update(run, stats) {
    const rows = stats.id === run.id ? stats.rows : [];
    this.element.hidden = !rows.length && !TO_COME.includes(run.status.state);
    if (run.id !== this.id || (this.losses.count && rows[this.losses.count - 1] !== this.seen)) {
      // other rows, or thinned ones
      if (run.id !== this.id) this.zoom.set(null);
      this.id = run.id;
      for (const plot of [this.losses, this.logits]) plot.clear();
    }
    this.seen = rows.at(-1);
    this.explain(run.config?.loss);
    const flags = changesIn(run.events).map(({ images }) => Number(images) / 1000);
    for (const plot of [this.losses, this.logits]) plot.flags = flags;
    if (!rows.length) return;
    this.losses.update(rows);
    this.logits.update(rows);
  }

  /**
   * Mark the place in the history whose samples are shown; null for the newest.
   * @param {?number} kimg
   */
  mark(kimg) {
    for (const plot of [this.losses, this.logits]) plot.mark(kimg);
  }

  /**
   * Set the dashed lines, and the note about good values.
   * @param {string | undefined} loss
   */
  explain(loss) {
    const { equilibrium: rest = null, undecided = null } = this.facts[loss ?? ""] ?? {};
    this.losses.references = !rest
      ? []
      : rest[0] === rest[1]
        ? [{ value: rest[0] }]
        : [
            { value: rest[0], colour: "d" },
            { value: rest[1], colour: "g" },
          ];
    this.logits.references = undecided === null ? [] : [{ value: undecided }];
    const [d, g] = (rest ?? []).map((value) => value.toFixed(2));
    setText(
      this.losses.note,
      !rest
        ? t("stage.good_no_rest")
        : d === g
          ? t("stage.good_one_rest", { value: d })
          : t("stage.good_two_rests", { d, g }),
    );
    setText(
      this.logits.note,
      undecided === null ? t("stage.good_gap") : t("stage.good_undecided", { value: undecided }),
    );
  }
}
