// The view of directions: a strip of pictures for each direction of a family, and the choice of sliders.
import { controls, isVisitor } from "../../../core/control.js";
import { later } from "../../../core/debounce.js";
import { find, h, icon, setText } from "../../../core/dom.js";
import { CHOSEN, CONTROL } from "../../../core/events.js";
import { refusal, sentence, t } from "../../../core/i18n.js";
import { likeness } from "../../families.js";
import { AttributeSearch } from "./attribute-search.js";
import { DirectionRow } from "./direction-row.js";
import { FAMILIES } from "../../../latent/encoding.js";
import { save } from "../../../renderer/pictures.js";
import { button } from "../../../widgets/buttons.js";
import { lively } from "../../../widgets/slider.js";

const SOON = 300; // ms until the view says that it waits, or shows other directions meanwhile
const SETTLE = 200; // ms after the last movement until the strips refresh
const ALIKE = 0.9; // |cosine| from which the view calls two directions alike
const LARGEST = 2 ** 20; // bytes of a file that may be imported

export class View {
  /** @type {DirectionList} */
  list = "attributes";
  /** By id. @type {Map<string, DirectionRow>} */
  rows = new Map();
  all = false;
  /** @type {string | null | undefined} */
  model = null;

  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    this.settle = later(() => this.refresh(), SETTLE);
    this.listen = () => this.show();
    this.chips = FAMILIES.map((name) =>
      h(
        "button",
        { type: "button", class: "xp-chip", value: name, onclick: () => explorer.change({ family: name }) },
        t(`explore.list_${name}`),
      ),
    );
    this.hint = h("p", { class: "xp-hint" });
    this.note = h("p", { class: "xp-hint", role: "status", hidden: true });
    this.again = h(
      "button",
      { type: "button", class: "xp-button", hidden: true, onclick: () => this.show() },
      icon("reset"),
      h("span", {}, t("explore.try_again")),
    );
    this.rest = h("div", { class: "xp-dir-rest", hidden: true });
    this.fixed = h("p", { class: "xp-hint", hidden: true });
    this.rowsList = h("ol", { class: "xp-dirs" });
    this.search = new AttributeSearch(explorer, this.rowsList);
    this.file = h("input", {
      type: "file",
      accept: ".json,application/json",
      hidden: true,
      onchange: () => this.#import(),
    });
    addEventListener(CONTROL, () => this.#allow());
    this.tools = h(
      "div",
      { class: "xp-tools" },
      button("download", "explore.export_list", () => this.#export()),
      button("upload", "explore.import_list", () => this.file.click()),
      button("reset", "explore.reset_list", () => this.explorer.chosen.reset()),
      (this.everybody = button("save", "explore.save_list", () => this.#save(), "needs-control")),
      this.file,
    );
    this.element = h(
      "section",
      { class: "xp-directions", "aria-label": t("explore.view_directions") },
      h("div", { class: "xp-chips", role: "group", "aria-label": t("explore.families") }, this.chips),
      this.hint,
      this.search.element,
      this.note,
      this.again,
      this.rowsList,
      this.fixed,
      this.rest,
      this.tools,
    );
  }

  open() {
    this.explorer.addEventListener(CHOSEN, this.listen);
  }

  close() {
    this.explorer.removeEventListener(CHOSEN, this.listen);
  }

  /** Whether the reader, or the address, has chosen the list. */
  get picked() {
    return this.explorer.point.family !== null;
  }

  /** Another model, or newer weights: more facts may be known now. */
  renew() {
    const { model, chosen } = this.explorer;
    if (this.model !== model?.id) {
      this.rows.clear();
      this.rowsList.replaceChildren();
      Object.assign(this, { model: model?.id, all: false });
      this.search.end();
      // Attributes take the server some seconds. A run that trains would need them again for new weights.
      this.list = this.explorer.point.family ?? (model?.live ? "principal" : "attributes");
    }
    if (chosen.model && chosen.model.id === this.model) this.show();
    else this.#say({ text: t("explore.waking") });
  }

  place() {
    const { family } = this.explorer.point;
    if (family && family !== this.list && this.model) return this.#choose(family);
    for (const row of this.#shown()) row.mark();
    this.settle();
  }

  refresh() {
    for (const row of this.#shown()) row.sheet.refresh();
  }

  #shown() {
    return [...this.rowsList.querySelectorAll("li")]
      .map((element) => this.rows.get(element.dataset.id ?? ""))
      .filter((row) => row !== undefined);
  }

  /** @param {DirectionList} name */
  #choose(name) {
    Object.assign(this, { list: name, all: false });
    this.rowsList.replaceChildren();
    this.rest.hidden = this.fixed.hidden = true;
    this.search.end();
    this.show();
  }

  /**
   * Show PCA's directions while the server searches for attributes, which takes it some seconds.
   * @param {Promise<FoundDirection[]>} searching
   */
  async #meanwhile(searching) {
    this.#choose("principal");
    if (await this.search.follow(searching)) this.#choose("attributes");
  }

  /** Update the list. The server may need some time to find its directions. */
  async show() {
    const { explorer, list, model } = this;
    const { chosen, families } = explorer;
    for (const chip of this.chips) chip.setAttribute("aria-pressed", String(chip.value === list));
    setText(this.hint, t(`explore.list_${list}_hint`));
    this.tools.hidden = list !== "chosen";
    this.#allow();
    setText(find(this.everybody, "span"), t(chosen.isSaved ? "explore.unsave_list" : "explore.save_list"));
    const opens = () => list === "attributes" && list === this.list && model === this.model && !this.picked;
    const wait = setTimeout(() => {
      if (opens()) this.#meanwhile(families.load("attributes"));
      else if (list === this.list)
        this.#say({ text: t(list === "attributes" ? "explore.naming" : "explore.waking") });
    }, SOON);
    try {
      const ids = chosen.ids();
      const known = list === "chosen" ? ids.every((id) => families.about(id)) : families.found[list];
      // Loaded directions update at once, so that the focus stays.
      if (!known) await (list === "chosen" ? families.loadFor(ids) : families.load(list));
      if (list !== this.list || model !== this.model) return;
      const found =
        list === "chosen"
          ? chosen
              .ids()
              .map((id) => families.about(id))
              .filter((direction) => direction !== undefined)
          : (families.found[list] ?? []);
      if (list === "attributes" && !this.picked && !found.some(lively)) {
        this.#choose("principal");
        return;
      }
      this.#fill(found);
      this.#say(null);
    } catch (thrown) {
      const error = refusal(thrown);
      if (!sentence(error)) return;
      if (opens()) this.#meanwhile(Promise.reject(error));
      else if (list === this.list && model === this.model) this.#say(error, true);
    } finally {
      clearTimeout(wait);
    }
  }

  /** @param {FoundDirection[]} directions */
  #fill(directions) {
    const { chosen, families } = this.explorer;
    const own = this.list === "chosen";
    const left = (/** @type {FoundDirection} */ direction) =>
      !own && (!lively(direction) || chosen.hidden.includes(direction.id));
    const shown = directions.filter((direction) => this.all || !left(direction));
    const active = /** @type {HTMLButtonElement} */ (document.activeElement);
    const held = this.rowsList.contains(active) ? active : null;
    const elements = shown.map((direction) => {
      const row = this.rows.get(direction.id) ?? new DirectionRow(this, direction.id);
      this.rows.set(direction.id, row);
      row.update(direction, { own, reason: this.#reason(direction) });
      return row.element;
    });
    if (
      elements.some((element, place) => this.rowsList.children[place] !== element) ||
      this.rowsList.children.length !== elements.length
    ) {
      const at = held ? [...this.rowsList.children].findIndex((element) => element.contains(held)) : -1;
      this.rowsList.replaceChildren(...elements);
      /** @type {NodeListOf<HTMLElement> | undefined} */
      const chips = elements[Math.min(at, elements.length - 1)]?.querySelectorAll(".xp-chip");
      if (held) (held.isConnected && !held.disabled ? held : (chips?.[0] ?? this.chips[0])).focus();
    }
    this.place();
    const more = directions.filter(left).length;
    this.rest.hidden = !more;
    this.rest.replaceChildren(
      h("span", { class: "xp-hint" }, t("explore.left_out", { count: more })),
      h(
        "button",
        {
          type: "button",
          class: "xp-button xp-quiet",
          "aria-pressed": String(this.all),
          onclick: () => this.#all(),
        },
        t(this.all ? "explore.hide_them" : "explore.show_them"),
      ),
    );
    this.fixed.hidden = this.list !== "attributes" || !families.fixed.length;
    setText(
      this.fixed,
      t("explore.fixed", {
        names: families.fixed.map((id) => chosen.name(id, this.#title(id))).join(t("explore.between")),
      }),
    );
    if (!shown.length && !more) this.#empty(own);
  }

  #all() {
    this.all = !this.all;
    this.show();
  }

  /** @param {boolean} own */
  #empty(own) {
    this.rowsList.replaceChildren(
      h("li", { class: "xp-hint" }, t(own ? "explore.no_sliders" : "explore.none_found")),
    );
  }

  /**
   * Why the list leaves a direction out, or which slider moves pictures in the same direction.
   * @param {FoundDirection} direction
   */
  #reason(direction) {
    const { chosen, families } = this.explorer;
    if (direction.dead) return t("explore.dead");
    if (direction.twin) return t("explore.twin", { name: chosen.name(direction.twin) });
    const alike = (/** @type {Float32Array | undefined} */ vector) =>
      vector !== undefined && likeness(vector, direction.vector) > ALIKE;
    const like = chosen.ids().find((id) => id !== direction.id && alike(families.vector(id)));
    return like ? t("explore.twin", { name: chosen.name(like, families.about(like)?.title) }) : "";
  }

  /**
   * The data's name for an attribute that z does not move. No other fact about it is known.
   * @param {string} id
   */
  #title(id) {
    return this.explorer.families.titles[id];
  }

  /** @param {?Refusal} error */
  #say(error, failed = false) {
    setText(this.note, sentence(error));
    this.note.hidden = !error;
    this.again.hidden = !failed;
    if (error) for (const element of [this.rest, this.fixed]) element.hidden = true;
    if (failed) this.rowsList.replaceChildren();
  }

  /**
   * Announce a change to screen readers.
   * @param {string} text
   */
  announce(text) {
    this.note.hidden = false;
    setText(this.note, text);
  }

  /** Visitors of a Space save the list of their own runs only. */
  #allow() {
    this.everybody.hidden = isVisitor() && !controls(this.explorer.point.model?.replace("run:", ""));
  }

  /** Save the list for everybody, or delete the saved one. */
  async #save() {
    const { chosen } = this.explorer;
    this.everybody.disabled = true;
    try {
      await chosen.save((error) => this.announce(sentence(error)));
      await this.show();
      this.announce(t(chosen.isSaved ? "explore.list_saved" : "explore.list_unsaved"));
    } catch (error) {
      this.announce(sentence(refusal(error)));
    } finally {
      this.everybody.disabled = false;
    }
  }

  async #export() {
    const { chosen, families, point } = this.explorer;
    const text = await chosen.exported(families).catch((error) => this.#say(error));
    if (text)
      save(
        new Blob([text], { type: "application/json" }),
        `ganarium-directions-${(point.model ?? "").replace(/[^a-z0-9-]+/gi, "-")}.json`,
      );
  }

  async #import() {
    const [file] = this.file.files ?? [];
    this.file.value = "";
    if (!file) return;
    try {
      if (file.size > LARGEST) throw { text: t("explore.import_wrong") };
      await this.explorer.chosen.imported(await file.text(), this.explorer.families);
      this.announce(t("explore.list_imported", { count: this.explorer.chosen.ids().length }));
    } catch (error) {
      this.announce(sentence(refusal(error)));
    }
  }
}
