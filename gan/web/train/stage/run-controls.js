// The buttons for the shown run.
import { patiently, request } from "../../core/api.js";
import { controls, isVisitor } from "../../core/control.js";
import { h, icon, setText } from "../../core/dom.js";
import { CONTROL, EXPLORE } from "../../core/events.js";
import { refusal, sentence, t } from "../../core/i18n.js";
import { refresh } from "../../shell/run-feed.js";
import { openTab } from "../../shell/tabs.js";
import { fetched, save } from "../../renderer/pictures.js";
import { MachineChoice } from "../jobs.js";
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
// Only a run with its last weights has scores, and so a card.
export const ENDED = ["finished", "stopped"];

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
    this.push = h(
      "button",
      { type: "button", class: "tr-button", onclick: () => this.openModel(true) },
      icon("upload"),
      h("span", {}, t("explore.push")),
    );
    this.more = new MoreTime((amount) => this.send("more", { amount }));
    this.job = new InJob((flavor) => this.send("job", { flavor }));
    this.takeName = h("span", {}, t("stage.take"));
    this.take = h(
      "button",
      { type: "button", class: "tr-button needs-control", onclick: () => this.download() },
      icon("download"),
      this.takeName,
    );
    this.note = h("p", { class: "tr-said", role: "status" });
    this.others = h("p", { class: "tr-others", hidden: true }, icon("lock"), t("access.others_run"));
    this.element = h(
      "div",
      { class: "tr-controls" },
      Object.values(this.buttons),
      this.explore,
      this.push,
      this.more.element,
      this.job.element,
      this.take,
      h("gan-watching"),
      this.others,
      this.note,
    );
    addEventListener(CONTROL, () => this.allow());
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

  /**
   * @param {Run} run
   * @param {boolean} leased whether it trains in leases of a GPU
   */
  update(run, leased) {
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
    if (leased && state === "paused") this.buttons.resume.hidden = true; // lease.js has its buttons
    this.more.update(run);
    this.job.update(run);
    this.explore.hidden = run.status.live_step === null;
    this.push.hidden = this.explore.hidden || !ENDED.includes(state);
    this.take.hidden = !CARRIED.includes(state) || !run.status.step;
    this.allow();
  }

  /** Turn the buttons of somebody else's run off. */
  allow() {
    const allowed = controls(this.id);
    const buttons = [...Object.values(this.buttons), this.more.button, this.job.button, this.take];
    const parts = [...Object.values(this.buttons), this.more.element, this.job.element, this.take];
    this.others.hidden = allowed || !isVisitor() || parts.every((part) => part.hidden);
    for (const button of buttons) {
      button.disabled = isVisitor() && !allowed;
      button.title = button.disabled ? t("access.others_run") : "";
    }
    this.buttons.pause.disabled ||= this.run?.pausing ?? false;
  }

  settle() {
    for (const question of Object.values(this.questions)) question.settle();
  }

  /**
   * @param {string} name
   * @param {Query} query
   */
  async send(name, query = {}) {
    this.settle();
    const button = { more: this.more.button, job: this.job.button }[name] ?? this.buttons[name];
    button.disabled = true;
    try {
      await request(`runs/${this.id}/${name}`, { method: "POST", query });
      this.say(t(`stage.${name}_done`));
      refresh();
    } catch (error) {
      this.say(sentence(refusal(error)), true);
    }
    setTimeout(() => this.allow(), 400);
  }

  /** Save the whole run as one file. */
  async download() {
    const id = this.id;
    if (!id || this.take.disabled) return;
    this.take.disabled = true;
    try {
      const reply = await patiently(
        () => {
          setText(this.takeName, t("stage.taking"));
          return fetched(`runs/${id}/file`, {}, 1);
        },
        () => setText(this.takeName, t("common.waits")),
      );
      save(await reply.blob(), `${id}.zip`);
      this.say(t("stage.take_done"));
    } catch (error) {
      this.say(sentence(refusal(error)), true);
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

  openModel(push = false) {
    openTab("explore");
    dispatchEvent(new CustomEvent(EXPLORE, { detail: { model: `run:${this.id}`, push } }));
  }
}

/** The button that sends a command with a value. @param {string} command */
const submitButton = (command) =>
  h(
    "button",
    { type: "submit", class: "tr-button", "data-command": command },
    icon("play"),
    h("span", {}, t(`stage.${command}`)),
  );

/**
 * The form of such a button and the field for its value.
 * @param {HTMLElement} button
 * @param {HTMLElement} field
 * @param {() => void} act
 */
const sending = (button, field, act) =>
  h(
    "form",
    {
      class: "tr-extend needs-control",
      hidden: true,
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        act();
      },
    },
    field,
    button,
  );

/** A finished run goes on: a number, and the button that adds it to the budget. */
class MoreTime {
  /** @param {(amount: number) => void} act */
  constructor(act) {
    this.label = h("span");
    this.input = h("input", { type: "number", class: "tr-number", min: "0.05", step: "any", value: "5" });
    this.button = submitButton("more");
    this.element = sending(this.button, h("label", {}, this.label, this.input), () =>
      act(this.input.valueAsNumber),
    );
  }

  /** @param {Run} run */
  update({ status, config }) {
    this.element.hidden = status.state !== "finished" || !config;
    const unit = config?.kimg ? "kimg" : config?.steps ? "steps" : "minutes";
    setText(this.label, t(`stage.more_${unit}`));
  }
}

/** A paused run goes on in a job: a machine with its cost, and the button that starts the job. */
class InJob {
  /** @param {(flavor: string) => void} act */
  constructor(act) {
    this.choice = new MachineChoice({ here: false });
    this.button = submitButton("job");
    this.element = sending(this.button, this.choice.element, () => act(this.choice.flavor));
  }

  /** @param {Run} run */
  update({ status, config, again }) {
    const offered = this.choice.offer.flavors.length > 0;
    const ready = ["paused", "failed"].includes(status.state);
    // the time of a job follows from a budget in minutes
    this.element.hidden = !offered || !config || Boolean(config.kimg) || again || !ready;
    if (config) this.choice.update(config.minutes * (1 - status.progress));
  }
}
