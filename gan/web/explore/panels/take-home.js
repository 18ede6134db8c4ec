// Ways to take the generator away: as a web page that needs no server, as ONNX, or to the Hugging Face Hub.
import { patiently } from "../../core/api.js";
import { h, icon, must, setText } from "../../core/dom.js";
import { refusal, t } from "../../core/i18n.js";
import { written } from "../../latent/encoding.js";
import { movedAlong } from "../../latent/point.js";
import { fetched, save } from "../../renderer/pictures.js";
import { heading } from "../../widgets/help.js";
import { PushPanel } from "./push.js";

/** @type {Record<string, string>} */
const FORMS = { html: "explore.take_page", onnx: "explore.take_onnx" };
const PLACE = '<script type="text/plain" id="gan-point">'; // in the page that gan/export/webpage.py writes

/**
 * Write the current point into the exported page, which is the same file for everybody. Values that only the
 * app or the server can use are left out.
 * @param {Response} page
 * @param {Point} point
 */
async function opened(page, point) {
  const { model, view, axes, u, ...texts } = written(point);
  const json = JSON.stringify(texts).replaceAll("<", "\\u003c");
  return new Blob([(await page.text()).replace(PLACE, () => PLACE + json)], { type: "text/html" });
}

/** The section under the large picture. `failed(error, id)` gets the server's error. */
export class TakeHome {
  /** @param {Pick<PanelHost, "point" | "chosen" | "failed">} host */
  constructor({ point, chosen, failed }) {
    this.point = point;
    this.chosen = chosen;
    this.failed = failed;
    this.buttons = Object.entries(FORMS).map(([form, key]) => {
      const name = h("span", {}, t(key));
      /** @type {HTMLButtonElement} */
      const button = h(
        "button",
        { type: "button", class: "xp-button", onclick: () => this.#take(form, button, name, t(key)) },
        icon("download"),
        name,
      );
      return button;
    });
    this.push = new PushPanel(point);
    this.element = h(
      "section",
      { class: "xp-take" },
      ...heading(
        t("explore.take"),
        t("explore.take_hint"),
        h("span", { class: "gan-space" }),
        h("div", { class: "xp-take-buttons" }, ...this.buttons, this.push.button),
      ),
      this.push.element,
    );
  }

  /**
   * The list of sliders, and the other directions along which the point has moved. The page could not draw
   * the point without them.
   * @param {Point} point
   */
  #sliders(point) {
    const chosen = this.chosen.written();
    const more = movedAlong({ ...point, d: [] }).filter((id) => !this.chosen.has(id));
    return more.length ? { ...chosen, list: [...this.chosen.ids(), ...more] } : chosen;
  }

  /**
   * @param {string} form
   * @param {HTMLButtonElement} button
   * @param {HTMLElement} name
   * @param {string} text
   */
  async #take(form, button, name, text) {
    const point = this.point();
    const { model: id } = point;
    if (!id || button.disabled) return;
    button.disabled = true;
    try {
      const page = form === "html";
      const sliders = page && this.chosen.model?.id === id ? JSON.stringify(this.#sliders(point)) : null;
      const reply = await patiently(
        () => {
          setText(name, t("explore.taking"));
          return fetched(`take/${form}`, { id, sliders }, 1);
        },
        () => setText(name, t("common.waits")),
      );
      const [, file] = must(
        /filename="([^"]+)"/.exec(reply.headers.get("Content-Disposition") ?? ""),
        "name of the file",
      );
      save(page ? await opened(reply, point) : await reply.blob(), file);
    } catch (error) {
      this.failed(refusal(error), id);
    } finally {
      button.disabled = false;
      name.textContent = text;
    }
  }
}
