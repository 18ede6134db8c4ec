// The form's own elements: step headings, the pickers of data, recipe and time, and the error beside the
// button.
import { address } from "../../core/api.js";
import { h, must, setText } from "../../core/dom.js";
import { ANSWER, FORM, KIND, SUBMIT } from "../../core/events.js";
import { short, whole } from "../../core/format.js";
import { known, sentence, t } from "../../core/i18n.js";
import { dataName, recipeName } from "../../core/run-name.js";
import { view } from "../../shell/run-feed.js";
import { catalogue, OWN_POINTS } from "../catalogue.js";
import { formula } from "../formula.js";
import { help } from "../../widgets/help.js";
import { Picker } from "./picker.js";
import { filledNow, formNow } from "./settings.js";
import { TimePicker } from "./time-picker.js";

const IMAGES = "images"; // the kind of run that the form begins with

class Step extends HTMLElement {
  connectedCallback() {
    if (this.firstChild) return;
    const key = this.getAttribute("text") ?? "";
    const title = t(key);
    const [button, note] = help(title, t(`${key}_help`));
    this.append(
      h("div", { class: "tr-step" }, h("b", {}, this.getAttribute("number")), h("h3", {}, title), button),
      note,
    );
  }
}

class Group extends HTMLElement {
  connectedCallback() {
    if (!this.firstChild) this.append(h("h4", { class: "tr-group" }, t(this.getAttribute("text") ?? "")));
  }
}

class DataPicker extends Picker {
  details = h("p", { class: "tr-about" });
  /** By name. @type {Record<string, DataSet>} */ sets = {};
  plane = h("details", { class: "tr-more" });

  /** @param {Catalogue} offer */
  build({ data }) {
    this.setAttribute("aria-label", t("train.step_data"));
    const [bundled, drawn, others] = ["bundled", "drawn", "torchvision"].map((source) =>
      data.filter((set) => set.source === source),
    );
    this.sets = Object.fromEntries(data.map((set) => [set.name, set]));
    this.append(
      h(
        "div",
        { class: "tr-cards" },
        bundled.map((set) => this.set(set)),
        this.card(
          "own",
          { class: "tr-data tr-own" },
          h("span", { class: "tr-blank" }, "+"),
          h("b", {}, t("train.own_short")),
          h("small", {}, t("train.own_kinds")),
        ),
      ),
      this.details,
      this.plane,
      h(
        "details",
        { class: "tr-more" },
        h("summary", {}, t("train.downloads")),
        h("p", { class: "tr-about" }, t("train.needs_internet")),
        h(
          "div",
          { class: "tr-names" },
          others.map((set) => this.download(set)),
        ),
      ),
    );
    this.plane.append(
      h("summary", {}, t("train.points")),
      h("p", { class: "tr-about" }, t("train.points_about")),
      h(
        "div",
        { class: "tr-cards" },
        drawn.map((set) => this.set(set)),
        this.card(
          OWN_POINTS,
          { class: "tr-data" },
          h("span", { class: "tr-blank" }, "+"),
          h("b", {}, t("train.points_own")),
          h("small", {}, t("train.points_file")),
        ),
      ),
    );
  }

  /** @param {DataSet} set */
  set(set) {
    const picture = set.picture
      ? h("img", {
          src: address(`thumbnails/${set.name}.webp`),
          alt: "",
          class: set.kind === IMAGES ? (Number(set.size) < 48 ? "is-small" : "") : "is-drawn",
        })
      : h("span", { class: "tr-blank" }, set.name[0].toUpperCase());
    return this.card(
      set.name,
      { class: "tr-data" },
      picture,
      h("b", {}, dataName(set.name)),
      h("small", {}, amount(set)),
    );
  }

  /** @param {DataSet} set */
  download(set) {
    return this.card(
      set.name,
      { class: "tr-name" },
      h("b", {}, dataName(set.name)),
      h("small", {}, amount(set)),
    );
  }

  /** @param {import("./picker.js").PickerValue} value */
  marked(value) {
    const set = this.sets[value];
    document.getElementById("train-own")?.classList.toggle("is-chosen", value === "own");
    document.getElementById("train-points")?.classList.toggle("is-chosen", value === OWN_POINTS);
    const kind = value === OWN_POINTS ? "points" : (set?.kind ?? IMAGES);
    this.offerKind(kind);
    if (!set || kind !== IMAGES) {
      setText(this.details, value === "own" ? t("train.own_about") : "");
      return;
    }
    const classes = set.classes ? t("train.classes", { count: set.classes }) : t("train.no_classes");
    setText(this.details, t("train.about_data", { classes, credit: set.credit, licence: set.licence }));
  }

  /**
   * Let the form show only the settings of this kind of run, and tell the other pickers.
   * @param {string} kind
   */
  offerKind(kind) {
    const form = document.getElementById("train");
    if (!form || (form.dataset.kind ?? IMAGES) === kind) return;
    form.dataset.kind = kind;
    dispatchEvent(new CustomEvent(KIND, { detail: kind }));
  }
}

/** How much a data set holds. @param {DataSet} set */
const amount = (set) =>
  t(set.kind === IMAGES ? "train.count_size" : "train.count_points", {
    count: whole(set.count),
    size: set.size,
  });

class RecipePicker extends Picker {
  kind = IMAGES;
  formula = h("div");
  /** @type {Recipe[]} */ recipes = [];
  /** @type {Catalogue["losses"]} */ losses = {};
  /** @type {Catalogue["penalties"]} */ penalties = {};
  /** @type {Catalogue["defaults"]} */ defaults = {};
  /** Names of the settings. @type {string[]} */ fields = [];
  /** By recipe. @type {Record<string, number>} */ parameters = {};
  /** What each recipe of images trains, on its card. @type {Record<string, HTMLElement>} */ facts = {};
  data = "";

  /** @param {Catalogue} offer */
  build({ recipes, losses, penalties, defaults, fields }) {
    this.defaults = defaults;
    this.fields = fields;
    this.losses = losses;
    this.penalties = penalties;
    this.recipes = recipes;
    this.setAttribute("aria-label", t("train.step_recipe"));
    const kinds = [...new Set(recipes.map((recipe) => recipe.kind))];
    this.append(
      ...kinds.map((kind) =>
        this.ofKind(
          kind,
          recipes.filter((recipe) => recipe.kind === kind),
        ),
      ),
      this.formula,
    );
    this.kind = document.getElementById("train")?.dataset.kind ?? IMAGES;
    addEventListener(KIND, (event) => this.offerKind(event.detail));
    addEventListener(FORM, (event) => this.describe(event.detail[0]));
    this.describe(formNow()?.[0] ?? "digits");
  }

  /**
   * Say on each card at which size the recipe trains on this data set, with how many parameters, and whether
   * it learns labels, so that recipes are compared on equal terms.
   * @param {string} data
   */
  describe(data) {
    if (data !== this.data) this.parameters = {}; // of another data set; the server's answer brings the new ones
    this.data = data;
    for (const [recipe, line] of Object.entries(this.facts)) {
      const values = this.defaults[data]?.[recipe];
      const [size, labels] = ["size", "conditional"].map(
        (name) => values?.[this.fields.indexOf(name)] ?? null,
      );
      const count = this.parameters[recipe];
      const parts = [
        t("train.recipe_size", { size }),
        count && t("train.recipe_parameters", { count: short(count) }),
        t(labels ? "train.recipe_labels" : "train.recipe_no_labels"),
      ];
      setText(line, size === null ? "" : parts.filter(Boolean).join(" · "));
    }
  }

  /** @param {Record<string, number>} parameters by recipe, on the data set of the form */
  tell(parameters) {
    this.parameters = parameters;
    this.describe(this.data);
  }

  /**
   * The cards of one kind of run; the style sheet hides those of the others.
   * @param {string} kind
   * @param {Recipe[]} recipes
   */
  ofKind(kind, recipes) {
    const line = (/** @type {Recipe} */ recipe) =>
      known(`recipe.${recipe.name}.line`) ? t(`recipe.${recipe.name}.line`) : recipe.loss;
    const card = (/** @type {Recipe} */ recipe) =>
      this.card(
        recipe.name,
        { class: "tr-recipe", disabled: recipe.needs_gpu },
        h("b", {}, recipeName(recipe.name)),
        h("small", {}, line(recipe)),
        recipe.kind === IMAGES && (this.facts[recipe.name] = h("small", { class: "tr-facts-line" })),
        recipe.needs_gpu && h("small", { class: "tr-needs" }, t("train.needs_gpu")),
      );
    const group = (/** @type {(recipe: Recipe) => boolean} */ holds) =>
      h("div", { class: "tr-recipes" }, recipes.filter(holds).map(card));
    return h(
      "div",
      { class: `gan-kind gan-kind-${kind}` },
      group(({ main }) => main),
      h(
        "details",
        { class: "tr-more" },
        h("summary", {}, t("train.more_recipes")),
        group(({ main, failing }) => !main && !failing),
      ),
      h(
        "details",
        { class: "tr-more tr-break" },
        h("summary", {}, t("train.break_it")),
        h("p", { class: "tr-about" }, t("train.break_it_about")),
        group(({ failing }) => failing),
      ),
    );
  }

  cards() {
    return super.cards().filter((card) => card.closest(`.gan-kind-${this.kind}`));
  }

  /**
   * Show another kind's recipes. A recipe that this kind does not have gives way to its first one.
   * @param {string} kind
   */
  offerKind(kind) {
    for (const card of this.cards()) card.setAttribute("aria-checked", "false");
    this.kind = kind;
    const cards = this.cards();
    if (cards.some((card) => card.option === this.value)) this.mark(this.value);
    else this.choose(cards[0].option);
  }

  /** @param {import("./picker.js").PickerValue} value */
  marked(value) {
    const recipe = this.recipes.find((one) => one.kind === this.kind && one.name === value);
    const block = recipe && formula(this.losses[recipe.loss], this.penalties[recipe.penalty]);
    this.formula.replaceChildren(...(block ? [block] : []));
  }
}

/** How many GPUs a run shares; only where the server sees more than one. submit.js reads the choice. */
class Gpus extends HTMLElement {
  async connectedCallback() {
    if (this.firstChild) return;
    const { gpus } = await catalogue().catch(() => ({ gpus: 0 })); // the pickers show the error
    if (gpus < 2 || this.firstChild) return;
    const numbers = Array.from({ length: gpus }, (_, index) => String(index + 1));
    this.append(
      h("label", {}, t("train.gpus"), h("select", {}, ...numbers.map((number) => h("option", {}, number)))),
      h("p", { class: "tr-about" }, t("train.gpus_help")),
    );
  }
}

/** The answer to Train: shows the new run, or the error beside the button. */
class Answer extends HTMLElement {
  text = h("p", { class: "tr-error", role: "alert", hidden: true });
  filled = h("p", { class: "tr-filled", role: "status" });

  connectedCallback() {
    if (this.firstChild) return;
    this.append(this.filled, this.text);
    addEventListener(FORM, () => this.sayFilled());
    this.sayFilled(); // Gradio may have restored the form before this element was there
    /** @type {?HTMLElement} */
    const panel = this.closest("#train-go");
    if (panel) stick(panel);
    addEventListener(SUBMIT, () => this.show(null));
    addEventListener(ANSWER, (event) => this.show(event.detail));
  }

  /** Say what the form was filled with for the reader. */
  sayFilled() {
    if (this.filled.textContent === filledNow()) return;
    setText(this.filled, filledNow());
    this.filled.scrollIntoView({ block: "nearest" });
  }

  /** @param {?AnswerDetail} answer */
  show(answer) {
    this.text.hidden = !answer?.error;
    setText(this.text, answer?.error ? sentence(answer.error) : "");
    // The button may be at the top edge, with the error above it.
    if (answer?.error) this.text.scrollIntoView({ block: "nearest" });
    if (answer?.run) view(answer.run);
  }
}

// The panel with the button sticks to the lower edge, as long as it leaves room for the fields.

const PART = 1 / 3; // share of the window's height that it may take

/**
 * Make a panel stick, and tell the form how much of it the panel covers, so that focused fields scroll clear
 * of it.
 * @param {HTMLElement} panel
 */
function stick(panel) {
  const judge = () => {
    const height = panel.offsetHeight;
    const sticks = height > 0 && height <= innerHeight * PART;
    panel.classList.toggle("is-sticky", sticks);
    must(panel.parentElement, "form").style.setProperty("--covered", `${sticks ? height : 0}px`);
  };
  new ResizeObserver(judge).observe(panel);
  addEventListener("resize", judge);
}

customElements.define("gan-step", Step);
customElements.define("gan-group", Group);
customElements.define("gan-data", DataPicker);
customElements.define("gan-recipe", RecipePicker);
customElements.define("gan-time", TimePicker);
customElements.define("gan-gpus", Gpus);
customElements.define("gan-answer", Answer);
