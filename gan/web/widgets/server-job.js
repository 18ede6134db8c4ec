// Work that the server does for this visitor while the page polls it: searching for a picture, dragging
// points.
import { patiently, request } from "../core/api.js";
import { setText } from "../core/dom.js";
import { refusal, sentence, t } from "../core/i18n.js";

const QUEUE = 1000; // ms between two requests while other jobs go first

/** @typedef {{model: string, name?: string}} Work */
/**
 * The first answer to new work; `target` is the picture that Find searches for.
 * @typedef {{job: string, target?: string}} Begun
 */
/**
 * @template State
 * @typedef {{route: "find" | "drag", beat: number, status: HTMLElement, step: (state: State) => void, done:
 *    (state: State) => void, fail: (error: Refusal) => void}} JobOptions
 */

/**
 * Runs one job at a time. The route `route` starts it, and `route`/on advances it every `beat` ms. `status`
 * shows how many jobs go first, by the texts explore.<route>_wait and _wait_one. `step(state)` gets each
 * answer, `done(state)` the last one, and `fail(error)` an error. After `stop` none of them is called.
 * @template {JobState} State
 */
export class ServerJob {
  /** One object for each piece of work. The server's answer gives its `name`. @type {?Work} */
  #mine = null;

  /**
   * @param {Explorer} explorer
   * @param {JobOptions<State>} options
   */
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

  /**
   * Start work for a model by `send`, and poll it while that model is open. `begun(answer)` is called before
   * the first poll.
   * @param {string} model
   * @param {() => Promise<Begun>} send
   */
  async run(model, send, begun = (/** @type {Begun} */ _answer) => {}) {
    /** @type {Work} */
    const mine = { model };
    this.#mine = mine;
    try {
      const answer = await this.#patiently(mine, send);
      mine.name = answer.job;
      if (this.#mine !== mine) return this.#end(mine);
      begun(answer);
      await this.#watch(mine);
    } catch (error) {
      if (this.#mine !== mine) return;
      this.#mine = null;
      this.fail(refusal(error));
    }
  }

  /** End the work. Returns whether there was any. */
  stop() {
    const mine = this.#mine;
    this.#mine = null;
    if (mine?.name) this.#end(mine);
    return mine !== null;
  }

  /**
   * @param {{job?: string, end?: boolean}} value
   * @returns {Promise<any>}
   */
  #ask(value) {
    return request(`${this.route}/on`, { method: "POST", value });
  }

  /**
   * Free the server's memory at once. Without this call the server would end the work after some seconds.
   * @param {Work} work
   */
  #end({ name }) {
    this.#ask({ job: name, end: true }).catch(() => {});
  }

  /**
   * What `ask` resolves to. A busy server is asked again while this work goes on; `status` says so.
   * @template T
   * @param {Work} mine
   * @param {() => Promise<T>} ask
   * @returns {Promise<T>}
   */
  #patiently(mine, ask) {
    const still = async () => {
      if (this.#mine !== mine) throw { text: "" };
      return ask();
    };
    return patiently(still, (error) => {
      if (this.#mine === mine) setText(this.status, sentence(error));
    });
  }

  /** @param {Work} mine */
  async #watch(mine) {
    while (this.#mine === mine) {
      const state = await this.#patiently(mine, () => this.#ask({ job: mine.name }));
      if (this.#mine !== mine || this.explorer.point.model !== mine.model) return;
      const waiting = state.state === "waiting";
      if (waiting)
        setText(
          this.status,
          t(`explore.${this.route}_wait${state.ahead === 1 ? "_one" : ""}`, { count: state.ahead }),
        );
      else this.step(state);
      if (state.state === "done") {
        this.#mine = null;
        return void this.done(state);
      }
      await new Promise((later) => setTimeout(later, waiting ? QUEUE : this.beat));
    }
  }
}
