// Polls the list of models while the Explore tab is on the screen.
import { request } from "../core/api.js";
import { refusal } from "../core/i18n.js";
import { previewAddress } from "./panels/model-picker.js";

const LIVE_BEAT = 2500; // ms until the next poll while a run trains
const IDLE_BEAT = 10000;

/** `take(models)` gets each answer, `fail(error)` each refusal. */
export class ModelFeed {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;

  /**
   * @param {Explorer} explorer
   * @param {{take: (models: Model[]) => void, fail: (error: Refusal) => void}} listeners
   */
  constructor(explorer, { take, fail }) {
    this.explorer = explorer;
    this.take = take;
    this.fail = fail;
    document.addEventListener("visibilitychange", () => this.poll());
    new IntersectionObserver(() => this.poll()).observe(explorer); // the reader has opened the tab again
  }

  /** Poll now, and again after a while. */
  async poll() {
    clearTimeout(this.timer);
    if (document.hidden || this.explorer.offsetParent === null) return;
    try {
      this.take((await request("models")).map((model) => ({ ...model, preview: previewAddress(model) })));
    } catch (error) {
      this.fail(refusal(error));
    }
    clearTimeout(this.timer);
    const { models } = this.explorer;
    this.timer = setTimeout(
      () => this.poll(),
      models.some((model) => model.live) || !models.length ? LIVE_BEAT : IDLE_BEAT,
    );
  }
}
