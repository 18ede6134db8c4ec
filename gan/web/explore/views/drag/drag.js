// The view that drags points of the large picture to goals (DragGAN). The server moves z until they arrive.
import { request } from "../../../core/api.js";
import { find, h, icon, setText, shape } from "../../../core/dom.js";
import { sentence, t } from "../../../core/i18n.js";
import { Arrows } from "./arrows.js";
import { query } from "../../../latent/encoding.js";
import { unmoved } from "../../../latent/point.js";
import { button } from "../../../widgets/buttons.js";
import { heading } from "../../../widgets/help.js";
import { ServerJob } from "../../../widgets/server-job.js";

const BEAT = 30; // ms between an answer and the next request
const ARRIVED = 1; // pixels of the picture
const NEARER = 0.75; // share of the distance; a drag that leaves more has failed

export class View {
  /** The server's last answer about these arrows. @type {?DragState} */
  state = null;
  /** @type {?string} */
  model = null;
  /** The point at which the drag began. @type {?Patch} */
  before = null;
  here = ""; // the text of `placeOf` for the shown point
  moving = false;

  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    this.arrows = new Arrows(explorer.large, {
      changed: () => this.#changed(),
      say: (text) => setText(this.status, text),
    });
    this.go = button(
      "arrow",
      "explore.drag_go",
      () => (this.job.busy ? this.stop() : this.#begin()),
      "xp-primary",
    );
    this.undo = button("back", "explore.drag_undo", () => this.arrows.undo());
    this.clear = button("bin", "explore.drag_clear", () => this.arrows.clear());
    this.back = button("reset", "explore.drag_back", () => this.#return());
    this.bar = h("progress", { max: 1, value: 0, "aria-label": t("explore.drag_progress"), hidden: true });
    this.status = h("p", { class: "xp-status", role: "status" });
    this.job = new ServerJob(explorer, {
      route: "drag",
      beat: BEAT,
      status: this.status,
      step: (/** @type {DragState} */ state) => this.#step(state),
      done: (/** @type {DragState} */ state) => this.#done(state),
      fail: (/** @type {Refusal} */ error) => this.#fail(error),
    });
    this.list = h("ol", { class: "xp-pairs", "aria-label": t("explore.drag_points") });
    this.none = h(
      "div",
      { class: "xp-undrawn" },
      example(),
      h("p", { class: "xp-hint" }, t("explore.drag_none")),
    );
    this.element = h(
      "section",
      { class: "xp-drag" },
      ...heading(t("explore.drag"), t("explore.drag_hint")),
      this.none,
      h("div", { class: "xp-findrow" }, this.go, this.undo, this.clear, this.back),
      this.bar,
      this.status,
      this.list,
    );
    this.#show();
  }

  open() {
    this.arrows.open();
    this.explorer.moves.lend(this.arrows);
  }

  close() {
    this.stop();
    this.explorer.moves.lend(null);
    this.arrows.close();
  }

  /**
   * Another model has other pictures, so the arrows are removed. Newer weights of the same model change
   * nothing.
   */
  renew() {
    const { model } = this.explorer;
    if (!model || model.id === this.model) return;
    this.stop();
    this.model = model.id;
    this.arrows.clear();
    this.arrows.size = model.size;
    setText(this.status, "");
  }

  /** Another control has moved the point. A running drag ends, and finished arrows are removed. */
  place() {
    const here = placeOf(this.explorer.point);
    if (here === this.here) return;
    this.here = here;
    if (this.moving) return;
    this.stop();
    if (this.state) this.arrows.clear();
  }

  /** Stop the drag. */
  stop() {
    if (!this.job.stop()) return;
    this.#over();
    setText(
      this.status,
      this.state ? t("explore.drag_stopped_at", left(this.state)) : t("explore.drag_stopped"),
    );
  }

  /** The reader has changed the arrows, so the results of the last drag no longer apply. */
  #changed() {
    this.state = null;
    this.before = null;
    setText(this.status, "");
    this.#show();
  }

  #return() {
    const { before } = this;
    this.arrows.clear();
    if (before) this.explorer.change(before, false);
  }

  async #begin() {
    const { point } = this.explorer;
    if (!this.explorer.model || !point.model || !this.arrows.pairs.length) return;
    this.explorer.player?.pause();
    const pairs = this.arrows.pairs.map((pair) => [...pair.now, ...pair.end]);
    const { seed, at, psi, label, d, x, z, t: part, to } = point;
    this.before ??= { seed, at, psi, label, d, x, z, t: part, to };
    this.state = null;
    this.bar.hidden = false;
    this.bar.removeAttribute("value");
    setText(this.status, t("explore.drag_begin"));
    const running = this.job.run(point.model, () =>
      request("drag", { query: query(point), method: "POST", value: { pairs } }),
    );
    this.#show();
    await running;
  }

  /** @param {DragState} state */
  #step(state) {
    const shown = this.state?.at;
    this.state = state;
    const { step, of, at, psi, label } = state;
    this.bar.value = step / of;
    setText(this.status, t("explore.drag_step", { step, of, distance: left(state).distance }));
    this.arrows.follow(state.points);
    this.#list();
    if (at === shown) return;
    this.moving = true;
    this.explorer.change({ ...unmoved(), at, psi, label }, true);
    this.moving = false;
  }

  /** @param {DragState} state */
  #done(state) {
    this.#over();
    setText(this.status, verdict(state));
  }

  #over() {
    this.bar.hidden = true;
    this.arrows.finish();
    this.#show();
    this.explorer.settle(); // refreshes the sheets
  }

  /** @param {Refusal} error */
  #fail(error) {
    this.#over();
    setText(this.status, sentence(error));
  }

  #show() {
    const { pairs } = this.arrows;
    const { busy } = this.job;
    this.arrows.busy = busy;
    this.none.hidden = pairs.length > 0;
    this.go.disabled =
      !busy && !pairs.some(({ start, end }) => start.some((value, axis) => value !== end[axis]));
    find(this.go, "span").textContent = t(busy ? "explore.drag_stop" : "explore.drag_go");
    this.go.firstChild?.replaceWith(icon(busy ? "stop" : "arrow"));
    for (const button of [this.undo, this.clear]) button.disabled = busy || !pairs.length;
    this.back.hidden = busy || !this.before || !this.state;
    this.#list();
  }

  /** List the points with their distances to their goals. */
  #list() {
    const { pairs } = this.arrows;
    const size = this.explorer.model?.size ?? 1;
    const texts = pairs.map((pair, index) => {
      const away =
        this.state?.away[index] ??
        size * Math.hypot(...pair.end.map((value, axis) => value - pair.now[axis]));
      if (this.state?.lost[index]) return t("explore.drag_lost");
      if (pair.stays && !this.state) return t("explore.drag_held");
      return t(pair.stays ? "explore.drag_stays" : "explore.drag_left", { distance: pixels(away) });
    });
    if (this.list.children.length !== texts.length) this.list.replaceChildren(...texts.map(() => h("li")));
    texts.forEach((text, index) => setText(this.list.children[index], text));
    pairs.forEach((pair, index) => this.list.children[index].classList.toggle("is-held", pair.stays));
  }
}

/** A picture of what to do: an arrow from a point of a picture to another. The text beside it says the same. */
const example = () =>
  shape(
    "svg",
    { class: "xp-example", viewBox: "0 0 96 96", "aria-hidden": "true" },
    shape("rect", { x: 1, y: 1, width: 94, height: 94, rx: 8 }),
    shape("path", { class: "xp-outline", d: "M30 70 C22 40 30 22 50 22 C70 22 62 46 44 62 L40 72 L70 72" }),
    shape("path", { class: "xp-shaft", d: "M50 22 L80 22 M72 15 L80 22 L72 29" }),
    shape("circle", { class: "xp-dot", cx: 50, cy: 22, r: 6 }),
  );

/**
 * The values that determine a point's picture, as text.
 * @param {Point} point
 */
const placeOf = (point) => JSON.stringify(query(point));

/** @param {number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
/** @param {number} value */
const pixels = (value) => value.toFixed(1);

/**
 * The points that should move, by index, and their mean distance to their goals in pixels: now, and at the
 * start.
 * @param {DragState} state
 */
function moved(state) {
  // The other points are held.
  const points = state.from.map((_, index) => index).filter((index) => state.from[index] > 0);
  return {
    points,
    distance: mean(points.map((index) => state.away[index])),
    from: mean(points.map((index) => state.from[index])),
  };
}

/**
 * The distances of `moved`, as texts.
 * @param {DragState} state
 */
function left(state) {
  const { distance, from } = moved(state);
  return { distance: pixels(distance), from: pixels(from) };
}

/**
 * The result of a drag in a sentence.
 * @param {DragState} state
 */
function verdict(state) {
  const { points, distance, from } = moved(state);
  const arrived = state.away.every((away, index) => away <= ARRIVED && !state.lost[index]);
  const lost = points.every((index) => state.lost[index]);
  const key = arrived ? "arrived" : lost ? "gone" : distance <= NEARER * from ? "near" : "never";
  return t(`explore.drag_${key}`, left(state));
}
