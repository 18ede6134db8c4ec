// A pad for drawing with finger, pen or mouse. It also takes picture files, and uploads nothing by itself.
import { context2d, h, icon } from "../core/dom.js";
import { t } from "../core/i18n.js";

export const SIDE = 256; // pixels of the pad, and of the uploaded picture
const SIZES = [10, 22, 44]; // widths of the brush, in pixels of the pad
const GREYS = ["#ffffff", "#9a9a9a", "#000000"];
const COLOURS = [
  "#ffffff",
  "#000000",
  "#8a5a3c",
  "#e5484d",
  "#f5a623",
  "#ffd93b",
  "#3fae5a",
  "#3b82d6",
  "#7b5bd6",
];

/**
 * The pad with its tools. `changed(empty)` is called after each change, `failed(error)` for a file without a
 * picture.
 */
export class DrawingPad {
  empty = true;
  paper = "#000000";
  ink = "#ffffff";
  size = SIZES[1];
  erasing = false;
  /** The end of the line so far, while a stroke is drawn. @type {?Place} */
  last = null;

  /** @param {{changed: (empty: boolean) => void, failed: (error: Refusal) => void}} listeners */
  constructor({ changed, failed }) {
    this.changed = changed;
    this.failed = failed;
    this.canvas = h("canvas", {
      class: "xp-sketch",
      width: SIDE,
      height: SIDE,
      role: "img",
      "aria-label": t("explore.sketch"),
      onpointerdown: (event) => this.#down(event),
      onpointermove: (event) => this.#stroke(event),
      onpointerup: () => this.#up(),
      onpointercancel: () => this.#up(),
      ondragover: (event) => event.preventDefault(),
      ondrop: (event) => this.#drop(event),
    });
    this.pen = context2d(this.canvas, { willReadFrequently: true });
    this.inks = h("div", { class: "xp-inks", role: "group", "aria-label": t("explore.sketch_colour") });
    this.sizes = h(
      "div",
      { class: "xp-inks", role: "group", "aria-label": t("explore.sketch_size") },
      SIZES.map((size, index) =>
        h(
          "button",
          {
            type: "button",
            class: "gan-ghost",
            value: String(size),
            "aria-label": t("explore.sketch_size_of", { number: index + 1, count: SIZES.length }),
            onclick: () => this.#choose({ size }),
          },
          h("i", { style: `--dot: ${6 + 6 * index}px` }),
        ),
      ),
    );
    this.eraser = h(
      "button",
      {
        type: "button",
        class: "gan-ghost",
        title: t("explore.sketch_erase"),
        "aria-label": t("explore.sketch_erase"),
        onclick: () => this.#choose({ erasing: !this.erasing }),
      },
      icon("eraser"),
    );
    this.tools = h(
      "div",
      { class: "xp-sketchtools" },
      this.inks,
      this.sizes,
      h(
        "div",
        { class: "xp-inks" },
        this.eraser,
        tool("swap", "explore.sketch_invert", () => this.invert()),
        tool("bin", "explore.sketch_clear", () => this.clear()),
      ),
    );
    this.invitation = h("span", { class: "xp-invitation", "aria-hidden": "true" }, t("explore.sketch_here"));
    this.element = h(
      "div",
      { class: "xp-sketching" },
      h("div", { class: "xp-paper" }, this.canvas, this.invitation),
      this.tools,
    );
  }

  /**
   * Clear the pad for a model with so many channels. `paper` is the colour of its pictures' edges.
   * @param {number} channels
   * @param {string} paper
   */
  fresh(channels, paper) {
    const colours = channels === 1 ? GREYS : COLOURS;
    /** @type {HTMLInputElement} */
    const own = h("input", {
      type: "color",
      class: "xp-ink",
      "aria-label": t("explore.sketch_own"),
      oninput: () => this.#choose({ ink: own.value, erasing: false }),
    });
    this.inks.replaceChildren(
      ...colours.map((ink) =>
        h("button", {
          type: "button",
          class: "xp-ink",
          value: ink,
          style: `--ink-is: ${ink}`,
          "aria-label": t("explore.sketch_ink", { colour: ink }),
          onclick: () => this.#choose({ ink, erasing: false }),
        }),
      ),
      ...(channels === 1 ? [] : [own]),
    );
    this.paper = paper;
    this.#choose({
      ink: dark(paper) ? "#ffffff" : "#000000",
      size: channels === 1 ? SIZES[1] : SIZES[0],
      erasing: false,
    });
    this.clear();
  }

  clear() {
    this.pen.fillStyle = this.paper;
    this.pen.fillRect(0, 0, SIDE, SIDE);
    this.#set(true);
  }

  invert() {
    this.pen.globalCompositeOperation = "difference";
    this.pen.fillStyle = "#ffffff";
    this.pen.fillRect(0, 0, SIDE, SIDE);
    this.pen.globalCompositeOperation = "source-over";
    if (this.empty) this.paper = dark(this.paper) ? "#ffffff" : "#000000";
    if (this.empty) this.#choose({ ink: dark(this.paper) ? "#ffffff" : "#000000" });
    this.#set(this.empty);
  }

  /**
   * Show the centre square of a picture, scaled to the pad.
   * @param {Drawable} picture
   */
  take(picture, smooth = true) {
    const side = Math.min(picture.width, picture.height);
    this.pen.fillStyle = "#ffffff"; // the server, too, makes transparent pixels white
    this.pen.fillRect(0, 0, SIDE, SIDE);
    this.pen.imageSmoothingEnabled = smooth;
    this.pen.imageSmoothingQuality = "high";
    this.pen.drawImage(
      picture,
      (picture.width - side) / 2,
      (picture.height - side) / 2,
      side,
      side,
      0,
      0,
      SIDE,
      SIDE,
    );
    this.#set(false);
  }

  /** @param {File | undefined} file */
  async takeFile(file) {
    if (!file) return;
    try {
      const bitmap = await createImageBitmap(file);
      this.take(bitmap);
      bitmap.close();
    } catch {
      this.failed({ key: "data.no_picture", values: {} });
    }
  }

  /** @returns {Promise<?Blob>} */
  blob() {
    return new Promise((resolve) => this.canvas.toBlob(resolve, "image/png"));
  }

  /** @param {{ink?: string, size?: number, erasing?: boolean}} patch */
  #choose(patch) {
    Object.assign(this, patch);
    for (const button of this.inks.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(!this.erasing && button.value === this.ink));
    for (const button of this.sizes.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(Number(button.value) === this.size));
    this.eraser.setAttribute("aria-pressed", String(this.erasing));
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.last = this.#place(event);
    this.#line(this.last);
  }

  /** @param {PointerEvent} event */
  #stroke(event) {
    if (!this.last) return;
    for (const part of event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event])
      this.#line(this.#place(part));
  }

  #up() {
    if (!this.last) return;
    this.last = null;
    this.#set(false);
  }

  /** @param {Place} to */
  #line(to) {
    const { pen } = this;
    const from = this.last ?? to;
    Object.assign(pen, {
      strokeStyle: this.erasing ? this.paper : this.ink,
      lineWidth: this.size,
      lineCap: "round",
      lineJoin: "round",
    });
    pen.beginPath();
    pen.moveTo(...from);
    // a press alone is a dot, but a line of no length would draw nothing
    pen.lineTo(to[0] + (from === to ? 0.1 : 0), to[1]);
    pen.stroke();
    this.last = to;
  }

  /**
   * @param {PointerEvent} event
   * @returns {Place}
   */
  #place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  }

  /** @param {DragEvent} event */
  #drop(event) {
    event.preventDefault();
    this.takeFile(event.dataTransfer?.files[0]);
  }

  /** @param {boolean} empty */
  #set(empty) {
    this.empty = empty;
    this.invitation.hidden = !empty;
    this.invitation.style.color = dark(this.paper) ? "#ffffff" : "#000000";
    this.changed(empty);
  }
}

/**
 * @param {string} glyph
 * @param {string} key
 * @param {() => void} onclick
 */
function tool(glyph, key, onclick) {
  return h(
    "button",
    { type: "button", class: "gan-ghost", title: t(key), "aria-label": t(key), onclick },
    icon(glyph),
  );
}

/**
 * Whether a colour such as #123abc is closer to black than to white.
 * @param {string} colour
 */
function dark(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return 0.3 * red + 0.59 * green + 0.11 * blue < 128;
}
