// <gan-cost>: the size and the needs of the run in the form. It asks the server after every change of the
// form.
import { request } from "../../core/api.js";
import { h, setText } from "../../core/dom.js";
import { ANSWER, FORM } from "../../core/events.js";
import { short, whole } from "../../core/format.js";
import { refusal, sentence, t } from "../../core/i18n.js";
import { formNow } from "./settings.js";

const PAUSE = 250; // ms without a change before it asks the server
const AGAIN = 2000; // ms before it asks again, while the self-test still runs or no server answers

class Cost extends HTMLElement {
  lead = h("p", { class: "tr-cost-lead" });
  pace = h("p");
  needs = h("p");
  /** @type {ReturnType<typeof setTimeout> | undefined} */ timer;
  /** Aborts the running request. @type {AbortController | undefined} */ asked;

  connectedCallback() {
    if (this.firstChild) return;
    this.append(this.lead, this.pace, this.needs);
    addEventListener(FORM, (event) => this.ask(event.detail, PAUSE));
    addEventListener(ANSWER, ({ detail }) => {
      // Train refuses for the same reason, and shows it below
      if (detail.error && sentence(detail.error) === this.lead.textContent) setText(this.lead, "");
    });
    const form = formNow();
    if (form) this.ask(form, 0); // Gradio sent it before this element was there
  }

  /**
   * Ask after `wait` ms. Answers to earlier questions are dropped.
   * @param {FormDetail} form
   * @param {number} wait
   */
  ask(form, wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      this.asked?.abort();
      const asked = new AbortController();
      this.asked = asked;
      try {
        const found = await request("cost", {
          query: { form: JSON.stringify(read(form)) },
          signal: asked.signal,
        });
        if (this.asked !== asked) return;
        this.show(found);
        if (found.rate === null) this.ask(form, AGAIN); // undefined for a kind whose speed is not estimated
      } catch (thrown) {
        const error = refusal(thrown);
        if (this.asked !== asked || error.name === "AbortError") return;
        if (error.offline) this.ask(form, AGAIN);
        else this.refuse(error);
      }
    }, wait);
  }

  /** @param {RunCost} found */
  show(found) {
    const { parameters } = found;
    this.classList.remove("is-refused");
    setText(
      this.needs,
      t("train.cost_numbers", { g: `G ${short(parameters.G)}`, d: `D ${short(parameters.D)}` }),
    );
    if (found.kind === "images") {
      this.showImages(found);
      document.querySelector("gan-recipe")?.tell(found.recipes ?? {});
    } else {
      setText(this.lead, t("train.cost_points", { minutes: number(found.minutes) }));
      setText(this.pace, "");
    }
  }

  /** @param {ImagesCost} cost */
  showImages({ rate, kimg, passes, memory, minutes, gpu }) {
    const known = rate !== null;
    const images = known && whole(about(1000 * kimg));
    const often =
      known && passes
        ? passes < 1
          ? t("train.cost_part", { times: part(passes) })
          : t("train.cost_passes", { times: number(about(passes)) })
        : null;
    const bytes =
      memory === null
        ? null
        : t(gpu ? "train.cost_memory_gpu" : "train.cost_memory", { gigabytes: number(memory / 1e9) });
    setText(
      this.lead,
      known && minutes !== null
        ? t("train.cost_images", { images, minutes: number(about(minutes)) })
        : t("train.cost_measuring"),
    );
    setText(
      this.pace,
      known ? [t("train.cost_rate", { rate: number(about(rate)) }), often].filter(Boolean).join(" · ") : "",
    );
    setText(this.needs, [this.needs.textContent, bytes].filter(Boolean).join(" · "));
  }

  /** @param {Refusal} error */
  refuse(error) {
    this.classList.add("is-refused");
    setText(this.lead, sentence(error));
    setText(this.pace, "");
    setText(this.needs, "");
  }
}

/**
 * The form's values, in the order of gan/ui/train/form.py, as the server reads them. `own` is the number of
 * uploaded pictures, if known.
 * @param {FormDetail} form
 */
const read = ([data, own, recipe, minutes, start, ...values]) => ({
  data,
  recipe,
  minutes,
  start: start.id,
  values,
  own: own?.report?.count ?? null,
});

/**
 * Two significant figures, because an estimate has no more.
 * @param {number} value
 */
const about = (value) => Number(value.toPrecision(2));
/** @param {number} value */
const number = (value) =>
  new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: value < 10 ? 1 : 0 }).format(
    value,
  );
/** @param {number} value */
const part = (value) =>
  new Intl.NumberFormat(document.documentElement.lang, { maximumSignificantDigits: 2 }).format(value);

customElements.define("gan-cost", Cost);
