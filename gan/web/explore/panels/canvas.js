// The large picture of the current point.
import { context2d, h } from "../../core/dom.js";
import { t } from "../../core/i18n.js";
import { fitted } from "../../widgets/mosaic.js";

/** A canvas in the picture's own pixels. It is enlarged by a whole factor to fill its box. */
export class Canvas {
  constructor() {
    this.canvas = h("canvas", { role: "img", class: "xp-canvas", width: 1, height: 1 });
    this.badge = h("span", { class: "xp-badge", hidden: true }, t("explore.live"));
    this.notice = h("span", { class: "xp-badge xp-notice", role: "status", hidden: true });
    this.element = h("figure", { class: "xp-large" }, this.canvas, this.badge, this.notice);
    new ResizeObserver(() => this.#fit()).observe(this.element);
  }

  /** @param {Drawable} bitmap */
  draw(bitmap) {
    this.#paint(bitmap, 0, 0, bitmap.width, bitmap.height);
  }

  /**
   * Show one cell of a sheet of `columns` x `columns` pictures.
   * @param {Drawable} sheet
   * @param {number} columns
   * @param {number} index
   */
  drawCell(sheet, columns, index) {
    const size = sheet.width / columns;
    this.#paint(sheet, (index % columns) * size, Math.floor(index / columns) * size, size, size);
  }

  /**
   * Show an ImageData.
   * @param {ImageData} pixels
   */
  drawPixels(pixels) {
    this.#resize(pixels.width, pixels.height);
    context2d(this.canvas).putImageData(pixels, 0, 0);
  }

  clear() {
    context2d(this.canvas).clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /** @param {string} text */
  describe(text) {
    this.canvas.setAttribute("aria-label", text);
  }

  /** @param {boolean} on */
  live(on) {
    this.badge.hidden = !on;
  }

  /**
   * Show a word on the picture while the page waits; null hides it.
   * @param {?string} text
   */
  wait(text) {
    this.notice.textContent = text ?? "";
    this.notice.hidden = !text;
  }

  /**
   * @param {Drawable} source
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  #paint(source, x, y, width, height) {
    this.#resize(width, height);
    context2d(this.canvas).drawImage(source, x, y, width, height, 0, 0, width, height);
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  #resize(width, height) {
    if (this.canvas.width === width && this.canvas.height === height) return;
    Object.assign(this.canvas, { width, height });
    this.#fit();
  }

  #fit() {
    const box = Math.min(this.element.clientWidth, this.element.clientHeight) * devicePixelRatio;
    if (!box) return;
    const side = fitted(box, this.canvas.width) / devicePixelRatio;
    Object.assign(this.canvas.style, { width: `${side}px`, height: `${side}px` });
  }
}
