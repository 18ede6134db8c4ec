// Control over runs: the lock in the header, the field for its token, and the note for viewers without
// control. Elements of the class needs-control are hidden by base.css while the page's data-control is "no".
import { place, request } from "../core/api.js";
import { h, icon, setText } from "../core/dom.js";
import { LOCKED } from "../core/events.js";
import { sentence, t } from "../core/i18n.js";

let access = { needed: false, control: true };
/** @type {Set<() => void>} */
const listeners = new Set();

/** Ask the server who has control. If no server answers, the page stays as it is. */
export async function readAccess() {
  await request("access")
    .then(take)
    .catch(() => {});
}

/** @param {Access} found */
function take(found) {
  access = found;
  document.documentElement.dataset.control = found.control ? "yes" : "no";
  listeners.forEach((listener) => listener());
}

/** The lock button and its row. Both stay hidden on a server without a token. */
export class Lock {
  constructor() {
    this.button = h("button", {
      class: "gan-ghost gan-lock",
      type: "button",
      "aria-expanded": "false",
      "aria-controls": "gan-token",
      onclick: () => this.open(this.row.hidden),
    });
    this.input = h("input", {
      type: "password",
      name: "token",
      autocomplete: "current-password",
      required: true,
      "aria-label": t("access.token"),
      placeholder: t("access.token"),
    });
    this.error = h("p", { class: "gan-token-error", role: "alert", hidden: true });
    this.enter = h(
      "form",
      { onsubmit: (event) => this.send(event, "access", { token: this.input.value, place: place() }) },
      this.input,
      h("button", { type: "submit" }, t("access.enter")),
    );
    this.leave = h(
      "form",
      { onsubmit: (event) => this.send(event, "access/leave", { place: place() }) },
      h("p", {}, t("access.unlocked")),
      h("button", { type: "submit" }, t("access.leave")),
    );
    this.row = h(
      "div",
      {
        class: "gan-token",
        id: "gan-token",
        hidden: true,
        onkeydown: (event) => event.key === "Escape" && this.open(false),
      },
      this.enter,
      this.leave,
      this.error,
    );
    listeners.add(() => this.show());
    this.show();
  }

  show() {
    const { needed, control } = access;
    const label = t(control ? "access.unlocked" : "access.open");
    this.button.hidden = !needed;
    this.button.replaceChildren(icon(control ? "unlock" : "lock"));
    this.button.setAttribute("aria-label", label);
    this.button.title = label;
    this.enter.hidden = control;
    this.leave.hidden = !control;
    if (!needed) this.open(false);
  }

  /** @param {boolean} wanted */
  open(wanted) {
    const within = this.row.contains(document.activeElement);
    this.row.hidden = !wanted;
    this.button.setAttribute("aria-expanded", String(wanted));
    this.say("");
    this.input.value = "";
    if (wanted && !access.control) this.input.focus();
    else if (within) this.button.focus();
  }

  /**
   * @param {Event} event
   * @param {"access" | "access/leave"} path
   * @param {object} value
   */
  async send(event, path, value) {
    event.preventDefault();
    try {
      take(await request(path, { method: "POST", value }));
      this.open(false);
      this.button.focus();
    } catch (error) {
      this.say(sentence(error));
      this.input.select();
    }
  }

  /** @param {string} text */
  say(text) {
    this.error.hidden = !text;
    setText(this.error, text);
  }
}

/** <gan-watching>: tells viewers without control why there are no buttons. */
class Watching extends HTMLElement {
  connectedCallback() {
    if (!this.firstChild) this.append(icon("lock"), h("p", {}, t("access.watching")));
  }
}

addEventListener(LOCKED, readAccess);
customElements.define("gan-watching", Watching);
