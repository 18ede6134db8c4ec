// What people take home: the generator as a web page that needs no server, or as ONNX.
import { h, icon, t } from "../common.js";
import { heading } from "../help.js";
import { fetched, save } from "./pictures.js";

const FORMS = { html: "explore.take_page", onnx: "explore.take_onnx" };

/** The section under the large picture. `point()` says which model, `chosen` (chosen.js) its sliders, `failed(error, id)` hears why it can't be had. */
export class Take {
  constructor({ point, chosen, failed }) {
    Object.assign(this, { point, chosen, failed });
    this.buttons = Object.entries(FORMS).map(([form, key]) => {
      const name = h("span", {}, t(key));
      const button = h("button", { type: "button", class: "xp-button", onclick: () => this.#take(form, button, name, t(key)) }, icon("download"), name);
      return button;
    });
    this.element = h("section", { class: "xp-take" }, ...heading(t("explore.take"), t("explore.take_hint"), h("span", { class: "gan-space" }), this.buttons));
  }

  async #take(form, button, name, text) {
    const { model: id } = this.point();
    if (!id || button.disabled) return;
    button.disabled = true;
    name.textContent = t("explore.taking");
    try {
      const reply = await fetched(`take/${form}`, { id, sliders: form === "html" && this.chosen.model?.id === id ? JSON.stringify(this.chosen.told()) : null });
      const [, file] = /filename="([^"]+)"/.exec(reply.headers.get("Content-Disposition"));
      save(await reply.blob(), file);
    } catch (error) {
      this.failed(error, id);
    } finally {
      button.disabled = false;
      name.textContent = text;
    }
  }
}
