// The buttons for the shown run.
import { request } from "../../core/api.js";
import { h, icon, setText } from "../../core/dom.js";
import { EXPLORE } from "../../core/events.js";
import { sentence, t } from "../../core/i18n.js";
import { refresh } from "../../shell/run-feed.js";
import { openTab } from "../../shell/tabs.js";
import { fetched, save } from "../../renderer/pictures.js";
import { ConfirmButton } from "../../widgets/confirm-button.js";

/**
 * @typedef {{icon: string, states: string[], primary?: boolean, confirm?: boolean, offered?: (run: Run) =>
 *    boolean}} ButtonSpec
 */

/** By command. @type {Record<string, ButtonSpec>} */
const BUTTONS = {
  pause: { icon: "pause", states: ["starting", "running"] },
  resume: { icon: "play", states: ["paused", "failed"], primary: true, offered: (run) => !run.again },
  restart: {
    icon: "reset",
    states: ["paused", "failed", "stopped"],
    confirm: true,
    offered: (run) => run.again,
  },
  cancel: { icon: "close", states: ["queued"] },
  stop: { icon: "stop", states: ["starting", "running", "paused"], confirm: true },
  end: {
    icon: "close",
    states: ["starting", "running"],
    confirm: true,
    offered: (run) => run.silent !== null,
  },
  sample: { icon: "camera", states: ["running"] },
  save: { icon: "save", states: ["running"] },
};

// Runs in these states can have a checkpoint.
const CARRIED = ["running", "paused", "finished", "stopped", "failed"];

export class RunControls {
  /** @type {?string} */
  id = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  saying;

  constructor() {
    /** @type {Record<string, ConfirmButton>} */
    this.questions = {};
    this.buttons = Object.fromEntries(
      Object.entries(BUTTONS).map(([name, spec]) => [name, this.make(name, spec)]),
    );
    this.explore = h(
      "button",
      { type: "button", class: "tr-button", onclick: () => this.openModel() },
      icon("compass"),
      h("span", {}, t("stage.explore")),
    );
    this.takeName = h("span", {}, t("stage.take"));
    this.take = h(
      "button",
      { type: "button", class: "tr-button needs-control", onclick: () => this.download() },
      icon("download"),
      this.takeName,
    );
    this.note = h("p", { class: "tr-said", role: "status" });
    this.element = h(
      "div",
      { class: "tr-controls" },
      Object.values(this.buttons),
      this.explore,
      this.take,
      h("gan-watching"),
      this.note,
    );
  }

  /**
   * @param {string} name
   * @param {ButtonSpec} spec
   */
  make(name, spec) {
    const press = (/** @type {MouseEvent} */ event) =>
      spec.confirm ? this.questions[name].press(event) : this.send(name);
    const button = h(
      "button",
      {
        type: "button",
        class: `tr-button needs-control ${spec.primary ? "is-primary" : ""}`,
        "data-command": name,
        onclick: press,
      },
      icon(spec.icon),
      h("span", {}, t(`stage.${name}`)),
    );
    if (spec.confirm)
      this.questions[name] = new ConfirmButton(button, {
        asks: t(`stage.${name}_sure`),
        act: () => this.send(name),
      });
    return button;
  }

  /** @param {Run} run */
  update(run) {
    if (run.id !== this.id) {
      this.id = run.id;
      this.say("");
      this.settle();
    }
    this.run = run;
    const { state } = run.status;
    for (const [name, spec] of Object.entries(BUTTONS)) {
      const offered = spec.states.includes(state) && (spec.offered?.(run) ?? true);
      this.buttons[name].hidden = !offered;
      if (!offered) this.questions[name]?.settle();
    }
    this.explore.hidden = run.status.live_step === null;
    this.take.hidden = !CARRIED.includes(state) || !run.status.step;
  }

  settle() {
    for (const question of Object.values(this.questions)) question.settle();
  }

  /** @param {string} name */
  async send(name) {
    this.settle();
    const button = this.buttons[name];
    button.disabled = true;
    try {
      await request(`runs/${this.id}/${name}`, { method: "POST" });
      this.say(t(`stage.${name}_done`));
      refresh();
    } catch (error) {
      this.say(sentence(error), true);
    }
    setTimeout(() => {
      button.disabled = false;
    }, 400);
  }

  /** Save the whole run as one file. */
  async download() {
    const id = this.id;
    if (!id || this.take.disabled) return;
    this.take.disabled = true;
    setText(this.takeName, t("stage.taking"));
    try {
      save(await (await fetched(`runs/${id}/file`, {})).blob(), `${id}.zip`);
      this.say(t("stage.take_done"));
    } catch (error) {
      this.say(sentence(error), true);
    }
    this.take.disabled = false;
    setText(this.takeName, t("stage.take"));
  }

  /** @param {string} text */
  say(text, bad = false) {
    clearTimeout(this.saying);
    setText(this.note, text);
    this.note.classList.toggle("is-bad", bad);
    if (text && !bad) this.saying = setTimeout(() => setText(this.note, ""), 4000);
  }

  openModel() {
    openTab("explore");
    dispatchEvent(new CustomEvent(EXPLORE, { detail: { model: `run:${this.id}` } }));
  }
}
