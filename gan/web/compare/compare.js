// <gan-compare>: the curves of several runs in the same charts.
import { request } from "../core/api.js";
import { latest } from "../core/debounce.js";
import { h, setText } from "../core/dom.js";
import { THEME } from "../core/events.js";
import { refusal, sentence, t } from "../core/i18n.js";
import { readHash, writeHash } from "../core/url.js";
import { subscribe } from "../shell/run-feed.js";
import { Chart, statName, View } from "./chart.js";
import { converted, groupedBySeed, meanOf, sharedOf, smoothed } from "./curves.js";
import { Grids } from "./grids.js";
import { SettingsTable } from "./settings.js";
import { letterOf, Picker, Slots, titleOf } from "./runs.js";
import * as address from "./state.js";

/** @typedef {import("./chart.js").Line} Line */

const FIRST = 2; // runs that a visitor without a link sees
const LIVE = ["starting", "running"];
const STARTED = [...LIVE, "paused", "finished", "stopped", "failed"];

class GanCompare extends HTMLElement {
  built = false;
  state = address.usual();
  /** Whether a link or the visitor has chosen the runs. */
  decided = false;
  /** What can't be shown, as sentences. @type {Map<string, string>} */
  notes = new Map();
  /** Ids that are named, and that no run has. @type {string[]} */
  unknown = [];
  slots = new Slots();
  view = new View();
  /** The answers of the server. @type {Map<string, RunCurves>} */
  held = new Map();
  /** States in the last list, by id. @type {Map<string, string>} */
  states = new Map();
  /** @type {?Feed} */
  feed = null;
  /** Whether the server did not answer. */
  failing = false;
  picker = new Picker(this.slots, (ids) => this.choose(ids));
  told = h("p", { class: "cm-told", role: "status", hidden: true });
  legend = h("p", { class: "cm-legend" });
  charts = h("div", { class: "cm-charts" });
  omitted = h("p", { class: "cm-note", hidden: true });
  grids = new Grids(() => this.view.draw());
  settings = new SettingsTable();
  empty = h("p", { class: "cm-empty", hidden: true }, t("compare.empty"));
  back = h(
    "button",
    { type: "button", class: "cm-button", hidden: true, onclick: () => this.view.scale(null) },
    t("stage.unzoom"),
  );
  weight = h("output");
  smooth = h("input", {
    type: "range",
    min: "0",
    max: String(address.MOST_SMOOTH),
    step: "0.01",
    class: "cm-range",
    "aria-label": t("compare.smooth"),
    oninput: () => this.changed(),
  });
  axis = h(
    "select",
    { class: "cm-select", "aria-label": t("compare.axis"), onchange: () => this.changed() },
    address.AXES.map((name) => h("option", { value: name }, t(`compare.axis_${name}`))),
  );
  log = h("input", { type: "checkbox", onchange: () => this.changed() });
  mean = h("input", { type: "checkbox", onchange: () => this.changed() });
  seeds = h("label", { hidden: true }, this.mean, t("compare.mean"));
  fetch = latest(() => this.read());

  connectedCallback() {
    if (this.built) return;
    this.built = true;
    const bar = h(
      "div",
      { class: "cm-bar" },
      h("label", {}, t("compare.axis"), this.axis),
      h("label", { class: "cm-smooth" }, t("compare.smooth"), this.smooth, this.weight),
      h("label", {}, this.log, t("compare.log")),
      this.seeds,
      this.back,
    );
    this.append(
      this.picker.element,
      h(
        "div",
        { class: "cm-main" },
        this.told,
        bar,
        this.legend,
        this.empty,
        this.grids.element,
        this.charts,
        this.omitted,
        this.settings.element,
      ),
    );
    if (innerWidth <= 720) this.picker.element.open = false;
    this.view.moved = () => this.moved();
    addEventListener(THEME, () => this.view.draw());
    new MutationObserver(() => this.view.draw()).observe(document.documentElement, {
      attributeFilter: ["data-theme"],
    });
    addEventListener("hashchange", () => this.adopt());
    this.adopt();
    subscribe((feed) => this.follow(feed));
    new IntersectionObserver(() => this.fetch()).observe(this); // the tab has been opened
  }

  /** Show what the address says, if it says something. */
  adopt() {
    const hash = readHash();
    if (!address.addressed(hash)) return;
    const { state, wrong, faults } = address.parsed(hash);
    this.decided = state.runs.length > 0;
    this.state = this.decided ? state : { ...state, runs: this.state.runs };
    this.notes.clear();
    this.unknown = wrong;
    for (const { key, values } of faults) this.notes.set(`${key}${values.name ?? ""}`, t(key, values));
    this.begin();
  }

  /** @param {Partial<address.State>} changes */
  set(changes) {
    Object.assign(this.state, changes);
    this.notes.clear();
    this.unknown = [];
    const hash = readHash();
    address.write(this.state, hash);
    hash.set("tab", "compare");
    writeHash(hash);
    this.begin();
  }

  /** A control has changed. */
  changed() {
    this.set({
      axis: address.AXES[this.axis.selectedIndex],
      smooth: Number(this.smooth.value),
      log: this.log.checked,
      mean: this.mean.checked,
    });
  }

  /** @param {string[]} ids */
  choose(ids) {
    this.decided = true;
    this.set({ runs: ids });
  }

  /** Show the state on the page, and fetch what is missing for it. */
  begin() {
    const { runs, axis, smooth, log, mean } = this.state;
    this.slots.choose(runs);
    for (const id of this.held.keys()) if (!runs.includes(id)) this.held.delete(id);
    this.axis.value = axis;
    this.smooth.value = String(smooth);
    setText(this.weight, smooth.toFixed(2));
    this.log.checked = log;
    this.mean.checked = mean;
    if (this.view.axis !== axis) Object.assign(this.view, { axis, zoom: null, hover: null });
    this.view.log = log;
    if (this.feed) this.picker.update(this.feed.runs, this.feed.poll.total, runs);
    this.show();
    this.fetch();
  }

  /** @param {Feed} feed */
  follow(feed) {
    this.feed = feed;
    if (!this.decided && !this.state.runs.length) {
      const begun = feed.runs.filter(({ state }) => STARTED.includes(state)).slice(0, FIRST);
      this.state.runs = begun.map(({ id }) => id);
      if (begun.length) this.begin();
    }
    this.picker.update(feed.runs, feed.poll.total, this.state.runs);
    const states = new Map(feed.runs.map((run) => [run.id, `${run.state} ${run.name}`]));
    const changed = this.state.runs.some((id) => states.get(id) !== this.states.get(id));
    this.states = states;
    const live = this.state.runs.some((id) => LIVE.includes(this.held.get(id)?.state ?? ""));
    if (changed || live || this.failing) this.fetch();
  }

  /** Fetch the runs that are missing, that train, or whose state has changed. */
  async read() {
    if (!this.offsetParent || document.hidden) return;
    const wanted = [...this.state.runs];
    const answers = await Promise.all(
      wanted.map((id) =>
        request(`runs/${id}/curves`, { query: { version: this.held.get(id)?.version } }).catch(refusal),
      ),
    );
    /** @type {string[]} */
    const gone = [];
    let fresh = false;
    this.failing = false;
    answers.forEach((answer, index) => {
      const id = wanted[index];
      if (!this.state.runs.includes(id)) return;
      if ("axes" in answer) {
        this.held.set(id, answer);
        fresh = true;
      } else if ("key" in answer && answer.key === "runs.unknown") gone.push(id);
      else if (!("version" in answer)) {
        this.failing = true;
        this.notes.set("offline", sentence(answer));
      }
    });
    if (!this.failing && this.notes.delete("offline")) fresh = true;
    if (gone.length) this.drop(gone);
    else if (fresh || this.failing) this.show();
  }

  /** Leave out runs that do not exist, and say so. @param {string[]} ids */
  drop(ids) {
    this.state.runs = this.state.runs.filter((id) => !ids.includes(id));
    this.unknown = [...this.unknown, ...ids];
    this.begin();
  }

  /** The runs that have arrived, in the order of their letters. */
  runs() {
    return this.state.runs
      .map((id) => this.held.get(id))
      .filter((run) => run !== undefined)
      .sort((a, b) => this.slots.of(a.id) - this.slots.of(b.id));
  }

  show() {
    const runs = this.runs();
    const gone = this.unknown.length && t("compare.unknown_runs", { runs: address.shortened(this.unknown) });
    const text = [...this.notes.values(), gone].filter(Boolean).join(" ");
    this.told.hidden = !text;
    setText(this.told, text);
    this.empty.hidden = this.state.runs.length > 0;
    const groups = groupedBySeed(runs);
    const grouped = groups.some((group) => group.length > 1);
    this.seeds.hidden = !grouped && !this.state.mean;
    this.settings.update(runs, (run) => this.badge(run));
    this.showLegend(this.state.mean ? groups : runs.map((run) => [run]));
    const { shared, others } = sharedOf(
      runs.filter((run) => run.axes.step.length).map(({ values }) => values),
    );
    this.omitted.hidden = !others.length;
    setText(this.omitted, t("compare.omitted", { names: others.map(statName).join(", ") }));
    this.showCharts(shared, this.state.mean ? groups : runs.map((run) => [run]));
  }

  /** A run's letter in its colour. @param {RunCurves} run */
  badge({ id }) {
    const slot = this.slots.of(id);
    return h("b", { class: "cm-badge", style: `background: var(--run-${slot})` }, letterOf(slot));
  }

  /** @param {RunCurves[][]} groups */
  showLegend(groups) {
    this.legend.replaceChildren(
      ...groups.map((group) => {
        const title = titleOf({ ...group[0], data: group[0].config?.data });
        const seed = group[0].config?.seed;
        const detail =
          group.length > 1
            ? t("compare.seeds", { count: group.length })
            : seed === undefined
              ? ""
              : t("stage.seed", { seed });
        const state = t(`state.${group[0].silent === null ? group[0].state : "silent"}`);
        return h("span", {}, this.badge(group[0]), [title, detail, state].filter(Boolean).join(" · "));
      }),
    );
  }

  /**
   * @param {string[]} fields
   * @param {RunCurves[][]} groups
   */
  showCharts(fields, groups) {
    const { view } = this;
    const before = new Map(view.charts.map((chart) => [chart.field, chart]));
    view.charts = fields.map((field) => before.get(field) ?? new Chart(view, field));
    if (
      view.charts.some((chart, place) => this.charts.children[place] !== chart.element) ||
      before.size !== fields.length
    )
      this.charts.replaceChildren(...view.charts.map(({ element }) => element));
    for (const chart of view.charts)
      chart.lines = groups
        .filter(([run]) => run.axes.step.length)
        .map((group) => this.line(chart.field, group));
    view.draw();
  }

  /**
   * One run, or the mean of several that differ in the seed.
   * @param {string} field
   * @param {RunCurves[]} group
   * @returns {Line}
   */
  line(field, group) {
    const { axis, smooth: weight } = this.state;
    const slot = this.slots.of(group[0].id);
    const letter = letterOf(slot);
    const flags = group[0].changes.map(({ step }) =>
      converted(group[0].axes.step, group[0].axes[axis], step),
    );
    const curves = group.map(({ axes, values, means }) => ({
      x: axes[axis],
      y: smoothed((means ?? values)[field], weight),
    }));
    if (group.length > 1) {
      const { x, mean, low, high } = meanOf(curves);
      return {
        letter,
        slot,
        raw: null,
        smooth: { x, y: mean },
        band: [
          { x, y: low },
          { x, y: high },
        ],
        flags,
      };
    }
    const raw = { x: curves[0].x, y: group[0].values[field] };
    return weight
      ? { letter, slot, raw, smooth: curves[0], band: null, flags }
      : { letter, slot, raw: null, smooth: raw, band: null, flags };
  }

  /** Zoom or cursor have moved: show the grids there, and where the grids are in the charts. */
  moved() {
    const { view, grids } = this;
    const { axis } = this.state;
    this.back.hidden = !view.zoom;
    const runs = this.runs();
    const { hover } = view;
    const stepOf = (/** @type {RunCurves} */ run) =>
      hover === null ? grids.stepOf(run) : converted(run.axes[axis], run.axes.step, hover);
    grids.update(runs, (run) => this.badge(run), stepOf);
    const back = hover === null && grids.progress < 1 ? runs : [];
    view.grids = new Map(
      back.map((run) => [
        letterOf(this.slots.of(run.id)),
        converted(run.axes.step, run.axes[axis], stepOf(run)),
      ]),
    );
  }
}

customElements.define("gan-compare", GanCompare);
