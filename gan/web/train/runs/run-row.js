// One run in the list. It asks before it deletes, and is renamed in place. Updates of the list interrupt
// neither.
import { request } from "../../core/api.js";
import { controls, isVisitor } from "../../core/control.js";
import { find, h, icon, setText } from "../../core/dom.js";
import { ago, fileSize, short } from "../../core/format.js";
import { refusal, sentence, t } from "../../core/i18n.js";
import { dataName, manner, numbered } from "../../core/run-name.js";
import { refresh, view, viewing } from "../../shell/run-feed.js";
import { isOwn } from "./own-runs.js";
import { ConfirmButton } from "../../widgets/confirm-button.js";

const NAME_MOST = 60; // as in gan/runs/names.py
const BUSY = ["starting", "running"]; // these runs can't be deleted

export class RunRow {
  /** The field in place of the name. @type {?HTMLFormElement} */
  form = null;
  busy = false;

  /**
   * @param {RunEntry} run
   * @param {{choose: () => void, say: (text: string, bad?: boolean) => void}} options
   */
  constructor(run, { choose, say }) {
    this.run = run;
    this.id = run.id;
    this.say = say;
    this.dot = h("i");
    this.name = h("b");
    this.facts = h("span");
    this.state = h("small");
    this.open = h(
      "button",
      { type: "button", class: "tr-open", onclick: choose },
      this.dot,
      this.name,
      this.facts,
      this.state,
    );
    this.rename = this.tool("pencil", () => this.edit());
    this.cancel = this.tool("close", () => this.send("cancel"));
    this.delete = this.tool("bin", (event) => this.deletion.press(event));
    this.deletion = new ConfirmButton(this.delete, {
      asks: t("stage.delete_sure"),
      act: () => this.send("delete"),
    });
    this.element = h("li", {}, this.open, this.rename, this.cancel, this.delete);
  }

  /**
   * A button with an icon. Its text is for screen readers, and for its question.
   * @param {string} name
   * @param {(event: MouseEvent) => unknown} onclick
   */
  tool(name, onclick) {
    return h("button", { type: "button", class: "tr-tool needs-control", onclick }, icon(name), h("span"));
  }

  /**
   * Show a run. `full`: the disk is full, so that queued runs can be deleted too.
   * @param {RunEntry} run
   * @param {{current: boolean, place: number, seconds: number | undefined, full: boolean}} state
   */
  update(run, { current, place, seconds, full }) {
    this.run = run;
    const data = run.data ? dataName(run.data) : null;
    const title = run.name ?? (numbered(run) || run.id);
    const size = run.bytes ? fileSize(run.bytes) : null;
    const facts = [
      run.name && data,
      ...manner(run),
      run.images ? t("stage.kimg", { images: short(run.images) }) : null,
      size,
      ago(run.created),
    ];
    setText(this.name, title);
    setText(
      this.facts,
      (place < 0 ? facts : [isOwn(this.id) && t("stage.yours"), waiting(place, seconds), ...facts])
        .filter(Boolean)
        .join(" · "),
    );
    const state = run.silent ? "silent" : run.state;
    setText(this.state, t(`state.${state}`));
    this.dot.dataset.state = state;
    this.open.setAttribute("aria-current", String(current));
    const busy = BUSY.includes(run.state);
    this.element.classList.toggle("is-busy", busy); // keeps the space of the hidden button
    this.cancel.hidden = run.state !== "queued";
    this.delete.hidden = busy || (run.state === "queued" && !full);
    for (const name of /** @type {const} */ (["rename", "cancel", "delete"]))
      this[name].title = t(`stage.${name}_run`, { name: title });
    for (const one of [this.rename, this.cancel]) setText(find(one, "span"), one.title);
    this.deletion.name(this.delete.title);
    const off = isVisitor() && !controls(this.id);
    for (const one of [this.rename, this.cancel, this.delete]) {
      one.disabled = off;
      if (off) one.title = t("access.others_run");
    }
  }

  /** Replace the name by a field. Enter keeps its text, Escape restores the name. */
  edit() {
    if (this.form) return;
    const field = h("input", {
      type: "text",
      maxlength: String(NAME_MOST),
      placeholder: numbered(this.run) || this.id,
      "aria-label": t("stage.name"),
    });
    field.value = this.run.name ?? "";
    const done = h("button", { type: "submit", class: "tr-button is-primary" }, t("stage.name_keep"));
    const undo = h(
      "button",
      { type: "button", class: "tr-button", onclick: () => this.leave() },
      t("stage.name_leave"),
    );
    const escape = (/** @type {KeyboardEvent} */ event) =>
      // While an input method composes, Escape is its key.
      event.key === "Escape" && !event.isComposing && this.leave();
    this.form = h(
      "form",
      { class: "tr-rename", onsubmit: (event) => this.keep(event, field, done), onkeydown: escape },
      field,
      done,
      undo,
    );
    this.element.classList.add("is-edited");
    this.element.append(this.form);
    field.focus();
    field.select();
  }

  leave() {
    this.form?.remove();
    this.form = null;
    this.element.classList.remove("is-edited");
    this.rename.focus();
    this.say("");
  }

  /**
   * @param {SubmitEvent} event
   * @param {HTMLInputElement} field
   * @param {HTMLButtonElement} button
   */
  async keep(event, field, button) {
    event.preventDefault();
    button.disabled = true;
    try {
      const { name } = await request(`runs/${this.id}/rename`, {
        method: "POST",
        query: { name: field.value },
      });
      setText(this.name, name ?? field.placeholder); // at once; the next poll confirms it
      this.leave();
      refresh();
    } catch (error) {
      button.disabled = false;
      this.say(sentence(refusal(error)), true);
      field.focus();
    }
  }

  /** @param {string} command */
  async send(command) {
    if (this.busy) return;
    this.busy = true; // disabling the button would lose the focus
    try {
      await request(`runs/${this.id}/${command}`, { method: "POST" });
      this.say(t(`stage.${command}_done`));
      if (command === "delete" && viewing() === this.id) view(null);
      else refresh();
    } catch (error) {
      this.say(sentence(refusal(error)), true);
    }
    this.busy = false;
  }
}

// A run's place in the queue, and its expected start.

/**
 * "place 2, starts in about 4 min". `place` counts from 0; `seconds` is undefined if unknown.
 * @param {number} place
 * @param {number} [seconds]
 */
export function waiting(place, seconds) {
  const values = { place: place + 1 };
  if (seconds === undefined) return t("stage.place", values);
  if (seconds < 60) return t("stage.place_soon", values);
  if (seconds < 5400) return t("stage.place_minutes", { ...values, minutes: Math.round(seconds / 60) });
  return t("stage.place_hours", { ...values, hours: Math.round(seconds / 3600) });
}
