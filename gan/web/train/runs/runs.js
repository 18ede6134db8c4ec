// The list of runs at the end of the stage. The reader can show, rename, delete or unqueue a run. Each poll
// brings the running, the queued and the newest runs. "Show more" requests older ones, and repeats that when
// they change.
import { request } from "../../core/api.js";
import { accessNow, isVisitor } from "../../core/control.js";
import { CONTROL } from "../../core/events.js";
import { find, h, setText } from "../../core/dom.js";
import { fileSize } from "../../core/format.js";
import { refusal, sentence, t } from "../../core/i18n.js";
import { view } from "../../shell/run-feed.js";
import { Arrival } from "./arrival.js";
import { RunRow } from "./run-row.js";

const NEARLY = 0.9; // share of the disk quota from which the line warns
const SAY_FOR = 4000; // ms
const PAGE = 60; // runs for each press on "Show more"
const LOST = 5; // runs that could not be restored and that are named
const FULL = "runs.disk_full"; // on a full disk, leaving the queue may need more space than there is

export class Runs {
  /** By id. @type {Map<string, RunRow>} */
  rows = new Map();
  /**
   * The older runs that the page holds, and how many it asked for.
   * @type {{runs: RunEntry[], version: string, wanted: number}}
   */
  older = { runs: [], version: "", wanted: 0 };
  wanted = 0; // of the older runs
  fetching = false;
  failed = false;
  /** The last answer. @type {[Poll, RunEntry[]] | undefined} */
  last;
  // On the screen:
  /** @type {RunEntry[] | undefined} */
  newest;
  /** @type {Runs["older"] | undefined} */
  held;
  state = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  saying;

  constructor() {
    this.count = h("span");
    this.items = h("ul", { class: "tr-runs" });

    this.shown = h("span");
    this.button = h(
      "button",
      { type: "button", class: "tr-button", onclick: () => this.showMore() },
      t("stage.runs_more"),
    );
    this.foot = h("p", { class: "tr-foot", hidden: true }, this.shown, this.button);
    this.note = h("p", { class: "tr-told", role: "status" });
    this.storage = h("p", { class: "tr-storage" });
    this.kept = h("p", { class: "tr-kept" });
    this.arrival = new Arrival((text, bad) => this.say(text, bad));
    this.element = h(
      "details",
      { class: "tr-more tr-list" },
      h("summary", {}, t("stage.runs"), " ", this.count),
      this.items,
      this.foot,
      this.arrival.element,
      this.note,
      this.storage,
      this.kept,
    );
    addEventListener(CONTROL, () => {
      this.state = ""; // the buttons of the rows depend on it
      if (this.last) this.show(...this.last);
    });
  }

  /**
   * @param {Poll} poll
   * @param {RunEntry[]} newest
   */
  update(poll, newest) {
    setText(this.count, `(${poll.total})`);
    this.showStorage(poll.storage);
    this.showKept(poll.kept);
    this.last = [poll, newest];
    const fresh = this.older.wanted === this.wanted && (!this.wanted || this.older.version === poll.older);
    if (fresh || this.failed) this.show(poll, newest);
    else this.fetch(); // before showing, because a run that moved between the lists would vanish for a moment
  }

  /** Request the older runs, and show all. If that fails, the old ones stay for some seconds. */
  async fetch() {
    if (this.fetching) return;
    this.fetching = true;
    const { wanted } = this;
    try {
      const { runs, older } = await request("runs/older", { query: { count: wanted } });
      this.older = { runs, version: older, wanted };
    } catch (error) {
      this.failed = true;
      setTimeout(() => {
        this.failed = false;
      }, SAY_FOR);
      this.say(sentence(refusal(error)), true);
    }
    this.fetching = false;
    if (this.last) this.show(...this.last);
  }

  async showMore() {
    const before = this.items.children.length;
    this.wanted = this.older.runs.length + PAGE;
    await this.fetch();
    const lost = document.activeElement === document.body || document.activeElement === this.button;
    if (this.foot.hidden && lost)
      this.items.children[before]?.querySelector("button")?.focus({ preventScroll: true });
  }

  /**
   * @param {Poll} poll
   * @param {RunEntry[]} newest
   */
  show(poll, newest) {
    const { queue, starts, total } = poll;
    const shown = poll.run?.id;
    const full = poll.blocked?.key === FULL;
    const state = JSON.stringify([shown, queue, starts, total, full, Math.floor(Date.now() / 60000)]);
    if (newest === this.newest && this.older === this.held && state === this.state) return;
    this.newest = newest;
    this.held = this.older;
    this.state = state;
    const known = new Set(newest.map((run) => run.id));
    const runs = newest.concat(this.older.runs.filter((run) => !known.has(run.id)));
    this.foot.hidden = runs.length >= total;
    setText(this.shown, t("stage.runs_of", { shown: runs.length, total }));
    const active = /** @type {HTMLElement} */ (document.activeElement);
    const focused = this.items.contains(active) ? active : null;
    const ids = new Set(runs.map((run) => run.id));
    for (const [id, row] of this.rows) if (!ids.has(id)) this.remove(id, row);
    runs.forEach((run, place) => {
      const row = this.rows.get(run.id) ?? this.add(run);
      if (this.items.children[place] !== row.element)
        this.items.insertBefore(row.element, this.items.children[place] ?? null);
      row.update(run, {
        current: run.id === shown,
        place: queue.indexOf(run.id),
        seconds: starts[run.id],
        full,
      });
    });
    // Moving the row has taken the focus away.
    if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  }

  /** @param {RunEntry} run */
  add(run) {
    const { id } = run;
    const row = new RunRow(run, {
      choose: () => this.choose(id),
      say: (text, bad = false) => this.say(text, bad),
    });
    this.rows.set(id, row);
    return row;
  }

  /**
   * Remove a run's row. If it has the focus, the next row gets it.
   * @param {string} id
   * @param {RunRow} row
   */
  remove(id, row) {
    const next = row.element.nextElementSibling ?? row.element.previousElementSibling;
    const here = row.element.contains(document.activeElement);
    row.element.remove();
    this.rows.delete(id);
    if (here) (next?.querySelector("button") ?? find(this.element, "summary")).focus();
  }

  /** @param {string} id */
  choose(id) {
    view(id);
    this.element.closest("gan-stage")?.reveal();
  }

  /**
   * Say where the runs are mirrored, or that they are lost when a Space sleeps.
   * @param {Poll["kept"]} kept
   */
  showKept({ mirror, space }) {
    const warns = mirror ? mirror.error || mirror.left_out || Object.keys(mirror.lost).length : space;
    this.kept.classList.toggle("is-full", Boolean(warns));
    setText(this.kept, mirror ? mirrorText(mirror) : space ? t("stage.until_sleep") : "");
  }

  /** @param {Poll["storage"]} storage */
  showStorage({ used, allowed }) {
    const full = allowed > 0 && (used ?? 0) >= NEARLY * allowed;
    this.storage.classList.toggle("is-full", full);
    if (used === null) setText(this.storage, "");
    else
      setText(
        this.storage,
        allowed
          ? t("stage.storage_of", { used: fileSize(used), allowed: fileSize(allowed) })
          : t("stage.storage", { used: fileSize(used) }),
      );
  }

  /** @param {string} text */
  say(text, bad = false) {
    clearTimeout(this.saying);
    setText(this.note, text);
    this.note.classList.toggle("is-bad", bad);
    if (text && !bad) this.saying = setTimeout(() => setText(this.note, ""), SAY_FOR);
  }
}

/** @param {MirrorState} mirror */
function mirrorText({ place, runs, error, left_out: leftOut, lost }) {
  if (isVisitor() && !error) return t("stage.not_mirrored");
  const ids = Object.keys(lost);
  return [
    error ? t("stage.mirror_fault", { reason: sentence(error) }) : t("stage.mirrored", { place, runs }),
    accessNow().visitor && t("stage.mirrored_owner"),
    leftOut && t("stage.mirror_left_out", { runs: leftOut }),
    ...ids.slice(0, LOST).map((run) => t("stage.mirror_lost", { run, reason: sentence(lost[run]) })),
    ids.length > LOST && t("stage.mirror_more_lost", { runs: ids.length - LOST }),
  ]
    .filter(Boolean)
    .join("\n");
}
