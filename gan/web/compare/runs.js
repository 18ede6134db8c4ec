// The runs of a chart: a list with a box each, and the letter and colour of those that are chosen.
import { request } from "../core/api.js";
import { h, setText } from "../core/dom.js";
import { ago, short } from "../core/format.js";
import { refusal, sentence, t } from "../core/i18n.js";
import { dataName, numbered, recipeName } from "../core/run-name.js";
import { ofKind } from "../train/catalogue.js";
import { MOST_RUNS } from "./state.js";

const PAGE = 30; // older runs for each press of "Show more"

/** The letter of a run by its place among the colours. @param {number} slot */
export const letterOf = (slot) => String.fromCharCode(65 + slot);

/** Letters and colours of the chosen runs. A run keeps its own while it is chosen. */
export class Slots {
  /** @type {Map<string, number>} */
  taken = new Map();

  /** @param {string[]} ids */
  choose(ids) {
    for (const id of this.taken.keys()) if (!ids.includes(id)) this.taken.delete(id);
    for (const id of ids) {
      if (this.taken.has(id)) continue;
      const used = new Set(this.taken.values());
      this.taken.set(id, [...Array(MOST_RUNS).keys()].find((slot) => !used.has(slot)) ?? 0);
    }
  }

  /** @param {string} id */
  of(id) {
    return this.taken.get(id) ?? 0;
  }
}

/**
 * What a run is called here.
 * @param {{id: string, name: string | null, number?: number, data: string | null | undefined}} run
 */
export const titleOf = (run) => run.name ?? (numbered(run) || run.id);

/**
 * The facts that tell runs of one name apart.
 * @param {RunEntry} run
 */
const factsOf = (run) =>
  [
    run.name && run.data && dataName(run.data),
    run.recipe && recipeName(run.recipe),
    run.images ? t(ofKind("stage.kimg", run.kind ?? undefined), { images: short(run.images) }) : null,
    t(`state.${run.silent ? "silent" : run.state}`),
    ago(run.created),
  ]
    .filter(Boolean)
    .join(" · ");

export class Picker {
  /** @type {RunEntry[]} */ newest = [];
  /** @type {RunEntry[]} */ older = [];
  /** @type {Map<string, {element: HTMLElement, box: HTMLInputElement, badge: HTMLElement, name: HTMLElement, facts: HTMLElement}>} */
  rows = new Map();
  /** @type {string[]} */ chosen = [];
  total = 0;

  /**
   * @param {Slots} slots
   * @param {(ids: string[]) => void} choose
   */
  constructor(slots, choose) {
    this.slots = slots;
    this.choose = choose;
    this.count = h("span");
    this.items = h("ul", { class: "cm-runs" });
    this.note = h("p", { class: "cm-note", role: "status" });
    this.more = h(
      "button",
      { type: "button", class: "cm-button", hidden: true, onclick: () => this.showMore() },
      t("stage.runs_more"),
    );
    this.element = h(
      "details",
      { class: "cm-picker", open: true },
      h("summary", {}, t("compare.runs"), " ", this.count),
      this.items,
      this.more,
      this.note,
    );
  }

  async showMore() {
    try {
      const { runs } = await request("runs/older", { query: { count: this.older.length + PAGE } });
      this.older = runs;
      setText(this.note, "");
    } catch (error) {
      setText(this.note, sentence(refusal(error)));
    }
    this.draw();
  }

  /**
   * @param {RunEntry[]} newest
   * @param {number} total
   * @param {string[]} chosen
   */
  update(newest, total, chosen) {
    Object.assign(this, { newest, total, chosen });
    this.draw();
  }

  draw() {
    const known = new Set(this.newest.map(({ id }) => id));
    const runs = [...this.newest, ...this.older.filter(({ id }) => !known.has(id))].filter(
      ({ state }) => state !== "damaged",
    );
    const ids = new Set(runs.map(({ id }) => id));
    for (const [id, row] of this.rows)
      if (!ids.has(id)) {
        row.element.remove();
        this.rows.delete(id);
      }
    const full = this.chosen.length >= MOST_RUNS;
    runs.forEach((run, place) => {
      const row = this.rows.get(run.id) ?? this.add(run.id);
      const on = this.chosen.includes(run.id);
      if (this.items.children[place] !== row.element)
        this.items.insertBefore(row.element, this.items.children[place] ?? null);
      row.box.checked = on;
      row.box.disabled = full && !on;
      setText(row.badge, on ? letterOf(this.slots.of(run.id)) : "");
      row.badge.style.background = on ? `var(--run-${this.slots.of(run.id)})` : "";
      setText(row.name, titleOf(run));
      setText(row.facts, factsOf(run));
    });
    this.more.hidden = this.newest.length + this.older.length >= this.total;
    setText(this.count, t("compare.chosen", { count: this.chosen.length, most: MOST_RUNS }));
  }

  /** @param {string} id */
  add(id) {
    const box = h("input", { type: "checkbox", onchange: () => this.toggle(id) });
    const [badge, name, facts] = [h("b", { class: "cm-badge" }), h("strong"), h("small")];
    const element = h("li", {}, h("label", {}, box, badge, h("span", {}, name, facts)));
    const row = { element, box, badge, name, facts };
    this.rows.set(id, row);
    return row;
  }

  /** @param {string} id */
  toggle(id) {
    const on = this.rows.get(id)?.box.checked;
    const others = this.chosen.filter((one) => one !== id);
    this.choose(on ? [...others, id] : others);
  }
}
