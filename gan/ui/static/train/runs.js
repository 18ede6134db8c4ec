// The list of runs, folded at the end of the stage: choose any to look at it, rename it, delete it, or take it out of the queue.
import { fileSize, h, setText, t } from "../common.js";
import { view } from "../live.js";
import { Row } from "./row.js";

const NEARLY = 0.9; // of what the runs may take: from here on it is said in another colour
const SAY_FOR = 4000; // ms

export class Runs {
  constructor() {
    this.rows = new Map();
    this.count = h("span");
    this.items = h("ul", { class: "tr-runs" });
    this.note = h("p", { class: "tr-told", role: "status" });
    this.storage = h("p", { class: "tr-storage" });
    this.element = h("details", { class: "tr-more tr-list" }, h("summary", {}, t("stage.runs"), " ", this.count), this.items, this.note, this.storage);
  }

  update(poll, runs) {
    this.element.hidden = !runs.length;
    setText(this.count, `(${runs.length})`);
    this.showStorage(poll.storage);
    const { queue, starts } = poll;
    const shown = poll.run?.id;
    const state = JSON.stringify([shown, queue, starts, Math.floor(Date.now() / 60000)]);
    if (runs === this.runs && state === this.state) return;
    Object.assign(this, { runs, state });
    const ids = new Set(runs.map((run) => run.id));
    for (const [id, row] of this.rows) if (!ids.has(id)) this.remove(id, row);
    runs.forEach((run, place) => {
      const row = this.rows.get(run.id) ?? this.add(run.id);
      if (this.items.children[place] !== row.element) this.items.insertBefore(row.element, this.items.children[place] ?? null);
      row.update(run, { current: run.id === shown, place: queue.indexOf(run.id), seconds: starts[run.id] });
    });
  }

  add(id) {
    const row = new Row(id, { choose: () => this.choose(id), say: (text, bad) => this.say(text, bad) });
    this.rows.set(id, row);
    return row;
  }

  /** A run that is gone. Where the reader was on its row, they find themselves on the next one. */
  remove(id, row) {
    const next = row.element.nextElementSibling ?? row.element.previousElementSibling;
    const here = row.element.contains(document.activeElement);
    row.element.remove();
    this.rows.delete(id);
    if (here) (next?.querySelector("button") ?? this.element.firstChild).focus();
  }

  choose(id) {
    view(id);
    this.element.closest("gan-stage")?.reveal();
  }

  showStorage({ used, allowed }) {
    const full = allowed > 0 && used >= NEARLY * allowed;
    this.storage.classList.toggle("is-full", full);
    if (used === null) setText(this.storage, "");
    else setText(this.storage, allowed ? t("stage.storage_of", { used: fileSize(used), allowed: fileSize(allowed) }) : t("stage.storage", { used: fileSize(used) }));
  }

  say(text, bad = false) {
    clearTimeout(this.saying);
    setText(this.note, text);
    this.note.classList.toggle("is-bad", bad);
    if (text && !bad) this.saying = setTimeout(() => setText(this.note, ""), SAY_FOR);
  }
}
