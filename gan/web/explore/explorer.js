// <gan-explorer>: the whole Explore tab. It holds the current point. Panels and views draw the point, and ask
// the explorer to move it.
import { request } from "../core/api.js";
import { later, latest } from "../core/debounce.js";
import { h, setText } from "../core/dom.js";
import { CHOSEN, DRAWN, EXPLORE, FAVOURITES, RAW } from "../core/events.js";
import { refusal, sentence, t } from "../core/i18n.js";
import { Axes } from "./axes.js";
import { Families } from "./families.js";
import { Favourites } from "./favourites-store.js";
import { described } from "./file-names.js";
import { seedFor } from "./first-seed.js";
import { HandMoves } from "./hand-moves.js";
import { ModelFeed } from "./model-feed.js";
import { Canvas } from "./panels/canvas.js";
import { Controls } from "./panels/controls.js";
import { Interpolation } from "./panels/interpolation.js";
import { ModelPicker, namedError, title, unreadable } from "./panels/model-picker.js";
import { Neighbours } from "./panels/neighbours.js";
import { Samples } from "./panels/samples.js";
import { Scores } from "./panels/scores.js";
import { Share } from "./panels/share.js";
import { TakeHome } from "./panels/take-home.js";
import { jump, Path, Toolbar } from "./panels/toolbar.js";
import { PictureSource } from "./picture-source.js";
import { SliderSet } from "./slider-set.js";
import { restore, UrlHistory } from "./url-state.js";
import { Views } from "./views.js";
import { query } from "../latent/encoding.js";
import { amountOf, fresh, without } from "../latent/point.js";
import { pointZ } from "../latent/sampling.js";
import { BrowserRenderer } from "../renderer/browser-renderer.js";
import { openTab } from "../shell/tabs.js";

const SETTLE = 160; // ms after the last movement until the sheets refresh
const SLOW = 700; // ms without a first picture after which the page says that the model is still loading
const FINDING = 1500; // ms until the next request, while the server finds the named directions again
// This browser loads the generator so many milliseconds after the first picture, so that the download delays no
// visible picture.
const UNHURRIED = 800;

export class GanExplorer extends HTMLElement {
  built = false;
  point = restore();
  /** The point whose picture is on the screen. @type {?Point} */
  shown = null;
  /** @type {Model[]} */
  models = [];
  /** Ids of models that did not load. @type {Set<string>} */
  broken = new Set();
  /** Id of the model that GET model has described. @type {?string} */
  loaded = null;
  /**
   * The model that the reader asked for and that is not in the list yet.
   * @type {?{id: string, point: ?Patch, error?: Refusal}}
   */
  awaited = null;
  /** Id of the model that is open only because it is the first. @type {?string} */
  byChance = null;
  /** Whether the current model can't be read. */
  unread = false;
  /** Whether no server answered the last request. */
  lost = false;
  /** Whether the point has moved since the note appeared. */
  outlived = false;
  /**
   * The error about a direction that the model lacks and that the drawn point leaves out.
   * @type {?Refusal}
   */
  missing = null;
  /** The player that moves the point right now. @type {?import("../widgets/player.js").Player} */
  player = null;

  draw = latest(() => this.drawLarge());
  fetch = later(() => this.local.follow(this.model), UNHURRIED);
  describe = latest((/** @type {string} */ id) => this.loadModel(id));
  settle = later(() => this.followUp(), SETTLE);
  axes = new Axes(this);
  families = new Families(() => this.rechoose());
  chosen = new SliderSet(() => this.rechoose());
  local = new BrowserRenderer(
    () => this.draw(),
    (id) => this.families.vector(id),
  );
  pictures = new PictureSource(this);
  drawn = this.pictures.drawn.bind(this.pictures);
  sheet = this.pictures.sheet.bind(this.pictures);
  /** @type {PanelHost} */
  host = {
    point: () => this.point,
    axes: this.axes,
    chosen: this.chosen,
    version: () => this.model?.updated,
    change: (patch, dragging) => this.change(patch, dragging),
    draw: this.sheet,
    failed: (error, id) => id === this.point.model && this.say(error),
  };
  picker = new ModelPicker(
    (id) => this.choose(id),
    (error) => this.say(error),
  );
  note = h("p", { class: "xp-note", role: "status", hidden: true });
  large = new Canvas();
  moves = new HandMoves(this);
  favourites = new Favourites(() => {
    this.toolbar.mark();
    this.dispatchEvent(new CustomEvent(FAVOURITES));
  });
  toolbar = new Toolbar(this);
  path = new Path();
  share = new Share(this);
  scores = new Scores();
  controls = new Controls(this.host.change, this.chosen, this.families);
  neighbours = new Neighbours(this.host);
  interpolation = new Interpolation(this.host);
  takeHome = new TakeHome(this.host);
  samples = new Samples(this.host);
  sheets = [this.samples.sheet, this.interpolation.sheet, this.neighbours.sheet];
  views = new Views(this, [this.samples.element, this.neighbours.element]);
  body = h(
    "div",
    { class: "xp-body" },
    this.views.element,
    h(
      "div",
      { class: "xp-mid" },
      this.large.element,
      h("div", { class: "xp-under" }, this.path.element, this.share.element),
      this.toolbar.element,
      this.interpolation.element,
      this.takeHome.element,
      this.scores.element,
    ),
    h("div", { class: "xp-right" }, this.controls.element),
  );
  empty = h(
    "section",
    { class: "xp-empty", hidden: true },
    h("h2", {}, t("explore.empty")),
    h("p", {}, t("explore.empty_hint")),
    h(
      "button",
      { type: "button", class: "xp-button xp-primary", onclick: () => openTab("train") },
      t("explore.go_train"),
    ),
  );
  urlHistory = new UrlHistory(this);
  feed = new ModelFeed(this, {
    take: (models) => {
      this.take(models);
      if (this.lost) this.improved();
    },
    fail: (error) => this.say(error),
  });

  connectedCallback() {
    if (this.built) return;
    this.built = true;
    this.large.element.append(this.moves.button, jump(this.controls.element, this.views.list));
    this.controls.element.addEventListener(RAW, () => this.rebase());
    this.append(h("div", { class: "xp" }, this.picker.element, this.note, this.empty, this.body));
    this.place();
    addEventListener(EXPLORE, (event) => {
      this.choose(event.detail.model);
      if (event.detail.push) this.takeHome.push.ask(event.detail.model);
    });
  }

  // Moving the point ----------------------------------------------------------------------------------------

  /** Change some values of the point. During a drag only the large picture follows. @param {Patch} patch */
  change(patch, dragging = false) {
    const before = this.point;
    this.point = { ...before, ...patch };
    this.place(before);
    this.urlHistory.follow(before);
    const moved = ["wall", "axes", "view", "family"].every((key) => !(key in patch));
    if (moved) this.draw();
    if (!dragging) this.settle();
    else this.settle.cancel();
    if (moved && !dragging) this.outlived = true; // the note disappears with the picture of another point
  }

  /** Move to the point of another history entry, or of an edited address. @param {Point} point */
  adopt(point) {
    this.player?.pause();
    if (point.model && point.model !== this.point.model) return void this.choose(point.model, point);
    this.change({ ...point, model: this.point.model });
    this.outlived = true;
    this.draw();
  }

  /** Set every control to the point. @param {Patch} before where it was */
  place(before = {}) {
    const { point } = this;
    this.toolbar.place(point);
    this.controls.set(point);
    this.interpolation.place();
    if (point.axes !== before.axes) this.axes.show();
    this.neighbours.place();
    this.samples.place();
    this.views.place();
    if (point.seed !== before.seed || point.t !== before.t || point.at !== before.at) this.rebase();
    this.large.describe(described(point, this.model ? title(this.model) : ""));
  }

  /** Refresh the sheets. Only the large picture follows every movement at once. */
  followUp() {
    for (const sheet of this.sheets) sheet.refresh();
  }

  // Models --------------------------------------------------------------------------------------------------

  get model() {
    return this.models.find((model) => model.id === this.point.model);
  }

  /**
   * Open another model at the seed's own picture, or at `point`. A model that is not in the list yet opens
   * when it appears.
   * @param {string} id
   * @param {?Patch} point
   */
  choose(id, point = null) {
    this.awaited = null;
    if (id === this.point.model && !point) return;
    if (!this.models.some((model) => model.id === id)) {
      this.expect(id, point);
      this.feed.poll();
      return;
    }
    const before = this.point;
    const { psi, wall, to, view, family } = before;
    this.point = { ...fresh(), seed: seedFor(before, id), psi, wall, to, view, family, ...point, model: id };
    this.urlHistory.follow(before);
    this.open();
  }

  /**
   * Say why a model can't be shown, and open it as soon as it appears.
   * @param {string} id
   * @param {?Patch} point
   */
  async expect(id, point) {
    /** @type {NonNullable<typeof this.awaited>} */
    const awaited = (this.awaited = { id, point });
    this.picker.offer(id);
    await request("model", { query: { id } }).catch((error) => {
      awaited.error = error;
    });
    if (this.awaited === awaited) this.say(null);
  }

  /**
   * Disable all controls that move or save, for a model that can't be read. The picker marks it at once;
   * other pages see the mark with their next poll.
   * @param {?Refusal} error
   */
  #reads(error) {
    const unread = unreadable(error);
    if (unread && this.model) this.model.unreadable = true;
    if (unread === this.unread) return;
    this.unread = unread;
    for (const part of [this.toolbar, this.share, this.interpolation, this.takeHome, this.controls])
      part.element.inert = unread;
    this.moves.button.disabled = unread;
    this.body.classList.toggle("is-unread", unread);
    this.picker.show(this.models, this.point.model);
    this.views.renew();
  }

  /** Open the current model: show its preview at once, then its own pictures. */
  open() {
    this.say(null);
    this.#reads(null);
    this.loaded = null;
    this.families.follow(this.model);
    this.controls.begin(this.model);
    this.neighbours.wake(false);
    this.takeHome.push.follow(this.model);
    for (const sheet of this.sheets) sheet.clear();
    this.large.clear();
    this.shown = null;
    this.place();
    this.views.renew(); // at once, because views must not act on the previous model while GET model runs
    this.picker.show(this.models, this.point.model);
    this.picker.reveal(this.point.model);
    this.large.live(Boolean(this.model?.live));
    this.scores.show(this.model);
    if (!this.model) return;
    this.pictures.preview(this.model);
    this.draw();
    this.describe(this.model.id);
    this.followUp();
  }

  /** @param {Model[]} models */
  take(models) {
    const before = this.model;
    this.models = models;
    this.empty.hidden = models.length > 0;
    this.body.hidden = !models.length;
    if (!models.length) return;
    if (!this.model) {
      if (before)
        this.awaited = {
          id: before.id,
          point: this.point,
          error: { text: t("explore.deleted", { name: title(before) }) },
        };
      else if (this.point.model) this.expect(this.point.model, this.point);
      this.unasked(models.find((model) => !this.broken.has(model.id)) ?? models[0]);
    }
    const { awaited } = this;
    if (awaited && models.some((model) => model.id === awaited.id)) this.choose(awaited.id, awaited.point);
    else if (!before || before.id !== this.point.model) this.open();
    else if (before.updated !== this.model?.updated) this.improved();
    this.picker.show(models, this.point.model);
    this.large.live(Boolean(this.model?.live));
    this.scores.show(this.model);
  }

  /**
   * Open a model that the reader did not choose, because it is the first in the list.
   * @param {Model} model
   */
  unasked(model) {
    this.byChance = model.id;
    this.point = { ...(this.point.model ? fresh() : this.point), model: model.id };
  }

  /** The current model has newer weights: draw the same point again. */
  improved() {
    this.say(null);
    this.draw();
    this.fetch();
    if (this.point.model) this.describe(this.point.model);
    this.views.renew();
    this.settle();
  }

  /** @param {string} id */
  async loadModel(id) {
    try {
      const model = await request("model", { query: { id } });
      if (id !== this.point.model) return;
      this.families.follow(model);
      this.chosen.follow(model);
      if (this.loaded === id) this.controls.relabel(model);
      else this.controls.learn(model);
      this.loaded = id;
      this.axes.show();
      this.neighbours.wake(true);
      const none = (/** @type {?number} */ label) => label !== null && label >= (model.classes ?? []).length;
      if (none(this.point.label)) this.change({ label: null });
      if (none(this.point.label2)) this.change({ label2: null, mix: 0 });
      this.controls.set(this.point);
      this.rebase();
      this.neighbours.sheet.refresh();
      this.views.renew();
    } catch (thrown) {
      const error = refusal(thrown);
      if (id !== this.point.model) return;
      if (!error.offline) this.broken.add(id);
      this.#reads(error);
      const next = id === this.byChance && this.models.find((model) => !this.broken.has(model.id));
      if (!next) return void this.say(error);
      this.unasked(next);
      this.open();
    }
  }

  /** Give the seed's own z to the raw sliders and the cluster slider, where they are visible. */
  rebase() {
    if (!this.model || !(this.controls.raw.open || this.model.clusters > 1)) return;
    const { seed, at, to, t: part } = this.point;
    try {
      this.controls.base(pointZ({ ...fresh(), seed, at, to, t: part }, this.model.z_dim, []));
    } catch {
      // The address has the z of another model. The large picture reports that.
    }
  }

  // Pictures ------------------------------------------------------------------------------------------------

  async drawLarge() {
    const asked = this.point;
    if (!asked.model) return;
    const slow = setTimeout(() => this.large.wait(this.shown ? null : t("explore.waking")), SLOW);
    try {
      const { pixels, bitmap } = await this.drawn(asked);
      if (asked.model !== this.point.model) return;
      if (!this.shown || (this.outlived && asked === this.point && !this.lost)) this.say(this.missing);
      this.missing = null;
      if (!this.shown) this.fetch();
      this.shown = asked;
      this.#reads(null);
      if (pixels) this.large.drawPixels(pixels);
      else this.large.draw(bitmap);
      this.path.show(pixels ? this.local.ms : null, this.model);
      this.dispatchEvent(new CustomEvent(DRAWN, { detail: { point: asked } }));
    } catch (thrown) {
      const error = refusal(thrown);
      if (asked.model !== this.point.model) return;
      // The point has moved since, so this error is about another picture.
      if (!error.offline && JSON.stringify(query(asked)) !== JSON.stringify(query(this.point))) return;
      this.say(error);
      if (unreadable(error)) this.#reads(error);
      if (error.key === "latent.finding") this.refind();
      if (error.key === "latent.unknown_direction") this.goWithout(error);
      // The run was deleted; the new list shows what remains.
      if (error.key === "latent.unknown_model") this.feed.poll();
    } finally {
      clearTimeout(slow);
      this.large.wait(null);
    }
  }

  /**
   * The model lacks a direction: draw the point without it, and keep the error beside the picture.
   * @param {Refusal} error
   */
  goWithout(error) {
    const name = String(error.values?.name);
    if (!amountOf(this.point, name)) return;
    this.missing = error;
    this.change(without(this.point, name));
    this.controls.choose();
  }

  /**
   * The server has dropped the named directions. Each request makes it find them again, so ask again after a
   * while.
   */
  refind() {
    setTimeout(() => {
      this.draw();
      this.settle();
    }, FINDING);
  }

  /** The reader's list of sliders has changed, or the facts about its directions. */
  rechoose() {
    this.controls.choose();
    this.axes.show();
    this.place(this.point);
    this.neighbours.sheet.refresh();
    this.dispatchEvent(new CustomEvent(CHOSEN));
  }

  /**
   * Show an error beside the picker. null hides the note, unless an awaited model is still missing.
   * @param {?Refusal} error
   */
  say(error) {
    this.lost = Boolean(error?.offline);
    this.outlived = false;
    if (error?.key === "latent.finding") this.families.lose();
    const shown = error ?? this.awaited?.error;
    setText(
      this.note,
      sentence(
        shown && this.model && !this.awaited && unreadable(shown) ? namedError(shown, this.model) : shown,
      ),
    );
    this.note.hidden = !shown;
  }
}

customElements.define("gan-explorer", GanExplorer);
