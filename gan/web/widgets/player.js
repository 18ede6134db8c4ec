// Moves the point continuously, one step after each drawn picture. A slow renderer so gets fewer requests.
import { DRAWN, PLAYING } from "../core/events.js";
import { refusal } from "../core/i18n.js";

// Seconds of the longest step; a slow renderer slows the movement down instead of making it jump.
const LONGEST = 0.25;
const PATIENCE = 2000; // ms to wait for a picture

/**
 * The model of a movement. A player never continues with another one.
 * @param {Explorer} explorer
 */
const modelOf = (explorer) => explorer.point.model;

/**
 * `step(seconds)` returns the change of the point, or undefined for none yet. In an explorer one player plays
 * at a time, and none in a hidden page or tab. A pause leaves the point where it is. The explorer dispatches
 * PLAYING.
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
    this.explorer.change({}, false); // refreshes the sheets
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
   * The change of the next step. If the step throws, the player pauses and shows the error.
   * @param {number} now
   */
  #step(now) {
    try {
      return this.step(this.last === null ? 0 : Math.min(LONGEST, (now - this.last) / 1000));
    } catch (error) {
      this.pause();
      this.explorer.say(refusal(error));
      return undefined;
    }
  }

  #tell() {
    this.explorer.dispatchEvent(new CustomEvent(PLAYING));
  }
}

/** @param {Explorer} explorer */
function nextPicture(explorer) {
  return /** @type {Promise<void>} */ (
    new Promise((done) => {
      const timer = setTimeout(done, PATIENCE);
      explorer.addEventListener(
        DRAWN,
        () => {
          clearTimeout(timer);
          done();
        },
        { once: true },
      );
    })
  );
}
