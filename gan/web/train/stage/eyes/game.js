// Beat D: ten pairs of a held-out image and a sample of its class. The reader says which one is real, and so does
// D. The server adds up the results of all who play, and keeps nothing else.
import { patiently, request } from "../../../core/api.js";
import { controls } from "../../../core/control.js";
import { h, setText } from "../../../core/dom.js";
import { refusal, sentence, t } from "../../../core/i18n.js";
import { imagesText } from "../sample-grid.js";
import { COLUMNS, cell, webp } from "./cell.js";

const ROUNDS = 10; // pairs of a game, as in gan/ui/train/eyes.py

export class Game {
  /** @type {?Run} */
  run = null;
  /** The pairs from the server. @type {?GamePairs} */
  pairs = null;
  /** Games that were played with these pairs. */
  played = 0;
  /** The image of each pair that the reader takes for real. @type {number[]} */
  picks = [];
  /** Counts the games, so that the answer for an old one is dropped. */
  turn = 0;

  constructor() {
    this.start = h("button", { type: "button", class: "tr-button", "data-look": "game" });
    this.start.addEventListener("click", () => this.begin());
    this.said = h("p", { class: "tr-note", role: "status" });
    this.board = h("div", { class: "tr-board" });
    this.element = h(
      "section",
      { class: "tr-game" },
      h("h4", {}, t("eyes.game")),
      h("p", { class: "tr-note" }, t("eyes.game_about")),
      this.start,
      this.said,
      this.board,
    );
    this.waits(false);
  }

  /** @param {Run} run */
  update(run) {
    if (run.id !== this.run?.id) {
      Object.assign(this, { pairs: null, played: 0 });
      this.turn += 1;
      this.board.replaceChildren();
      setText(this.said, "");
      this.waits(false);
    }
    this.run = run;
    const own = run.own_data;
    this.element.hidden = !(own === null || (own === "shown" && controls(run.id)));
  }

  /** @param {boolean} busy */
  waits(busy) {
    this.start.disabled = busy;
    setText(this.start, t(busy ? "eyes.looking" : this.played ? "eyes.game_again" : "eyes.game_start"));
  }

  async begin() {
    const turn = (this.turn += 1);
    this.board.replaceChildren();
    setText(this.said, "");
    if (!this.pairs || this.played >= this.pairs.real.length / ROUNDS) {
      this.waits(true);
      try {
        const found = await patiently(() => request(`runs/${this.run?.id}/pairs`));
        if (turn !== this.turn) return;
        Object.assign(this, { pairs: found, played: 0 });
      } catch (error) {
        if (turn === this.turn) setText(this.said, sentence(refusal(error)));
        return;
      } finally {
        if (turn === this.turn) this.waits(false);
      }
    }
    this.picks = [];
    this.ask();
  }

  /** The number of the next pair among all. */
  get next() {
    return this.played * ROUNDS + this.picks.length;
  }

  /**
   * The two images of a pair.
   * @param {GamePairs} pairs
   * @param {number} pair
   */
  images(pairs, pair) {
    const rows = Math.ceil((2 * pairs.real.length) / COLUMNS);
    return [0, 1].map((side) => cell(webp(pairs.sheet), 2 * pair + side, rows));
  }

  ask() {
    const { pairs, next } = this;
    if (!pairs) return;
    const label = pairs.labels && (this.run?.status.classes ?? [])[pairs.labels[next]];
    const values = { pair: this.picks.length + 1, of: ROUNDS, label: label ?? "" };
    setText(this.said, t(label ? "eyes.game_pair_of_class" : "eyes.game_pair", values));
    const buttons = this.images(pairs, next).map((image, side) =>
      h(
        "button",
        {
          type: "button",
          class: "tr-pick",
          "aria-label": t(side ? "eyes.game_right" : "eyes.game_left"),
          onclick: () => this.pick(side),
        },
        image,
      ),
    );
    this.board.replaceChildren(h("div", { class: "tr-pair" }, buttons));
    if (this.picks.length) buttons[0].focus(); // the button that was pressed is gone
  }

  /** @param {number} side 0 or 1 */
  pick(side) {
    this.picks.push(side);
    if (this.picks.length < ROUNDS) this.ask();
    else this.finish();
  }

  async finish() {
    const { pairs, picks, run, turn } = this;
    if (!pairs || !run) return;
    const first = this.played * ROUNDS;
    const part = (/** @type {number[]} */ all) => all.slice(first, first + ROUNDS);
    const [real, byD] = [part(pairs.real), part(pairs.d)];
    const [right, d] = [rightOf(picks, real), rightOf(byD, real)];
    this.played += 1;
    this.waits(false);
    this.board.replaceChildren(
      h(
        "ol",
        { class: "tr-results" },
        real.map((side, index) => {
          const images = this.images(pairs, first + index);
          images[side].classList.add("is-real");
          const marks = [
            ["eyes.game_you", picks[index] === side],
            ["eyes.game_d", byD[index] === side],
          ].map(([who, good]) => `${t(String(who))} ${good ? "✓" : "✗"}`);
          return h("li", {}, h("div", {}, images), h("span", {}, marks.join(" · ")));
        }),
      ),
    );
    const score = t("eyes.game_score", { right, d, of: ROUNDS, images: imagesText(pairs.images / 1000) });
    setText(this.said, score);
    this.start.focus();
    try {
      const value = { run: run.id, right, d };
      const sums = await request("played", { method: "POST", value });
      if (turn !== this.turn || sums.games < 2) return;
      setText(this.said, `${score} ${t("eyes.game_sums", { ...sums, of: ROUNDS * sums.games })}`);
    } catch {
      // the sums are missing then, and the reader's own score stands
    }
  }
}

/**
 * How many answers are right.
 * @param {number[]} answers
 * @param {number[]} real
 */
const rightOf = (answers, real) => answers.filter((side, index) => side === real[index]).length;
