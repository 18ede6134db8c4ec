// A closer look at one sample: its nearest training images, and what D reacts to in it. The server computes both
// by the newest checkpoint, so they may be some seconds older than the sheet.
import { patiently, request } from "../../../core/api.js";
import { controls } from "../../../core/control.js";
import { context2d, h, setText } from "../../../core/dom.js";
import { CONTROL } from "../../../core/events.js";
import { whole } from "../../../core/format.js";
import { refusal, sentence, t } from "../../../core/i18n.js";
import { figure } from "../../../widgets/plot.js";
import { imagesText } from "../sample-grid.js";
import { COLUMNS, cell, webp } from "./cell.js";

const COPY = 0.01; // share of held-out images that lie nearer than a copy would
const INK = { more: [11, 99, 181], less: [224, 115, 0] }; // blue and orange, as in eyes.css
const BACKDROP = 0.25; // opacity of the sample below the map

export class Closer {
  /** @type {?Run} */
  run = null;
  /** The number of the sample on the sheet; null for none. @type {?number} */
  place = null;
  /** The nearest images of all samples. @type {?NearestImages} */
  nearest = null;
  /** The sample whose map is shown. @type {?number} */
  mapped = null;
  /** Counts the questions, so that the answer to an old one is dropped. */
  asked = 0;

  constructor() {
    this.title = h("h4");
    this.private = h("p", { class: "tr-note", hidden: true });
    this.find = button("nearest", () => this.findNearest());
    this.row = h("div", { class: "tr-nearest" });
    this.said = h("p", { class: "tr-note", role: "status" });
    this.look = button("saliency", () => this.lookAt());
    this.map = h("canvas", { class: "tr-map", hidden: true, role: "img", "aria-label": t("eyes.map") });
    this.legend = h(
      "p",
      { class: "tr-map-legend", hidden: true },
      h("span", { class: "is-more" }, t("eyes.more")),
      h("span", { class: "is-less" }, t("eyes.less")),
    );
    this.caution = h("p", { class: "tr-note", role: "status" });
    this.element = h(
      "section",
      { class: "tr-closer", hidden: true },
      this.title,
      h("div", {}, this.find.element, this.private, this.row, this.said),
      h("div", {}, this.look.element, this.map, this.legend, this.caution),
    );
    addEventListener(CONTROL, () => this.allow());
  }

  /** @param {Run} run */
  update(run) {
    const other = run.id !== this.run?.id;
    this.run = run;
    if (other) this.reset();
    this.allow();
  }

  reset() {
    Object.assign(this, { place: null, nearest: null, mapped: null });
    this.asked += 1;
    this.element.hidden = this.map.hidden = this.legend.hidden = true;
    this.row.replaceChildren();
    for (const text of [this.said, this.caution]) setText(text, "");
    for (const one of [this.find, this.look]) one.waits(false);
  }

  /** Whether this browser may see the training images of the run. */
  get maySee() {
    const { own_data: own = null, id = "" } = this.run ?? {};
    return own === null || (own === "shown" && controls(id));
  }

  allow() {
    this.private.hidden = this.maySee;
    const open = this.run?.own_data === "hidden";
    setText(this.private, open ? t("error.access.own_images") : t("eyes.nearest_private"));
    this.find.element.hidden = !this.maySee;
  }

  /**
   * Look closer at a sample.
   * @param {number} place
   * @param {string} title
   */
  choose(place, title) {
    this.place = place;
    this.element.hidden = false;
    setText(this.title, title);
    this.showNearest();
    this.map.hidden = this.legend.hidden = this.mapped !== place;
    setText(this.caution, this.mapped === place ? this.caution.textContent : "");
  }

  async findNearest() {
    const found = await this.ask("nearest", this.find, this.said);
    if (!found) return;
    this.nearest = /** @type {NearestImages} */ (found);
    this.showNearest();
  }

  showNearest() {
    const { nearest: found, place } = this;
    if (!found || place === null) return;
    const rows = Math.ceil((1 + Math.max(...found.tiles.flat().map(([at]) => at))) / COLUMNS);
    this.row.replaceChildren(
      figureOf(cell(webp(found.samples), place, COLUMNS), t("eyes.sample")),
      ...found.tiles[place].map(([at, distance]) =>
        figureOf(cell(webp(found.found), at, rows), figure(distance)),
      ),
    );
    setText(this.said, nearestText(found, place));
  }

  async lookAt() {
    const { place } = this;
    const found = await this.ask(`saliency/${place}`, this.look, this.caution);
    if (!found || place !== this.place) return;
    this.mapped = place;
    await this.draw(/** @type {SaliencyMap} */ (found));
    this.map.hidden = this.legend.hidden = false;
    setText(this.caution, t("eyes.caution", { images: imagesText(found.images / 1000) }));
  }

  /** @param {SaliencyMap} found */
  async draw({ size, map, sample }) {
    const picture = h("img", { src: webp(sample) });
    await picture.decode();
    this.map.width = this.map.height = size;
    const context = context2d(this.map);
    const colours = context.createImageData(size, size);
    map.forEach((value, at) => {
      const [red, green, blue] = value > 0 ? INK.more : INK.less;
      colours.data.set([red, green, blue, Math.round(2.55 * Math.abs(value))], 4 * at);
    });
    context.globalAlpha = BACKDROP;
    context.filter = "grayscale(1)";
    context.drawImage(picture, 0, 0);
    context.globalAlpha = 1;
    context.filter = "none";
    context.drawImage(await createImageBitmap(colours), 0, 0);
  }

  /**
   * Ask the server. Resolves to null for a refusal, which is shown, and for an answer that nobody awaits.
   * @param {string} what the route below the run's
   * @param {ReturnType<typeof button>} pressed
   * @param {HTMLElement} note
   * @returns {Promise<NearestImages | SaliencyMap | null>}
   */
  async ask(what, pressed, note) {
    const id = this.run?.id;
    const turn = this.asked;
    pressed.waits(true);
    setText(note, "");
    try {
      const found = await patiently(() => request(`runs/${id}/${what}`));
      return turn === this.asked ? /** @type {NearestImages | SaliencyMap} */ (found) : null;
    } catch (error) {
      if (turn === this.asked) setText(note, sentence(refusal(error)));
      return null;
    } finally {
      if (turn === this.asked) pressed.waits(false);
    }
  }
}

/**
 * A button that says when it is at work.
 * @param {string} name
 * @param {() => unknown} onclick
 */
function button(name, onclick) {
  const element = h("button", { type: "button", class: "tr-button", "data-look": name, onclick });
  const waits = (/** @type {boolean} */ busy) => {
    element.disabled = busy;
    setText(element, t(busy ? "eyes.looking" : `eyes.${name}`));
  };
  waits(false);
  return { element, waits };
}

/**
 * @param {HTMLElement} picture
 * @param {string} text
 */
const figureOf = (picture, text) => h("figure", {}, picture, h("figcaption", {}, text));

/**
 * What the distance of a sample to its nearest training image means.
 * @param {NearestImages} found
 * @param {number} place
 */
function nearestText({ images, by, among, of, tiles, usual, nearer }, place) {
  const distance = figure(tiles[place][0][1]);
  const said = [t("eyes.nearest_at", { images: imagesText(images / 1000), by })];
  if (among < of) said.push(t("eyes.nearest_among", { among: whole(among), of: whole(of) }));
  if (usual === null || nearer === null) return [...said, t("eyes.nearest_alone", { distance })].join(" ");
  said.push(
    t("eyes.nearest_beside", { distance, usual: figure(usual), nearer: Math.round(100 * nearer[place]) }),
  );
  if (nearer[place] < COPY) said.push(t("eyes.nearest_copy"));
  return said.join(" ");
}
