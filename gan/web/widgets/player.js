// Moves the point by itself: one step after each drawn picture, so a slow renderer gets fewer requests.
import { DRAWN, PLAYING } from "../core/events.js";

const LONGEST = 0.25; // seconds that one step may make up for: a slow drawer gets a slower walk instead of leaps
const PATIENCE = 2000; // ms until a picture that did not come is not waited for any more

/**
 * Whether the two are the same model's: a player of one model does not go on with another.
 * @param {Explorer} explorer
 */
const modelOf = (explorer) => explorer.point.model;

/**
 * `step(seconds)` gives what to change in the point, undefined for nothing yet. One plays at a time in an explorer, none in a hidden page or tab, and none
 * begins by itself. The point stays where a pause leaves it. PLAYING tells the explorer's listeners.
 */
export class Player {
  playing = false;
  /** The time of the last step, in ms. @type {?number} */
  last = null;
  /** @type {?string} */
  model = null;
  request = 0;

  /**
   * @param {Explorer} explorer
   * @param {(seconds: number) => Patch | undefined} step
   */
  constructor(explorer, step) {
    this.explorer = explorer;
    this.step = step;
    document.addEventListener("visibilitychange", () => document.hidden && this.pause());
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    if (this.playing || !this.explorer.model || this.explorer.unread) return;
    this.explorer.player?.pause();
    Object.assign(this, { playing: true, last: null, model: modelOf(this.explorer) });
    this.explorer.player = this;
    this.#tell();
    this.#next();
  }

  pause() {
    if (!this.playing) return;
    cancelAnimationFrame(this.request);
    this.playing = false;
    this.explorer.player = null;
    this.#tell();
    this.explorer.change({}, false); // what waits for the end of a movement follows now
  }

  #next() {
    this.request = requestAnimationFrame(async (now) => {
      if (!this.playing) return;
      const { explorer } = this;
      if (modelOf(explorer) !== this.model || explorer.offsetParent === null) return void this.pause();
      const patch = this.#step(now);
      this.last = now;
      if (patch) {
        const drawn = nextPicture(explorer);
        explorer.change(patch, true);
        await drawn;
      }
      if (this.playing) this.#next();
    });
  }

  /**
   * What the step changes. One that can't go on from where the point is ends the playing, and says why.
   * @param {number} now
   */
  #step(now) {
    try {
      return this.step(this.last === null ? 0 : Math.min(LONGEST, (now - this.last) / 1000));
    } catch (error) {
      this.pause();
      this.explorer.say(error);
      return undefined;
    }
  }

  #tell() {
    this.explorer.dispatchEvent(new CustomEvent(PLAYING));
  }
}

/** @param {Explorer} explorer */
function nextPicture(explorer) {
  return /** @type {Promise<void>} */ (new Promise((done) => {
    const timer = setTimeout(done, PATIENCE);
    explorer.addEventListener(DRAWN, () => {
      clearTimeout(timer);
      done();
    }, { once: true });
  }));
}
