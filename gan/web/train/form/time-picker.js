// The budget of a run: minutes, or thousands of images.
import { accessNow, isVisitor } from "../../core/control.js";
import { h, must } from "../../core/dom.js";
import { CHOOSE, CONTROL, KIND } from "../../core/events.js";
import { t } from "../../core/i18n.js";
import { Picker } from "./picker.js";

const IMAGES = "images"; // the only kind of run whose budget may be in images
/** The units of a budget: the values of the chips, and the limits. */
const UNITS = {
  minutes: { chips: [1, 2, 5, 10, 30], min: "0.05", max: "10080" },
  kimg: { chips: [10, 20, 50, 100, 500], min: "0.1", max: "1000000" },
};
const USUAL = 5; // minutes

/** The budget of a run. Its value is minutes, or {kimg} for thousands of images. */
export class TimePicker extends Picker {
  /** @type {"minutes" | "kimg"} */ unit = "minutes";
  /** @type {?Budget} */ budget = null;
  chips = h("div", { class: "tr-chips" });
  input = h("input", { type: "number", step: "any", inputmode: "decimal", class: "tr-number" });
  units = h(
    "select",
    { class: "tr-unit", "aria-label": t("train.budget_unit") },
    h("option", { value: "minutes" }, t("train.minutes")),
    h("option", { value: "kimg" }, t("train.kimg")),
  );

  build() {
    this.setAttribute("aria-label", t("train.step_time"));
    this.input.addEventListener("change", () => this.choose(this.input.valueAsNumber));
    this.units.addEventListener("change", () =>
      this.change(this.units.value === "kimg" ? "kimg" : "minutes"),
    );
    addEventListener(CONTROL, () => this.limit());
    addEventListener(KIND, () => this.limit());
    this.append(h("div", { class: "tr-times" }, this.chips, h("label", {}, this.input, this.units)));
    this.measure("minutes");
  }

  /** Change to a unit, and to the middle one of its chips. @param {"minutes" | "kimg"} unit */
  change(unit) {
    this.measure(unit);
    this.choose(UNITS[unit].chips[2]);
  }

  /** Show the chips of a unit. @param {"minutes" | "kimg"} unit */
  measure(unit) {
    if (unit === this.unit && this.chips.firstChild) return;
    this.unit = unit;
    const { chips, min, max } = UNITS[unit];
    this.units.value = unit;
    Object.assign(this.input, { min, max });
    this.input.setAttribute("aria-label", t(`train.${unit}`));
    this.chips.replaceChildren(
      ...chips.map((amount) => this.card(amount, { class: "tr-chip" }, String(amount))),
    );
  }

  /** @param {import("./picker.js").PickerValue} value a number of the unit */
  choose(value) {
    this.budget = this.unit === "kimg" ? { kimg: Number(value) } : Number(value);
    super.mark(value);
    this.dispatchEvent(new CustomEvent(CHOOSE, { detail: this.budget }));
  }

  /** @param {?import("./picker.js").PickerValue | Budget} value a Budget; a picker without a value has null */
  mark(value) {
    if (value === null || value === undefined) return;
    const kimg = typeof value === "object";
    this.budget = kimg ? value : Number(value);
    this.measure(kimg ? "kimg" : "minutes");
    super.mark(kimg ? value.kimg : value);
  }

  /** @param {import("./picker.js").PickerValue} value */
  marked(value) {
    if (document.activeElement !== this.input) this.input.value = String(value);
    this.limit();
  }

  /** Turn off what the server refuses: to a visitor, and for another kind of run than images. */
  limit() {
    const most = isVisitor() ? (accessNow().visitor?.minutes ?? Infinity) : Infinity;
    const kind = document.getElementById("train")?.dataset.kind ?? IMAGES;
    const timed = isVisitor() || kind !== IMAGES;
    const images = must(this.units.querySelector("[value=kimg]"), "unit");
    images.toggleAttribute("disabled", timed);
    if (timed && this.unit === "kimg") {
      this.measure("minutes");
      this.choose(USUAL);
    }
    for (const card of this.cards()) {
      card.disabled = this.unit === "minutes" && Number(card.option) > most;
      card.title = card.disabled ? t("access.own_runs", { minutes: most }) : "";
    }
  }
}
