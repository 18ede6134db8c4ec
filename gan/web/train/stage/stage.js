// <gan-stage>: one run on the page, built from the server's answers alone.
import { request } from "../../core/api.js";
import { h, must, setText } from "../../core/dom.js";
import { ANSWER, SUBMIT } from "../../core/events.js";
import { clock, device, short, whole } from "../../core/format.js";
import { known, sentence, t } from "../../core/i18n.js";
import { dataName, recipeName } from "../../core/run-name.js";
import { subscribe } from "../../shell/run-feed.js";
import { ofKind } from "../catalogue.js";
import { waiting } from "../runs/run-row.js";
import { Runs } from "../runs/runs.js";
import { Advice } from "./advice.js";
import { Again } from "./again.js";
import { Charts } from "./charts.js";
import { Events } from "./events.js";
import { EyesPanel } from "./eyes/eyes.js";
import { Lease } from "./lease.js";
import { Pace } from "./pace.js";
import { RunControls } from "./run-controls.js";
import { Present } from "./present.js";
import { RunScores } from "./run-scores.js";
import { imagesText, kimgText, SampleGrid } from "./sample-grid.js";
import { TakeAway } from "./take-away.js";

const SCORES = ["modes", "high_quality"]; // the style sheet shows them first
const FACTS = ["elapsed", "eta", "rate", "seen", "device", "parameters", "mirror", ...SCORES];
const ENDED = ["finished", "stopped", "failed"];
// Milliseconds after which "starting" gives way to the old run, if the server does not answer.
const STARTING_FOR = 8000;

class Stage extends HTMLElement {
  verdict = h("p", { class: "tr-verdict", role: "status" });
  why = h("p", { class: "tr-why" });
  subtitle = h("p", { class: "tr-title" });
  offline = h("p", { class: "tr-offline", role: "status", hidden: true }, t("common.offline"));
  fill = h("i");
  bar = h(
    "div",
    {
      class: "tr-bar",
      role: "progressbar",
      "aria-label": t("stage.progress"),
      "aria-valuemin": "0",
      "aria-valuemax": "100",
    },
    this.fill,
  );
  /** @type {Record<string, HTMLElement>} */
  facts = Object.fromEntries(FACTS.map((name) => [name, h("dd")]));
  grid = new SampleGrid();
  charts = new Charts();
  controls = new RunControls();
  scores = new RunScores();
  takeAway = new TakeAway();
  pace = new Pace((minutes) => this.controls.send("more", { amount: minutes }));
  lease = new Lease();
  runs = new Runs();
  events = new Events();
  advice = new Advice();
  again = new Again();
  eyes = new EyesPanel();
  present = new Present();
  lastLines = h("pre", { class: "tr-lines" });
  last = h(
    "details",
    { class: "tr-more tr-last", hidden: true },
    h("summary", {}, t("stage.last_lines")),
    this.lastLines,
  );
  logLines = h("pre", { class: "tr-lines" });
  log = h(
    "details",
    { class: "tr-more", ontoggle: () => this.readLog() },
    h("summary", {}, t("stage.log")),
    this.logLines,
  );
  empty = h(
    "div",
    { class: "tr-empty", hidden: true },
    h("h2", {}, t("stage.empty")),
    h("p", {}, t("stage.empty_hint")),
  );
  body = h("div", { class: "tr-body", hidden: true });
  /** Ends the subscription. @type {(() => void) | null} */ stop = null;
  /** The last answer. @type {?Feed} */ live = null;
  /** Id of the run on the screen. @type {?string} */ runId = null;
  /** When Train was pressed, in ms; 0 after the answer. */ pressed = 0;

  connectedCallback() {
    if (this.firstChild) {
      this.stop ??= subscribe((live) => this.show(live));
      return;
    }
    const facts = FACTS.map((name) => {
      const score = SCORES.includes(name);
      const rare = score || name === "mirror"; // only some runs have it
      const kind = score ? "is-score" : rare && "is-mirror";
      return h("div", { class: kind, hidden: rare }, h("dt"), this.facts[name]);
    });
    this.grid.element.append(this.present.fakes);
    this.grid.moved = (kimg) => this.charts.mark(kimg);
    this.charts.pressed = (kimg) => this.grid.goTo(kimg);
    this.body.append(
      h(
        "div",
        { class: "tr-head" },
        h(
          "div",
          {},
          h("div", { class: "tr-judged" }, this.verdict, this.why),
          this.subtitle,
          this.present.button,
        ),
        this.bar,
      ),
      h("dl", { class: "tr-facts" }, facts),
      h("div", { class: "tr-main" }, this.grid.element, this.present.reals, this.charts.element),
      this.present.formula,
      h("div", { class: "tr-rail" }, this.lease.element, this.controls.element),
      this.advice.element,
      this.pace.element,
      this.events.element,
      this.last,
      this.eyes.element,
      h("div", { class: "tr-after" }, this.again.element, this.scores.element, this.takeAway.element),
      this.log,
    );
    this.append(this.offline, this.empty, this.body, this.runs.element);
    addEventListener(SUBMIT, () => this.announce());
    addEventListener(ANSWER, (event) => this.answered(event.detail));
    this.stop = subscribe((live) => this.show(live));
  }

  disconnectedCallback() {
    this.stop?.();
    this.stop = null;
  }

  /** Fetch the log of the run on the screen, if the reader has opened it. */
  async readLog() {
    if (!this.log.open || !this.runId) return;
    const { lines } = await request(`runs/${this.runId}/log`).catch(() => ({ lines: [] }));
    setText(this.logLines, lines.join("\n") || t("stage.log_empty"));
  }

  /** Train was pressed: show "starting" at once, before the server answers. */
  announce() {
    this.pressed = Date.now();
    this.body.hidden = false;
    this.empty.hidden = true;
    this.setVerdict(t("stage.starting"), "info");
    this.bar.classList.add("is-waiting");
    this.classList.add("is-called");
    setTimeout(() => this.classList.remove("is-called"), 900);
  }

  /** Scroll to the stage's top if it is not visible. */
  reveal() {
    const { top } = this.getBoundingClientRect();
    if (top < 0 || top > innerHeight / 2)
      this.scrollIntoView({
        block: "start",
        behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth",
      });
  }

  /** @param {AnswerDetail} answer */
  answered(answer) {
    this.pressed = 0;
    if (answer?.run) this.reveal(); // only on success: a refusal is shown beside the button
    if (answer?.error && this.live) this.show(this.live);
  }

  /** @param {Feed} live */
  show(live) {
    this.live = live;
    const { poll, runs, stats, offline } = live;
    this.offline.hidden = !offline;
    document.documentElement.dataset.runs = poll.run ? "some" : "none";
    this.runs.update(poll, runs);
    // "starting" stays on the screen instead of the old run.
    if (this.pressed && Date.now() - this.pressed < STARTING_FOR) return;
    this.empty.hidden = Boolean(poll.run);
    this.body.hidden = !poll.run;
    if (poll.run) this.showRun(poll.run, poll, stats);
  }

  /**
   * @param {Run} run
   * @param {Poll} poll
   * @param {RunStats} stats
   */
  showRun(run, poll, stats) {
    const { status, config } = run;
    if (run.id !== this.runId) {
      this.runId = run.id;
      this.last.open = false;
      this.readLog();
    }
    const byStep = stats.id === run.id ? stats.rows : [];
    this.grid.update(run, (step) => kimgAt(step, byStep, status, config));
    if (!run.samples.length)
      this.grid.say(t((run.silent === null && WAITING[status.state]) || "stage.no_grid"));
    this.charts.update(run, stats);
    this.controls.update(run, Boolean(poll.leases) && config?.kind === "images");
    this.scores.update(run);
    this.takeAway.update(run);
    this.lease.update(run, poll);
    this.events.update(run.events);
    this.advice.update(run);
    this.again.update(run);
    this.eyes.update(run);
    this.present.update(run);
    this.pace.update(run, Boolean(poll.leases));
    this.showHead(run, poll);
    this.showFacts(run, byStep.at(-1));
  }

  /**
   * @param {Run} run
   * @param {Poll} poll
   */
  showHead(run, poll) {
    const { status, config } = run;
    const [text, level] = verdictOf(run, poll);
    this.setVerdict(text, level);
    const reason = `why.${status.error ? "" : status.verdict?.key}`;
    setText(this.why, known(reason) ? t(reason) : "");
    const parts = config
      ? [
          dataName(config.data),
          recipeName(config.recipe),
          config.size && t("stage.pixels", { size: config.size }),
          t("stage.seed", { seed: config.seed }),
          status.where && t("stage.in_job", { flavor: status.where.flavor, id: status.where.id }),
        ].filter(Boolean)
      : [run.id];
    setText(this.subtitle, (run.name ? [run.name, ...parts] : parts).join(" · "));
    this.bar.classList.toggle("is-waiting", ["starting", "queued"].includes(status.state));
    this.bar.dataset.state = run.silent === null ? status.state : "silent";
    this.fill.style.width = `${100 * status.progress}%`;
    this.bar.setAttribute("aria-valuenow", String(Math.round(100 * status.progress)));
    this.last.hidden = !run.log.length;
    setText(this.lastLines, run.log.slice(-12).join("\n"));
  }

  /**
   * @param {Run} run
   * @param {StatsRow | undefined} last the newest row of its statistics
   */
  showFacts({ status, silent, config, mirror }, last) {
    // The last figures of a stalled run are outdated.
    const running = status.state === "running" && silent === null;
    const over = ENDED.includes(status.state); // nothing is left, and nothing runs
    const kind = config?.kind;
    const [modes, quality] = [last?.modes ?? null, last?.high_quality ?? null];
    const values = {
      modes: modes === null ? null : t("stage.modes_value", { modes, of: status.modes }),
      high_quality: quality === null ? null : percent(quality),
      elapsed: clock(status.elapsed),
      eta: running ? clock(status.eta) : over ? null : "–",
      rate: over
        ? null
        : status.rate && running
          ? t(ofKind("stage.rate_value", kind), { rate: short(status.rate) })
          : "–",
      seen: t(ofKind("stage.kimg", kind), { images: imagesText(status.images / 1000) }),
      device: device(status.device) ?? "–",
      parameters: status.parameters
        ? t("stage.parameters_value", { g: short(status.parameters.G), d: short(status.parameters.D) })
        : "–",
      mirror: mirror && mirrorText(mirror),
    };
    for (const [name, text] of Object.entries(values)) {
      const fact = this.facts[name];
      must(fact.parentElement, "row of a fact").hidden = text === null; // a score that this run does not have
      setText(fact, text ?? "");
      setText(must(fact.previousElementSibling, "name of a fact"), t(ofKind(`stage.${name}`, kind)));
    }
    this.facts.seen.title = kimgText(status.images / 1000);
  }

  /**
   * @param {string} text
   * @param {string} level
   */
  setVerdict(text, level) {
    setText(this.verdict, text.replaceAll(" %", "\u00a0%")); // a number and its sign stay together
    this.verdict.dataset.level = level;
  }
}

const percent = (/** @type {number} */ share) =>
  new Intl.NumberFormat(document.documentElement.lang, { style: "percent", maximumFractionDigits: 1 }).format(
    share,
  );

/**
 * @param {Verdict} verdict
 * @param {boolean} running
 */
function verdictText({ key, values, sure }, running) {
  const text = t(`verdict.${key}${running ? "" : "_past"}`, values);
  return sure === false ? t("verdict.unsure", { verdict: text }) : text;
}

/** By state. @type {Record<string, string>} */
const WAITING = { queued: "stage.grid_queued", starting: "stage.grid_soon", running: "stage.grid_soon" };

/**
 * @param {Run} run
 * @param {Poll} poll
 */
function verdictOf({ id, status, silent, pausing }, { queue, starts, blocked }) {
  if (status.error && ["failed", "damaged"].includes(status.state)) return [sentence(status.error), "bad"];
  if (status.error && ["paused", "stopped"].includes(status.state)) return [sentence(status.error), "warn"];
  if (status.state === "queued" && blocked)
    return [
      t("stage.blocked", { place: waiting(Math.max(0, queue.indexOf(id))), reason: sentence(blocked) }),
      "warn",
    ];
  if (status.state === "queued")
    return [t("stage.queued", { place: waiting(Math.max(0, queue.indexOf(id)), starts[id]) }), "info"];
  if (pausing && silent === null) return [t("stage.pausing"), "info"];
  if (silent !== null) return [t(`stage.silent_${status.state}`, { seconds: whole(silent) }), "warn"];
  if (status.where && status.error) return [t("stage.job_fault", { reason: sentence(status.error) }), "warn"];
  if (status.where && status.state === "starting")
    return [t(status.where.stage === "SCHEDULING" ? "stage.job_waits" : "stage.job_starts"), "info"];
  if (status.state === "starting") return [t("stage.starting"), "info"];
  const running = status.state === "running";
  const judged = status.verdict ? verdictText(status.verdict, running) : "";
  if (running) return [judged || t("stage.starting"), status.verdict?.level ?? "info"];
  return [
    `${t(`stage.is_${status.state}`)} ${judged}`.trim(),
    status.state === "finished" ? (status.verdict?.level ?? "good") : "info",
  ];
}

/**
 * kimg at a step, from the nearest statistics, else from the batch size.
 * @param {number} step
 * @param {StatsRow[]} rows
 * @param {RunStatus} status
 * @param {?RunConfig} config
 */
function kimgAt(step, rows, status, config) {
  const row = rows.find((one) => one.step >= step);
  if (row && row.step === step) return row.images / 1000;
  if (status.step > 0) return ((step / status.step) * status.images) / 1000;
  return config ? (step * config.batch) / 1000 : null;
}

customElements.define("gan-stage", Stage);

/** @param {NonNullable<Run["mirror"]>} mirror */
function mirrorText({ step, error }) {
  if (error) return t("stage.mirror_none", { reason: sentence(error) });
  return step === null ? t("stage.mirror_not_yet") : t("stage.mirror_step", { step: whole(step) });
}
