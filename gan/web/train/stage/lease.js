// On ZeroGPU: lend a GPU to the run on the screen, one lease after the other while the page is visible.
import { request } from "../../core/api.js";
import { controls, isVisitor } from "../../core/control.js";
import { h, icon, setText } from "../../core/dom.js";
import { greet, visitorHeaders } from "../../core/frame.js";
import { refusal, sentence, t } from "../../core/i18n.js";
import { refresh } from "../../shell/run-feed.js";

/** The panel of a run that trains in leases. */
export class Lease {
  /** @type {?Run} */ run = null;
  /** Whether this page waits for the end of a lease. */ busy = false;
  /** Seconds of the leases that this page has asked for. */ used = 0;
  /** Runs that this page drives. @type {Set<string>} */ driven = new Set();
  /** Runs whose chain has ended, and why. @type {Map<string, string>} */ ended = new Map();

  constructor() {
    this.seconds = h("input", { type: "number", class: "tr-number", step: "1" });
    this.note = h("p", { class: "tr-said", role: "status" });
    this.onGpu = this.button("lease", "play", "lease.gpu", () => this.lend(Number(this.seconds.value)));
    this.onCpu = this.button("cpu", "play", "lease.cpu", () => this.goOnCpu());
    this.element = h(
      "div",
      { class: "tr-extend tr-lease needs-control", hidden: true },
      this.note,
      h("label", {}, h("span", {}, t("lease.seconds")), this.seconds),
      this.onGpu,
      this.onCpu,
    );
    greet(window);
  }

  /**
   * @param {string} command
   * @param {string} sign
   * @param {string} text
   * @param {() => void} act
   */
  button(command, sign, text, act) {
    const attributes = { type: "button", class: "tr-button", "data-command": command, onclick: act };
    return h("button", attributes, icon(sign), h("span", {}, t(text)));
  }

  /**
   * @param {Run} run
   * @param {Poll} poll
   */
  update(run, { leases, mine }) {
    const { state, reason, error } = run.status;
    const offered = leases && run.config?.kind === "images" && controls(run.id);
    this.element.hidden = !offered || !["starting", "running", "paused"].includes(state);
    if (!offered) return;
    if (run.id !== this.run?.id) {
      this.seconds.min = String(leases.least);
      this.seconds.max = String(leases.most);
      this.seconds.value = String(error?.values?.offer ?? leases.usual);
    }
    this.run = run;
    const works = this.busy || leases.runs.includes(run.id);
    this.onGpu.disabled = works;
    this.onGpu.hidden = this.onCpu.hidden = state !== "paused" || works;
    const key = works ? (state === "paused" ? "lease.waits" : "lease.lent") : reason && "lease.ready";
    this.say((!works && this.ended.get(run.id)) || (key ? t(key) : ""));
    const drives = this.driven.has(run.id) || (isVisitor() && mine?.includes(run.id));
    if (drives && reason === "lease" && !works && !document.hidden && !this.ended.has(run.id)) this.lend();
  }

  /** @param {string} text */
  say(text) {
    setText(this.note, this.used ? `${text} ${t("lease.used", { seconds: this.used })}`.trim() : text);
  }

  /**
   * Ask for one lease of the run on the screen. Without `seconds` the server chooses them.
   * @param {number} [seconds]
   */
  async lend(seconds) {
    if (!this.run || this.busy) return;
    const { id, status } = this.run;
    this.busy = true;
    this.driven.add(id);
    this.ended.delete(id);
    try {
      const headers = await visitorHeaders(window);
      const answer = await request(`runs/${id}/lease`, { method: "POST", query: { seconds }, headers });
      this.used += answer.seconds;
      // A chain of such leases would use up the quota for nothing.
      if (answer.reason === "lease" && answer.step === status.step) this.stop(id, t("lease.no_step"));
    } catch (thrown) {
      const error = refusal(thrown);
      if (error.values?.offer) this.seconds.value = String(error.values.offer);
      this.stop(id, sentence(refusal(error)));
    }
    this.busy = false;
    refresh();
  }

  /**
   * End the chain of a run: the reader decides how it goes on.
   * @param {string} id
   * @param {string} why
   */
  stop(id, why) {
    this.ended.set(id, why);
    this.say(why);
  }

  async goOnCpu() {
    if (!this.run) return;
    try {
      await request(`runs/${this.run.id}/cpu`, { method: "POST" });
      refresh();
    } catch (error) {
      this.say(sentence(refusal(error)));
    }
  }
}
