// Present: the stage alone, large enough for the last row. The address keeps it, so a reload does, too.
import { address } from "../../core/api.js";
import { controls } from "../../core/control.js";
import { h, setText } from "../../core/dom.js";
import { PRESENT } from "../../core/events.js";
import { t } from "../../core/i18n.js";
import { readHash, writeHash } from "../../core/url.js";
import { catalogue } from "../catalogue.js";
import { formula } from "../formula.js";

/** Whether the address asks for it. */
const asked = () => readHash().get("present") === "1" && readHash().get("tab") === "train";

export class Present {
  on = false;
  button = h("button", { type: "button", class: "tr-present", onclick: () => this.turn(!this.on) });
  picture = h("img", { class: "tr-picture", alt: "", draggable: "false", hidden: true });
  waiting = h("p", { class: "tr-waiting" });
  reals = h(
    "figure",
    { class: "tr-reals" },
    h("div", { class: "tr-frame" }, this.picture, this.waiting),
    h("figcaption", {}, t("stage.reals")),
  );
  fakes = h("p", { class: "tr-fakes" }, t("stage.fakes"));
  formula = h("div", { class: "tr-maths" });
  /** Id of the run whose real images are shown. @type {?string} */ shown = null;
  /** The run's loss and penalty. @type {?string} */ pair = null;
  /** @type {?Catalogue} */ offer = null;
  /** @type {?Run} */ run = null;

  constructor() {
    this.picture.addEventListener("load", () => this.arrived(true));
    this.picture.addEventListener("error", () => this.arrived(false));
    addEventListener("hashchange", () => this.follow());
    addEventListener("popstate", () => this.follow());
    addEventListener("keydown", (event) => {
      if (this.on && event.key === "Escape" && !event.defaultPrevented) this.turn(false);
    });
    this.follow(true);
    catalogue()
      .then((offer) => {
        this.offer = offer;
        this.write();
      })
      .catch(() => {}); // the form says what is wrong
  }

  /** Do what the address asks for. */
  follow(first = false) {
    if (!first && asked() === this.on) return;
    this.on = asked();
    document.documentElement.toggleAttribute("data-present", this.on);
    setText(this.button, t(this.on ? "stage.present_end" : "stage.present"));
    this.load();
    dispatchEvent(new CustomEvent(PRESENT, { detail: this.on }));
    if (this.on) scrollTo({ top: 0 });
  }

  /** @param {boolean} on */
  turn(on) {
    const hash = readHash();
    if (on) hash.set("present", "1");
    else hash.delete("present");
    hash.set("tab", "train");
    writeHash(hash);
    this.follow();
  }

  /** @param {Run} run */
  update(run) {
    this.run = run;
    this.button.hidden = !run.config;
    this.reals.hidden = run.config?.kind !== "images";
    this.write();
    this.load();
  }

  /** Write the formulas of the run's loss. */
  write() {
    const { loss = "", penalty = "" } = this.run?.config ?? {};
    if (!this.offer || this.pair === `${loss} ${penalty}`) return;
    this.pair = `${loss} ${penalty}`;
    const block = formula(this.offer.losses[loss], this.offer.penalties[penalty]);
    this.formula.replaceChildren(...(block ? [block] : []));
  }

  /** Fetch the real images of the run, if they are to be seen. */
  load() {
    const { run } = this;
    if (!this.on || !run || this.reals.hidden || run.id === this.shown) return;
    this.shown = run.id;
    this.picture.hidden = true;
    const own = run.own_data;
    if (own !== null && !(own === "shown" && controls(run.id))) {
      this.picture.removeAttribute("src");
      setText(this.waiting, t(own === "hidden" ? "error.access.own_images" : "stage.reals_private"));
      return;
    }
    setText(this.waiting, "");
    this.picture.src = address(`runs/${run.id}/reals.webp`);
  }

  /** @param {boolean} well */
  arrived(well) {
    this.picture.hidden = !well;
    this.picture.alt = well ? t("stage.reals_alt") : "";
    setText(this.waiting, well ? "" : t("error.runs.no_reals"));
    if (!well) this.shown = null; // the next poll asks again: a run that begins has none yet
  }
}
