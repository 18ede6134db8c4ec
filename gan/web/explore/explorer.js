// <gan-explorer>: the whole tab. It holds the current point; everything else draws it or asks to move it.
import { request } from "../core/api.js";
import { later, latest } from "../core/debounce.js";
import { h, setText } from "../core/dom.js";
import { CHOSEN, DRAWN, EXPLORE, FAVOURITES, RAW } from "../core/events.js";
import { sentence, t } from "../core/i18n.js";
import { Axes } from "./axes.js";
import { Families } from "./families.js";
import { Favourites } from "./favourites-store.js";
import { described } from "./file-names.js";
import { HandMoves } from "./hand-moves.js";
import { ModelFeed } from "./model-feed.js";
import { Canvas } from "./panels/canvas.js";
import { Controls } from "./panels/controls.js";
import { Interpolation } from "./panels/interpolation.js";
import { fullTitle, ModelPicker, title } from "./panels/model-picker.js";
import { Neighbours } from "./panels/neighbours.js";
import { Samples, SIDE as WALL } from "./panels/samples.js";
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

const SETTLE = 160; // ms after the last movement until the sheets follow
const SLOW = 700; // ms without a first picture after which we say that it takes a moment
const FINDING = 1500; // ms until the picture is asked for again whose directions the server has to find anew
const UNREADABLE = ["latent.damaged", "latent.other_version", "latent.not_finite"]; // what is wrong with a model itself, until its file changes
const UNHURRIED = 800; // ms after the first picture until the generator itself is asked for: what is on the screen comes first

const unreadable = (/** @type {Refusal | null | undefined} */ error) => UNREADABLE.includes(error?.key ?? "");

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
  /** The model that the reader asked for and that is not in the list yet. @type {?{id: string, point: ?Patch, error?: Refusal}} */
  awaited = null;
  /** Id of the model that is open only because it is the first. @type {?string} */
  byChance = null;
  /** Whether the current model can't be read. */
  unread = false;
  /** Whether no server answered the last request. */
  lost = false;
  /** Whether the point has moved since the note appeared. */
  outlived = false;
  /** The error about a direction that the model lacks and that the drawn point leaves out. @type {?Refusal} */
  missing = null;
  /** What moves the point by itself right now. @type {?import("../widgets/player.js").Player} */
  player = null;

  draw = latest(() => this.drawLarge());
  fetch = later(() => this.local.follow(this.model), UNHURRIED);
  describe = latest((/** @type {string} */ id) => this.loadModel(id));
  settle = later(() => this.followUp(), SETTLE);
  axes = new Axes(this);
  families = new Families(() => this.rechoose());
  chosen = new SliderSet(() => this.rechoose());
  local = new BrowserRenderer(() => this.draw(), (id) => this.families.vector(id));
  pictures = new PictureSource(this);
  /** @type {PanelHost} */
  host = {
    point: () => this.point, axes: this.axes, chosen: this.chosen, version: () => this.model?.updated,
    change: (patch, dragging) => this.change(patch, dragging),
    draw: (path, asked, points, columns) => this.sheet(path, asked, points, columns),
    failed: (error, id) => id === this.point.model && this.say(error),
  };
  picker = new ModelPicker((id) => this.choose(id));
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
  body = h("div", { class: "xp-body" }, this.views.element,
    h("div", { class: "xp-mid" }, this.large.element, h("div", { class: "xp-under" }, this.path.element, this.share.element), this.toolbar.element,
      this.interpolation.element, this.takeHome.element, this.scores.element), h("div", { class: "xp-right" }, this.controls.element));
  empty = h("section", { class: "xp-empty", hidden: true }, h("h2", {}, t("explore.empty")), h("p", {}, t("explore.empty_hint")),
    h("button", { type: "button", class: "xp-button xp-primary", onclick: () => openTab("train") }, t("explore.go_train")));
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
    addEventListener(EXPLORE, (event) => this.choose(event.detail.model));
  }

  // Moving the point -------------------------------------------------------------------------------------------------------------------------------------

  /** Take over some values of the point. While something is dragged only the large picture follows. @param {Patch} patch */
  change(patch, dragging = false) {
    const before = this.point;
    this.point = { ...before, ...patch };
    this.place(before);
    this.urlHistory.follow(before);
    const moved = ["wall", "axes", "view"].every((key) => !(key in patch));
    if (moved) this.draw();
    if (!dragging) this.settle();
    else this.settle.cancel();
    if (moved && !dragging) this.outlived = true; // a note stays until there is a picture of somewhere else
  }

  /** The point of another place in the browser's history, or of an edited address. @param {Point} point */
  adopt(point) {
    this.player?.pause();
    if (point.model && point.model !== this.point.model) return void this.choose(point.model, point);
    this.change({ ...point, model: this.point.model });
    this.outlived = true;
    this.draw();
  }

  /** Bring every control to where the point is. @param {Patch} before where it was */
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

  /** Everything but the large picture follows here. */
  followUp() {
    for (const sheet of this.sheets) sheet.refresh();
  }

  // Models -----------------------------------------------------------------------------------------------------------------------------------------------

  get model() {
    return this.models.find((model) => model.id === this.point.model);
  }

  /**
   * Show another model, from its seed's own picture on; `point` says where instead. One that is not there yet is shown once it is.
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
    const { seed, psi, wall, to, view } = before;
    this.point = { ...fresh(), seed, psi, wall, to, view, ...point, model: id };
    this.urlHistory.follow(before);
    this.open();
  }

  /**
   * Say why a model can't be shown, and go to it as soon as it can.
   * @param {string} id
   * @param {?Patch} point
   */
  async expect(id, point) {
    /** @type {NonNullable<typeof this.awaited>} */
    const awaited = this.awaited = { id, point };
    await request("model", { query: { id } }).catch((error) => { awaited.error = error; });
    if (this.awaited === awaited) this.say(null);
  }

  /**
   * A model that can't be read has nothing that could be moved or saved; the list says so, here at once and to others with their next look at it.
   * @param {?Refusal} error
   */
  #reads(error) {
    const unread = unreadable(error);
    if (unread && this.model) this.model.unreadable = true;
    if (unread === this.unread) return;
    this.unread = unread;
    for (const part of [this.toolbar, this.share, this.interpolation, this.takeHome, this.controls]) part.element.inert = unread;
    this.moves.button.disabled = unread;
    this.body.classList.toggle("is-unread", unread);
    this.picker.show(this.models, this.point.model);
    this.views.renew();
  }

  /** Show the chosen model from the start: its preview at once, then its own pictures. */
  open() {
    this.say(null);
    this.#reads(null);
    this.loaded = null;
    this.families.follow(this.model);
    this.controls.begin(this.model);
    this.neighbours.wake(false);
    for (const sheet of this.sheets) sheet.clear();
    this.large.clear();
    this.shown = null;
    this.place();
    this.views.renew(); // now, not when the model has answered: what a visitor does meanwhile is done with this model, and stays
    this.picker.show(this.models, this.point.model);
    this.picker.reveal(this.point.model);
    this.large.live(Boolean(this.model?.live));
    this.scores.show(this.model);
    if (!this.model) return;
    this.preview(this.model);
    this.draw();
    this.describe(this.model.id);
    this.followUp();
  }

  /** The picture beside the weights is there long before the weights are: it stands in for the wall, and for the large picture. @param {Model} model */
  async preview(model) {
    if (!model.preview || this.point.wall !== 0 || this.point.label !== null || this.point.mix || this.point.psi !== 1) return;
    const reply = await fetch(model.preview).catch(() => null);
    if (!reply?.ok) return;
    const sheet = await createImageBitmap(await reply.blob());
    if (model.id !== this.point.model) return;
    const same = model.kind === "shipped"; // its preview is the wall of the seeds from 0
    this.samples.sheet.standIn(sheet, same);
    if (same && !this.shown && this.point.seed < WALL * WALL) this.large.drawCell(sheet, WALL, this.point.seed);
  }

  /** @param {Model[]} models */
  take(models) {
    const before = this.model;
    this.models = models;
    this.empty.hidden = models.length > 0;
    this.body.hidden = !models.length;
    if (!models.length) return;
    if (!this.model) {
      if (before) this.awaited = { id: before.id, point: this.point, error: { text: t("explore.deleted", { name: title(before) }) } };
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

  /** Nobody asked for this model: it is only the first that there is. @param {Model} model */
  unasked(model) {
    this.byChance = model.id;
    this.point = { ...(this.point.model ? fresh() : this.point), model: model.id };
  }

  /** The current model has learned: the same point, drawn by newer weights. */
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
    } catch (error) {
      if (id !== this.point.model) return;
      if (!error.offline) this.broken.add(id);
      this.#reads(error);
      const next = id === this.byChance && this.models.find((model) => !this.broken.has(model.id));
      if (!next) return void this.say(error);
      this.unasked(next);
      this.open();
    }
  }

  /** Where the seed's own z stands, for the raw sliders, where they are open, and for the cluster. */
  rebase() {
    if (!this.model || !(this.controls.raw.open || this.model.clusters > 1)) return;
    const { seed, at, to, t: part } = this.point;
    try {
      this.controls.base(pointZ({ ...fresh(), seed, at, to, t: part }, this.model.z_dim, []));
    } catch {
      // an address with the z of another model: the large picture says so
    }
  }

  // Pictures ---------------------------------------------------------------------------------------------------------------------------------------------

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
      this.path.tell(pixels ? this.local.ms : null, this.model);
      this.dispatchEvent(new CustomEvent(DRAWN, { detail: { point: asked } }));
    } catch (error) {
      if (asked.model !== this.point.model) return;
      if (!error.offline && JSON.stringify(query(asked)) !== JSON.stringify(query(this.point))) return; // the visitor has moved on, and what was wrong with it
      this.say(error);
      if (unreadable(error)) this.#reads(error);
      if (error.key === "latent.finding") this.refind();
      if (error.key === "latent.unknown_direction") this.goWithout(error);
      if (error.key === "latent.unknown_model") this.feed.poll(); // deleted: the list shows what there is instead
    } finally {
      clearTimeout(slow);
      this.large.wait(null);
    }
  }

  /** The model has no such direction: the point is the same without it, and the note stays beside its picture. @param {Refusal} error */
  goWithout(error) {
    const name = String(error.values?.name);
    if (!amountOf(this.point, name)) return;
    this.missing = error;
    this.change(without(this.point, name));
    this.controls.choose();
  }

  /** The server has lost the directions that have names: whoever asks for them has it find them again, after which everything can be drawn. */
  refind() {
    setTimeout(() => {
      this.draw();
      this.settle();
    }, FINDING);
  }

  /** The visitor's list of sliders has changed, or what is known of them. */
  rechoose() {
    this.controls.choose();
    this.axes.show();
    this.place(this.point);
    this.neighbours.sheet.refresh();
    this.dispatchEvent(new CustomEvent(CHOSEN));
  }

  /** The picture of a point. @param {Point} point */
  drawn(point) {
    return this.pictures.drawn(point);
  }

  /** Pictures of points as one sheet. @type {DrawSheet} */
  sheet(path, asked, points, columns) {
    return this.pictures.sheet(path, asked, points, columns);
  }

  /** A sentence beside the picker; null takes it away, unless a model that was asked for is still not there. @param {?Refusal} error */
  say(error) {
    this.lost = Boolean(error?.offline);
    this.outlived = false;
    if (error?.key === "latent.finding") this.families.lose();
    const named = this.#named(error ?? this.awaited?.error);
    setText(this.note, sentence(named));
    this.note.hidden = !named;
  }

  /** What is wrong with the current model, with the name that the picker has for it in the reader's language. @param {Refusal | null | undefined} error */
  #named(error) {
    if (!this.model || this.awaited || !unreadable(error)) return error;
    return { ...error, values: { ...error?.values, name: fullTitle(this.model) } };
  }
}

customElements.define("gan-explorer", GanExplorer);
