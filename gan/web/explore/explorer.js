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
import { Canvas } from "./panels/canvas.js";
import { Controls } from "./panels/controls.js";
import { Interpolation } from "./panels/interpolation.js";
import { fullTitle, ModelPicker, previewAddress, title } from "./panels/model-picker.js";
import { Neighbours } from "./panels/neighbours.js";
import { Samples, SIDE as WALL } from "./panels/samples.js";
import { Scores } from "./panels/scores.js";
import { Share } from "./panels/share.js";
import { TakeHome } from "./panels/take-home.js";
import { jump, Path, Toolbar } from "./panels/toolbar.js";
import { SliderSet } from "./slider-set.js";
import { restore, UrlHistory } from "./url-state.js";
import { Views } from "./views.js";
import { query } from "../latent/encoding.js";
import { altered, amountOf, fresh, without } from "../latent/point.js";
import { pointZ } from "../latent/sampling.js";
import { BrowserRenderer } from "../renderer/browser-renderer.js";
import { picture } from "../renderer/pictures.js";
import { openTab } from "../shell/tabs.js";

const LIVE_BEAT = 2500; // ms between looks at a model that is training
const IDLE_BEAT = 10000;
const SETTLE = 160; // ms after the last movement until the sheets follow
const SLOW = 700; // ms without a first picture after which we say that it takes a moment
const FINDING = 1500; // ms until the picture is asked for again whose directions the server has to find anew
const UNREADABLE = ["latent.damaged", "latent.other_version", "latent.not_finite"]; // what is wrong with a model itself, until its file changes
const UNHURRIED = 800; // ms after the first picture until the generator itself is asked for: what is on the screen comes first

class GanExplorer extends HTMLElement {
  connectedCallback() {
    if (this.built) return;
    this.built = true;
    this.point = restore();
    this.shown = null; // the point whose picture is on the screen
    this.models = [];
    this.broken = new Set();
    this.unread = false; // whether the current model can't be read
    this.build();
    this.local = new BrowserRenderer(() => this.draw(), (id) => this.families.vector(id));
    this.draw = latest(() => this.drawLarge());
    this.fetch = later(() => this.local.follow(this.model), UNHURRIED);
    this.describe = latest((id) => this.loadModel(id));
    this.settle = later(() => this.followUp(), SETTLE);
    this.trail = new UrlHistory(this);
    this.place();
    addEventListener(EXPLORE, (event) => this.choose(event.detail.model));
    document.addEventListener("visibilitychange", () => this.beat());
    new IntersectionObserver(() => this.beat()).observe(this); // the tab was opened again
  }

  build() {
    const draw = (path, asked, points, columns) => this.sheet(path, asked, points, columns);
    const failed = (error, id) => id === this.point.model && this.say(error);
    this.axes = new Axes(this);
    this.families = new Families(() => this.rechoose());
    this.chosen = new SliderSet(() => this.rechoose());
    const shared = { point: () => this.point, axes: this.axes, chosen: this.chosen, version: () => this.model?.updated, change: (patch, dragging = false) => this.change(patch, dragging), draw, failed };
    this.picker = new ModelPicker((id) => this.choose(id));
    this.note = h("p", { class: "xp-note", role: "status", hidden: true });
    this.large = new Canvas();
    this.player = null; // what moves the point by itself right now
    this.missing = null; // what the model lacks of the place that is now drawn without it
    this.moves = new HandMoves(this);
    this.large.element.append(this.moves.button);
    this.favourites = new Favourites(() => {
      this.tools.mark();
      this.dispatchEvent(new CustomEvent(FAVOURITES));
    });
    this.tools = new Toolbar(this);
    this.path = new Path();
    this.link = new Share(this);
    this.scores = new Scores();
    this.controls = new Controls(shared.change, this.chosen, this.families);
    this.neighbours = new Neighbours(shared);
    this.way = new Interpolation(shared);
    this.taking = new TakeHome(shared);
    this.wall = new Samples(shared);
    this.sheets = [this.wall.sheet, this.way.sheet, this.neighbours.sheet];
    this.controls.element.addEventListener(RAW, () => this.rebase());
    this.views = new Views(this, [this.wall.element, this.neighbours.element]);
    this.large.element.append(jump(this.controls.element, this.views.list));
    this.body = h("div", { class: "xp-body" }, this.views.element,
      h("div", { class: "xp-mid" }, this.large.element, h("div", { class: "xp-under" }, this.path.element, this.link.element), this.tools.element,
        this.way.element, this.taking.element, this.scores.element), h("div", { class: "xp-right" }, this.controls.element));
    this.empty = h("section", { class: "xp-empty", hidden: true }, h("h2", {}, t("explore.empty")), h("p", {}, t("explore.empty_hint")),
      h("button", { type: "button", class: "xp-button xp-primary", onclick: () => openTab("train") }, t("explore.go_train")));
    this.append(h("div", { class: "xp" }, this.picker.element, this.note, this.empty, this.body));
  }

  // Moving the point -------------------------------------------------------------------------------------------------------------------------------------

  /** Take over some values of the point. While something is dragged only the large picture follows. */
  change(patch, dragging = false) {
    const before = this.point;
    this.point = { ...before, ...patch };
    this.place(before);
    this.trail.follow(before);
    const moved = ["wall", "axes", "view"].every((key) => !(key in patch));
    if (moved) this.draw();
    if (!dragging) this.settle();
    else this.settle.cancel();
    if (moved && !dragging) this.outlived = true; // a note stays until there is a picture of somewhere else
  }

  /** The point of another place in the browser's history, or of an edited address. */
  adopt(point) {
    this.player?.pause();
    if (point.model && point.model !== this.point.model) return void this.choose(point.model, point);
    this.change({ ...point, model: this.point.model });
    this.outlived = true;
    this.draw();
  }

  /** Bring every control to where the point is. */
  place(before = {}) {
    const { point } = this;
    this.tools.place(point);
    this.controls.set(point);
    this.way.place();
    if (point.axes !== before.axes) this.axes.show();
    this.neighbours.place();
    this.wall.place();
    this.views.place();
    if (["seed", "t", "at"].some((key) => point[key] !== before[key])) this.rebase();
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

  /** Show another model, from its seed's own picture on; `point` says where instead. One that is not there yet is shown once it is. */
  choose(id, point = null) {
    this.awaited = null;
    if (id === this.point.model && !point) return;
    if (!this.models.some((model) => model.id === id)) {
      this.expect(id, point);
      this.beat();
      return;
    }
    const before = this.point;
    const { seed, psi, wall, to, view } = before;
    this.point = { ...fresh(), seed, psi, wall, to, view, ...point, model: id };
    this.trail.follow(before);
    this.open();
  }

  /** Say why a model can't be shown, and go to it as soon as it can. */
  async expect(id, point) {
    const awaited = this.awaited = { id, point };
    await request("model", { query: { id } }).catch((error) => { awaited.error = error; });
    if (this.awaited === awaited) this.say(null);
  }

  /** A model that can't be read has nothing that could be moved or saved; the list says so, here at once and to others with their next look at it. */
  #reads(error) {
    const unread = UNREADABLE.includes(error?.key);
    if (unread && this.model) this.model.unreadable = true;
    if (unread === this.unread) return;
    this.unread = unread;
    for (const part of [this.tools, this.link, this.way, this.taking, this.controls]) part.element.inert = unread;
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

  /** The picture beside the weights is there long before the weights are: it stands in for the wall, and for the large picture. */
  async preview(model) {
    if (!model.preview || this.point.wall !== 0 || this.point.label !== null || this.point.mix || this.point.psi !== 1) return;
    const reply = await fetch(model.preview).catch(() => null);
    if (!reply?.ok) return;
    const sheet = await createImageBitmap(await reply.blob());
    if (model.id !== this.point.model) return;
    const same = model.kind === "shipped"; // its preview is the wall of the seeds from 0
    this.wall.sheet.standIn(sheet, same);
    if (same && !this.shown && this.point.seed < WALL * WALL) this.large.drawCell(sheet, WALL, this.point.seed);
  }

  /** Look at the list of models now, and again after a while: sooner where the current one is still learning. */
  async beat() {
    clearTimeout(this.timer);
    if (document.hidden || this.offsetParent === null) return;
    try {
      this.take((await request("models")).map((model) => ({ ...model, preview: previewAddress(model) })));
      if (this.lost) this.improved();
    } catch (error) {
      this.say(error);
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.beat(), this.models.some((model) => model.live) || !this.models.length ? LIVE_BEAT : IDLE_BEAT);
  }

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
    else if (before.updated !== this.model.updated) this.improved();
    this.picker.show(models, this.point.model);
    this.large.live(Boolean(this.model.live));
    this.scores.show(this.model);
  }

  /** Nobody asked for this model: it is only the first that there is. */
  unasked(model) {
    this.byChance = model.id;
    this.point = { ...(this.point.model ? fresh() : this.point), model: model.id };
  }

  /** The current model has learned: the same point, drawn by newer weights. */
  improved() {
    this.say(null);
    this.draw();
    this.fetch();
    this.describe(this.point.model);
    this.views.renew();
    this.settle();
  }

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
      const none = (label) => label !== null && label >= (model.classes ?? []).length;
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
      if (UNREADABLE.includes(error.key)) this.#reads(error);
      if (error.key === "latent.finding") this.refind();
      if (error.key === "latent.unknown_direction") this.goWithout(error);
      if (error.key === "latent.unknown_model") this.beat(); // deleted: the list shows what there is instead
    } finally {
      clearTimeout(slow);
      this.large.wait(null);
    }
  }

  /** The model has no such direction: the point is the same without it, and the note stays beside its picture. */
  goWithout(error) {
    const { name } = error.values;
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

  /** The picture of a point: {pixels} of this browser where it has the generator, else {bitmap} of the server. */
  async drawn(point) {
    await this.families.have([point]);
    if (this.local.ready(this.model) && !altered(point)) {
      const pixels = await this.local.draw(point).catch(() => null);
      if (pixels) return { pixels };
    }
    return picture("image", query(point));
  }

  /** Pictures of points as one sheet, by whom `drawn` has them; `asked` of the server at `path`. */
  async sheet(path, asked, points, columns) {
    await this.families.have(points);
    if (this.local.ready(this.model) && !points.some(altered)) {
      const sheet = await this.local.sheet(points, columns).catch(() => null);
      if (sheet) return sheet;
    }
    return (await picture(path, asked)).bitmap;
  }

  /** A sentence beside the picker; null takes it away, unless a model that was asked for is still not there. */
  say(error) {
    this.lost = Boolean(error?.offline);
    this.outlived = false;
    if (error?.key === "latent.finding") this.families.lose();
    const told = this.#named(error ?? this.awaited?.error);
    setText(this.note, told ? sentence(told) : "");
    this.note.hidden = !told;
  }

  /** What is wrong with the current model, with the name that the picker has for it in the reader's language. */
  #named(error) {
    if (!this.model || this.awaited || !UNREADABLE.includes(error?.key)) return error;
    return { ...error, values: { ...error.values, name: fullTitle(this.model) } };
  }
}

customElements.define("gan-explorer", GanExplorer);
