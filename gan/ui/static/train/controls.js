// What can be done with the run shown. Stop asks once more in place; nothing is modal.
import { h, icon, openTab, request, sentence, setText, t } from "../common.js";
import { refresh } from "../live.js";

const ASK_FOR = 4000; // ms that Stop waits for its second press
const BUTTONS = {
  pause: { icon: "pause", states: ["starting", "running"] },
  resume: { icon: "play", states: ["paused"], primary: true },
  cancel: { icon: "close", states: ["queued"] },
  stop: { icon: "stop", states: ["starting", "running", "paused"], confirm: true },
  sample: { icon: "camera", states: ["running"] },
  save: { icon: "save", states: ["running"] },
};

export class Controls {
  constructor() {
    this.buttons = Object.fromEntries(Object.entries(BUTTONS).map(([name, spec]) => [name, this.make(name, spec)]));
    this.explore = h("button", { type: "button", class: "tr-button", onclick: () => this.openModel() }, icon("compass"), h("span", {}, t("stage.explore")));
    this.note = h("p", { class: "tr-said", role: "status" });
    this.element = h("div", { class: "tr-controls" }, Object.values(this.buttons), this.explore, h("gan-watching"), this.note);
  }

  make(name, spec) {
    const press = () => (spec.confirm && !this.asking ? this.ask(name) : this.send(name));
    return h("button", { type: "button", class: `tr-button needs-control ${spec.primary ? "is-primary" : ""}`, "data-command": name, onclick: press }, icon(spec.icon), h("span", {}, t(`stage.${name}`)));
  }

  update(run) {
    if (run.id !== this.id) {
      this.id = run.id;
      this.say("");
      this.settle();
    }
    this.run = run;
    const { state } = run.status;
    for (const [name, spec] of Object.entries(BUTTONS)) {
      const resumable = name === "resume" && state === "failed" && run.resumable;
      this.buttons[name].hidden = !spec.states.includes(state) && !resumable;
    }
    if (!BUTTONS.stop.states.includes(state)) this.settle();
    this.explore.hidden = run.status.live_step === null;
  }

  ask(name) {
    this.asking = setTimeout(() => this.settle(), ASK_FOR);
    this.buttons[name].classList.add("is-asking");
    setText(this.buttons[name].lastChild, t("stage.stop_sure"));
  }

  settle() {
    clearTimeout(this.asking);
    this.asking = 0;
    this.buttons.stop.classList.remove("is-asking");
    setText(this.buttons.stop.lastChild, t("stage.stop"));
  }

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
    setTimeout(() => { button.disabled = false; }, 400);
  }

  say(text, bad = false) {
    clearTimeout(this.saying);
    setText(this.note, text);
    this.note.classList.toggle("is-bad", bad);
    if (text && !bad) this.saying = setTimeout(() => setText(this.note, ""), 4000);
  }

  openModel() {
    openTab("explore");
    dispatchEvent(new CustomEvent("gan:explore", { detail: { model: `run:${this.id}` } }));
  }
}
