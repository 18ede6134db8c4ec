// What D sees: how real it takes each tile of a sheet for, and its logits on three sets of images.
import { address } from "../../../core/api.js";
import { h, setText } from "../../../core/dom.js";
import { t } from "../../../core/i18n.js";
import { help } from "../../../widgets/help.js";
import { imagesText } from "../sample-grid.js";
import { ENDED } from "../run-controls.js";
import { COLUMNS, styleOf } from "./cell.js";
import { Closer } from "./closer.js";
import { Game } from "./game.js";
import { Histograms } from "./histograms.js";
import { judge, median, ordered } from "./overlap.js";

const LEAST_HELD_OUT = 5; // as in gan/kinds/images/eyes.py
// Of fewer than 1,000 images copies are likelier, so the nearest training images are shown unasked. A tenth of a
// set is held out. A run may also train on fewer images than its set has.
const [FEW, SMALL] = [1000, 100];
const ORDERS = ["sheet", "most", "least"];

export class EyesPanel {
  /** The run on the stage. @type {?Run} */
  run = null;
  /** What is drawn: the run, and what D said. */
  shown = "";
  order = "sheet";
  /** The address of the sheet whose tiles are drawn. */
  sheet = "";
  closer = new Closer();
  game = new Game();
  /** The run whose nearest images were looked for unasked. */
  opened = "";

  constructor() {
    this.message = h("p", { class: "tr-note" });
    this.caption = h("p", { class: "tr-note" });
    this.buttons = ORDERS.map((order) =>
      h(
        "button",
        { type: "button", class: "tr-button", "data-order": order, onclick: () => this.sort(order) },
        t(`eyes.order_${order}`),
      ),
    );
    this.tiles = Array.from(
      { length: COLUMNS * COLUMNS },
      (_, place) => new Tile(place, () => this.pick(place)),
    );
    this.list = h(
      "ol",
      { class: "tr-tiles" },
      this.tiles.map((tile) => tile.element),
    );
    this.heart = new Histograms("heart", "trained");
    this.tell = new Histograms("tell", "fakes");
    const [button, note] = help(t("eyes.realness"), t("eyes.realness_help"));
    this.few = h("p", { class: "tr-note", hidden: true });
    this.body = h(
      "div",
      { class: "tr-eyes-body", hidden: true },
      h(
        "section",
        { class: "tr-judged-tiles" },
        h("header", { class: "tr-plot-head" }, h("h4", {}, t("eyes.realness")), button),
        note,
        h("div", { class: "tr-orders", role: "group", "aria-label": t("eyes.order") }, this.buttons),
        this.list,
        this.caption,
      ),
      h("section", { class: "tr-seens" }, this.heart.element, this.tell.element, this.few, this.game.element),
      this.closer.element,
    );
    this.element = h(
      "details",
      { class: "tr-more tr-eyes", hidden: true, ontoggle: () => this.draw() },
      h("summary", {}, t("eyes.title")),
      this.message,
      this.body,
    );
    this.sort(this.order);
  }

  /** @param {Run} run */
  update(run) {
    this.element.hidden = run.config?.kind !== "images";
    this.run = run;
    this.draw();
  }

  draw() {
    const { run } = this;
    if (!run || !this.element.open) return;
    const { eyes } = run;
    this.closer.update(run);
    this.game.update(run);
    this.body.hidden = !eyes;
    this.message.hidden = Boolean(eyes);
    setText(this.message, eyes ? "" : t(missing(run)));
    const shown = `${run.id} ${JSON.stringify(eyes)}`; // a run that restarts comes to the same steps again
    if (!eyes || this.shown === shown) return;
    this.shown = shown;
    const judged = judge(eyes);
    this.place(run, eyes, judged.heart.key === "known");
    this.heart.update(eyes, eyes.trained, judged.heart);
    this.tell.update(eyes, eyes.fakes, judged.tell);
    this.few.hidden = !judged.few;
    setText(this.few, t("eyes.few", { count: run.status.held_out }));
    this.choose(this.closer.place);
    this.openUnasked(run, eyes);
  }

  /**
   * Show the nearest training images of the most real sample of a small set, once.
   * @param {Run} run
   * @param {Eyes} eyes
   */
  openUnasked(run, eyes) {
    const { held_out: held = 0 } = run.status;
    const { images = 0 } = run.config ?? {};
    const small = held < SMALL || (images > 0 && images < FEW);
    if (this.opened === run.id || !small || !this.closer.maySee) return;
    this.opened = run.id;
    this.choose(ordered(eyes.tiles, "most")[0]);
    this.closer.findNearest();
  }

  /**
   * Look closer at the tile that the reader has pressed.
   * @param {number} place
   */
  pick(place) {
    this.choose(place);
    this.closer.element.scrollIntoView({ block: "nearest" }); // it stands below all tiles
  }

  /**
   * Look closer at a tile; null for none.
   * @param {?number} place
   */
  choose(place) {
    for (const tile of this.tiles) tile.press(tile.place === place);
    if (place !== null) this.closer.choose(place, this.tiles[place].name);
  }

  /**
   * Draw the tiles of the sheet that D judged.
   * @param {Run} run
   * @param {Eyes} eyes
   * @param {boolean} byHeart whether D knows its training images by heart
   */
  place(run, eyes, byHeart) {
    const classes = run.status.classes ?? [];
    this.tiles.forEach((tile, place) =>
      tile.update(eyes.tiles[place], classes.length ? classes[place % classes.length] : ""),
    );
    const middle = median(eyes.tiles);
    const images = imagesText(eyes.images / 1000);
    const told = middle === null ? t("eyes.no_median", { images }) : t("eyes.median", { images, middle });
    setText(this.caption, byHeart ? `${told} ${t("eyes.worthless")}` : told);
    this.sort(this.order);
    this.load(sheetOf(run, eyes.sheet));
  }

  /**
   * Show another sheet as soon as it is decoded.
   * @param {string} sheet its address
   */
  async load(sheet) {
    this.sheet = sheet;
    const picture = h("img", { src: sheet });
    await picture.decode().catch(() => {}); // deleted, or no connection: the next answer brings another
    if (this.sheet === sheet) this.list.style.setProperty("--sheet", `url("${sheet}")`);
  }

  /** @param {string} order one of ORDERS */
  sort(order) {
    this.order = order;
    for (const one of this.buttons)
      one.setAttribute("aria-pressed", String(one.getAttribute("data-order") === order));
    const places = ordered(
      this.tiles.map((tile) => tile.realness),
      order,
    );
    const wanted = places.map((place) => this.tiles[place].element);
    if (wanted.some((element, at) => element !== this.list.children[at])) this.list.append(...wanted);
  }
}

/** A tile of the sheet, with the bar and the number of its realness. */
class Tile {
  /** @type {?number} */
  realness = null;
  name = "";

  /**
   * @param {number} place on the sheet, row by row
   * @param {() => void} onclick
   */
  constructor(place, onclick) {
    this.place = place;
    this.picture = h("i", { style: styleOf(place, COLUMNS) });
    this.number = h("b");
    this.button = h(
      "button",
      { type: "button", "aria-pressed": "false", onclick },
      this.picture,
      h("u"),
      this.number,
    );
    this.element = h("li", { class: "tr-tile" }, this.button);
  }

  /**
   * @param {?number} realness 0 to 100
   * @param {string} label of its class, or ""
   */
  update(realness, label) {
    this.realness = realness;
    this.element.style.setProperty("--real-to-d", String((realness ?? 0) / 100));
    setText(this.number, realness === null ? "–" : String(realness));
    const named = label
      ? t("eyes.tile_of_class", { number: this.place + 1, label })
      : t("eyes.tile", { number: this.place + 1 });
    this.name = realness === null ? named : t("eyes.tile_realness", { sample: named, realness });
    this.button.title = this.name;
    this.button.setAttribute("aria-label", this.name);
  }

  /** @param {boolean} chosen */
  press(chosen) {
    this.button.setAttribute("aria-pressed", String(chosen));
  }
}

/**
 * The key of the sentence that says why there is nothing to see.
 * @param {Run} run
 */
function missing({ status }) {
  const { held_out: held = 0, step, state, where } = status;
  if (step && held < LEAST_HELD_OUT) return "eyes.none_held_out";
  if (where) return "eyes.in_job";
  return ENDED.includes(state) ? "eyes.never" : "eyes.soon";
}

/**
 * The address of a sheet, the same as in the sample grid, so that the browser fetches it once.
 * @param {Run} run
 * @param {number} step
 */
export const sheetOf = ({ id, status, events }, step) =>
  address(`runs/${id}/samples/${String(step).padStart(8, "0")}.webp`, {
    since: `${status.queued_at}-${events.at(-1)?.time ?? 0}`,
  });
