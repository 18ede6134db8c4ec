// Work that the server does for this visitor while the page polls it: inverting a picture, dragging points.
import { request } from "../core/api.js";
import { setText } from "../core/dom.js";
import { t } from "../core/i18n.js";

const QUEUE = 1000; // ms between two questions while others come first

/**
 * One piece of work at a time. `route` brings it and `route`/on asks for it, every `beat` ms; `status` tells how many others come first, in the texts
 * explore.<route>_wait and _wait_one. `step(told)` gets each answer, `done(told)` the last, `fail(error)` what went wrong instead; neither is called after `stop`.
 */
export class ServerJob {
  /** @type {?{model: string, name?: string}} */
  #mine = null; // one object for each piece of work; the server's answer gives its `name`

  constructor(explorer, { route, beat, status, step, done, fail }) {
    this.explorer = explorer;
    this.route = route;
    this.beat = beat;
    this.status = status;
    this.step = step;
    this.done = done;
    this.fail = fail;
  }

  get busy() {
    return this.#mine !== null;
  }

  /** Bring work for a model by `send`, which gives the server's answer, and follow it while that model is open; `begun(answer)` comes before the first question. */
  async run(model, send, begun = (_answer) => {}) {
    /** @type {{model: string, name?: string}} */
    const mine = { model };
    this.#mine = mine;
    try {
      const answer = await send();
      mine.name = answer.job;
      if (this.#mine !== mine) return this.#end(mine);
      begun(answer);
      await this.#watch(mine);
    } catch (error) {
      if (this.#mine !== mine) return;
      this.#mine = null;
      this.fail(error);
    }
  }

  /** End the work where it is; whether there was any. */
  stop() {
    const mine = this.#mine;
    this.#mine = null;
    if (mine?.name) this.#end(mine);
    return mine !== null;
  }

  #ask(value) {
    return request(`${this.route}/on`, { method: "POST", value });
  }

  /** The server need not keep it for the seconds until it would notice; it does notice. */
  /** @param {{name?: string}} work */
  #end({ name }) {
    this.#ask({ job: name, end: true }).catch(() => {});
  }

  async #watch(mine) {
    while (this.#mine === mine) {
      const told = await this.#ask({ job: mine.name });
      if (this.#mine !== mine || this.explorer.point.model !== mine.model) return;
      const waiting = told.state === "waiting";
      if (waiting) setText(this.status, t(`explore.${this.route}_wait${told.ahead === 1 ? "_one" : ""}`, { count: told.ahead }));
      else this.step(told);
      if (told.state === "done") {
        this.#mine = null;
        return void this.done(told);
      }
      await new Promise((later) => setTimeout(later, waiting ? QUEUE : this.beat));
    }
  }
}
