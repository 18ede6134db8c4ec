// Jobs on the Hugging Face Hub: the machines that the server offers, and what a run costs there.
import { request } from "../core/api.js";
import { accessNow } from "../core/control.js";
import { h, setText } from "../core/dom.js";
import { CONTROL } from "../core/events.js";
import { refusal, sentence, t } from "../core/i18n.js";

/** @type {JobsOffer} */
const NONE = { flavors: [], owner: null, spare: 0 };

/** A list of machines with the cost of the chosen one. It is hidden where the server offers none. */
export class MachineChoice {
  offer = NONE;
  minutes = 0;

  /** @param {{here: boolean}} options here: whether this machine is offered too, and first */
  constructor({ here }) {
    this.here = here;
    this.select = h("select", {
      class: "tr-select",
      "aria-label": t("train.where"),
      onchange: () => this.show(),
    });
    this.about = h("p", { class: "tr-about", role: "status" });
    this.element = h(
      "div",
      { class: "tr-where", hidden: true },
      h("label", {}, t("train.where"), this.select),
      this.about,
    );
    addEventListener(CONTROL, () => this.load());
    this.load();
  }

  /** The chosen machine; "" for the server's own. */
  get flavor() {
    return this.element.hidden ? "" : this.select.value;
  }

  async load() {
    try {
      this.offer = accessNow().control ? await request("jobs") : NONE;
    } catch (error) {
      // The owner has set jobs up, and must see why there are none.
      this.offer = NONE;
      this.element.hidden = !this.here;
      this.select.replaceChildren(h("option", { value: "" }, t("train.where_here")));
      setText(this.about, sentence(refusal(error)));
      return;
    }
    const chosen = this.select.value;
    const options = this.offer.flavors.map(({ name, title, price }) =>
      h("option", { value: name }, t("train.where_price", { title, price: money(price) })),
    );
    if (this.here) options.unshift(h("option", { value: "" }, t("train.where_here")));
    this.select.replaceChildren(...options);
    if (options.some((option) => option.value === chosen)) this.select.value = chosen;
    this.element.hidden = !this.offer.flavors.length;
    this.show();
  }

  /** @param {number} minutes the budget that is left */
  update(minutes) {
    if (minutes === this.minutes) return;
    this.minutes = minutes;
    this.show();
  }

  show() {
    const flavor = this.offer.flavors.find(({ name }) => name === this.select.value);
    const { owner, spare } = this.offer;
    const cost = (/** @type {number} */ minutes) => money(((flavor?.price ?? 0) * minutes) / 60);
    const values = { cost: cost(this.minutes), most: cost(this.minutes + spare), owner };
    setText(this.about, flavor ? t("train.where_cost", values) : "");
  }
}

/** @param {number} dollars */
const money = (dollars) =>
  new Intl.NumberFormat(document.documentElement.lang, {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
  }).format(dollars);
