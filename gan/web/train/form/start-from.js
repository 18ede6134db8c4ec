// <gan-start>: the model whose weights the new run begins with. Choosing one sets the form's settings that
// decide the shapes of the weights.
import { request } from "../../core/api.js";
import { h, setText } from "../../core/dom.js";
import { CHOOSE, OFFER } from "../../core/events.js";
import { refusal, sentence, t } from "../../core/i18n.js";
import { fullTitle } from "../../explore/panels/model-picker.js";

/** New weights. @type {StartValue} */
const NONE = { id: "", settings: {} };
const GROUPS = /** @type {const} */ (["shipped", "hub", "run"]);

class StartFrom extends HTMLElement {
  select = h("select", { class: "tr-select", "aria-label": t("train.start_from") });
  about = h("p", { class: "tr-about", hidden: true });
  details = h("details", { class: "tr-more" });
  /** @type {Model[]} */ models = [];
  value = NONE;

  connectedCallback() {
    if (this.details.isConnected) return;
    this.value = JSON.parse(this.dataset.value ?? "null") ?? NONE;
    this.addEventListener(OFFER, (event) => this.mark(event.detail ?? NONE));
    this.select.addEventListener("change", () => this.choose(this.select.value));
    // The list is fetched when it is wanted, and again each time, because runs end meanwhile.
    this.details.addEventListener("toggle", () => this.details.open && this.load());
    this.details.append(h("summary", {}, t("train.start_from")), this.select, this.about);
    this.append(this.details);
    this.list();
    if (this.value.id) this.mark(this.value);
  }

  async load() {
    try {
      this.models = (await request("models")).filter((model) => !model.live && !model.unreadable);
      this.list();
    } catch (error) {
      this.about.hidden = false;
      setText(this.about, sentence(refusal(error)));
    }
  }

  /** Fill the list, with the chosen model even where it is no longer offered. */
  list() {
    const { id } = this.value;
    const groups = GROUPS.map((kind) => {
      const some = this.models.filter((model) => model.kind === kind);
      const options = some.map((model) => h("option", { value: model.id }, fullTitle(model)));
      return options.length > 0 && h("optgroup", { label: t(`train.start_${kind}`) }, options);
    });
    const absent = id && !this.models.some((model) => model.id === id);
    this.select.replaceChildren(
      h("option", { value: "" }, t("train.start_new")),
      ...[absent && h("option", { value: id }, id), ...groups].filter((one) => one instanceof Node),
    );
    this.show();
  }

  show() {
    this.select.value = this.value.id;
    this.about.hidden = !this.value.id;
    setText(this.about, this.value.id ? t("train.start_about") : "");
  }

  /** @param {string} id */
  choose(id) {
    const model = this.models.find((one) => one.id === id);
    this.value = model ? { id, settings: model.shape } : NONE;
    this.show();
    this.dispatchEvent(new CustomEvent(CHOOSE, { detail: this.value }));
  }

  /** @param {StartValue} value */
  mark(value) {
    this.value = value;
    if (value.id) this.details.open = true;
    this.list();
  }
}

customElements.define("gan-start", StartFrom);
