// On ZeroGPU: lend a GPU to the run on the screen, one lease after the other while the page is visible.
import { request } from "../../core/api.js";
import { controls, isVisitor } from "../../core/control.js";
import { h, icon, setText } from "../../core/dom.js";
import { greet, visitorHeaders } from "../../core/frame.js";
import { refusal, sentence, t } from "../../core/i18n.js";
import { refresh } from "../../shell/run-feed.js";
import { LeaseChain } from "./lease-chain.js";

/**
 * @param {string} id
 * @param {number} [seconds]
 */
async function askForLease(id, seconds) {
  const headers = await visitorHeaders(window);
  return request(`runs/${id}/lease`, { method: "POST", query: { seconds }, headers });
}

/** Why a chain has ended, as a sentence. @param {any} why */
const reasonOf = (why) => (why.say ? t(why.say) : sentence(why));

/** The panel of a run that trains in leases. */
export class Lease {
  /** @type {?Run} */ run = null;
  chain = new LeaseChain(askForLease, () => !document.hidden);

  constructor() {
    this.seconds = h("input", { type: "number", class: "tr-number", step: "1" });
    this.choice = h("label", {}, h("span", {}, t("lease.seconds")), this.seconds);
    this.note = h("p", { class: "tr-said", role: "status" });
    this.onGpu = this.button("lease", "play", "lease.gpu", () => this.lend(Number(this.seconds.value)));
    this.onCpu = this.button("cpu", "play", "lease.cpu", () => this.goOnCpu());
    this.element = h(
      "div",
      { class: "tr-extend tr-lease needs-control", hidden: true },
      this.note,
      this.choice,
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
    const { busy, ended, driven } = this.chain;
    const works = busy || leases.runs.includes(run.id);
    this.onGpu.disabled = works;
    for (const part of [this.choice, this.onGpu, this.onCpu]) part.hidden = state !== "paused" || works;
    const key = works ? (state === "paused" ? "lease.waits" : "lease.lent") : reason && "lease.ready";
    const why = ended.get(run.id);
    this.say((!works && why && reasonOf(why)) || (key ? t(key) : ""));
    const drives = driven.has(run.id) || (isVisitor() && mine?.includes(run.id));
    if (drives && reason === "lease" && !works && !document.hidden && !ended.has(run.id)) this.lend();
  }

  /** @param {string} text */
  say(text) {
    const { used } = this.chain;
    setText(this.note, used ? `${text} ${t("lease.used", { seconds: used })}`.trim() : text);
  }

  /**
   * Ask for one lease of the run on the screen. Without `seconds`, as many as the chain has, or the server chooses.
   * @param {number} [seconds]
   */
  async lend(seconds) {
    if (!this.run || this.chain.busy) return;
    const { id, status } = this.run;
    await this.chain.lend(id, status.step, seconds);
    const why = this.chain.ended.get(id);
    if (why?.values?.offer) this.seconds.value = String(why.values.offer);
    if (why) this.say(reasonOf(why));
    refresh();
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
