// What D sees: how real it takes each tile of a sheet for, and its logits on three sets of images.
import { address } from "../../../core/api.js";
import { h, setText } from "../../../core/dom.js";
import { t } from "../../../core/i18n.js";
import { help } from "../../../widgets/help.js";
import { imagesText } from "../sample-grid.js";
import { ENDED } from "../run-controls.js";
import { Histograms } from "./histograms.js";
import { judge, median, ordered } from "./overlap.js";

const COLUMNS = 8;
const LEAST_HELD_OUT = 5; // as in gan/kinds/images/eyes.py
const ORDERS = ["sheet", "most", "least"];

export class EyesPanel {
  /** The run on the stage. @type {?Run} */
  run = null;
  /** What is drawn: the run, and when D judged. */
  shown = "";
  order = "sheet";
  /** The address of the sheet whose tiles are drawn. */
  sheet = "";

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
    this.tiles = Array.from({ length: COLUMNS * COLUMNS }, (_, place) => new Tile(place));
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
      h("section", { class: "tr-seens" }, this.heart.element, this.tell.element, this.few),
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
    this.body.hidden = !eyes;
    this.message.hidden = Boolean(eyes);
    setText(this.message, eyes ? "" : t(missing(run)));
    if (!eyes || this.shown === `${run.id} ${eyes.step}`) return;
    this.shown = `${run.id} ${eyes.step}`;
    this.place(run, eyes);
    const judged = judge(eyes);
    this.heart.update(eyes, eyes.trained, judged.heart);
    this.tell.update(eyes, eyes.fakes, judged.tell);
    this.few.hidden = !judged.few;
    setText(this.few, t("eyes.few", { count: run.status.held_out }));
  }

  /**
   * Draw the tiles of the sheet that D judged.
   * @param {Run} run
   * @param {Eyes} eyes
   */
  place(run, eyes) {
    const classes = run.status.classes ?? [];
    this.tiles.forEach((tile, place) =>
      tile.update(eyes.tiles[place], classes.length ? classes[place % classes.length] : ""),
    );
    const middle = median(eyes.tiles);
    const images = imagesText(eyes.images / 1000);
    setText(
      this.caption,
      middle === null ? t("eyes.no_median", { images }) : t("eyes.median", { images, middle }),
    );
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
    this.list.append(...places.map((place) => this.tiles[place].element));
  }
}

/** A tile of the sheet, with the bar and the number of its realness. */
class Tile {
  /** @type {?number} */
  realness = null;

  /** @param {number} place on the sheet, row by row */
  constructor(place) {
    this.place = place;
    const [column, row] = [place % COLUMNS, Math.floor(place / COLUMNS)];
    const at = (/** @type {number} */ index) => `${(100 * index) / (COLUMNS - 1)}%`;
    this.picture = h("i", { style: `background-position: ${at(column)} ${at(row)}` });
    this.number = h("b");
    this.element = h("li", { class: "tr-tile" }, this.picture, h("u"), this.number);
  }

  /**
   * @param {?number} realness 0 to 100
   * @param {string} label
   */
  update(realness, label) {
    this.realness = realness;
    this.element.style.setProperty("--real-to-d", String((realness ?? 0) / 100));
    setText(this.number, realness === null ? "–" : String(realness));
    this.element.title = label;
  }
}

/**
 * The key of the sentence that says why there is nothing to see.
 * @param {Run} run
 */
function missing({ status }) {
  const { held_out: held = 0, step, state } = status;
  if (step && held < LEAST_HELD_OUT) return "eyes.none_held_out";
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
