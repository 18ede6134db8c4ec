// The leases that this page asks for, one after the other. It knows neither the page's elements nor routes.
import { refusal } from "../../core/i18n.js";

const AGAIN = 3000; // ms until the next question to a server that lends as many GPUs as it can; up to twice that

/** @typedef {{state: string, reason: ?string, step: number, seconds: number}} Lent */

export class LeaseChain {
  /** Whether this page waits for the end of a lease. */ busy = false;
  /** Seconds of the leases that this page has asked for. */ used = 0;
  /** Runs that this page drives, with the seconds that somebody chose. @type {Map<string, number | undefined>} */
  driven = new Map();
  /** Runs whose chain has ended, and why. @type {Map<string, any>} */ ended = new Map();

  /**
   * @param {(id: string, seconds?: number) => Promise<Lent>} request asks the server for one lease
   * @param {() => boolean} wanted whether the page is visible
   * @param {(ms: number) => Promise<unknown>} pause
   */
  constructor(request, wanted, pause = (ms) => new Promise((later) => setTimeout(later, ms))) {
    this.request = request;
    this.wanted = wanted;
    this.pause = pause;
  }

  /**
   * Ask for one lease of a run at this step. Its chain ends with an error, or where the lease made no step.
   * @param {string} id
   * @param {number} step
   * @param {number} [seconds] for this lease and those after it; without them the server chooses
   */
  async lend(id, step, seconds = this.driven.get(id)) {
    if (this.busy) return;
    this.busy = true;
    this.driven.set(id, seconds);
    this.ended.delete(id);
    try {
      const lent = await this.#ask(id, seconds);
      this.used += lent?.seconds ?? 0;
      // A chain of such leases would use up the quota for nothing.
      if (lent?.reason === "lease" && lent.step === step) this.#end(id, { say: "lease.no_step" });
    } catch (error) {
      this.#end(id, error);
    }
    this.busy = false;
  }

  /**
   * Return the end of a lease, or null where the page was hidden before it began. A server that is too busy
   * is asked again, at random times, so that all pages have the same chance.
   * @param {string} id
   * @param {number | undefined} seconds
   */
  async #ask(id, seconds) {
    while (this.wanted()) {
      try {
        return await this.request(id, seconds);
      } catch (error) {
        if (refusal(error).key !== "ui.busy") throw error;
      }
      await this.pause(AGAIN * (1 + Math.random()));
    }
    return null;
  }

  /**
   * End the chain of a run: the reader decides how it goes on.
   * @param {string} id
   * @param {unknown} why
   */
  #end(id, why) {
    this.driven.set(id, undefined);
    this.ended.set(id, why);
  }
}
