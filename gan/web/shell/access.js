// Control over runs: the lock in the header with the field for its token or the sign-in, and notes that say what
// this browser controls. Elements of the class needs-control are hidden by base.css while the page's
// data-control is "no", those of the class needs-owner unless this browser controls all runs.
import { place, request } from "../core/api.js";
import { accessNow, setAccess } from "../core/control.js";
import { h, icon, setText } from "../core/dom.js";
import { CONTROL, LOCKED } from "../core/events.js";
import { refusal, sentence, t } from "../core/i18n.js";
import { signInLink } from "../widgets/sign-in.js";

const TOLD_FOR = 4000; // ms

/** Ask the server who has control. If no server answers, the page stays as it is. */
export async function readAccess() {
  await request("access")
    .then(setAccess)
    .catch(() => {});
}

/** The lock button and its row. Both stay hidden where there is neither a token nor a sign-in. */
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
    this.about = h("p");
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
      this.about,
      (this.leaving = h("button", { type: "submit" })),
    );
    this.signing = h("p", {}, t("access.sign_in_hint"), " ", signInLink("#tab=train"));
    this.row = h(
      "div",
      {
        class: "gan-token",
        id: "gan-token",
        hidden: true,
        onkeydown: (event) => event.key === "Escape" && this.open(false),
      },
      this.enter,
      this.signing,
      this.leave,
      this.error,
    );
    addEventListener(CONTROL, () => this.show());
    this.told = h("p", { class: "gan-told", role: "status" });
    this.show();
  }

  /** Say for some seconds that the token was right: an open lock looks much like a closed one. */
  praise() {
    setText(this.told, t("access.unlocked"));
    setTimeout(() => setText(this.told, ""), TOLD_FOR);
  }

  show() {
    const { needed, control, visitor } = accessNow();
    const name = visitor?.name;
    const label = visitor
      ? t(name ? "access.sign_out" : "access.sign_in")
      : t(control ? "access.unlocked" : "access.open");
    this.button.hidden = !needed && !visitor?.sign_in;
    this.button.replaceChildren(icon(control ? "unlock" : "lock"));
    this.button.setAttribute("aria-label", label);
    this.button.title = label;
    this.enter.hidden = control || !needed;
    this.signing.hidden = !visitor || Boolean(name);
    this.leave.hidden = visitor ? !name : !control;
    const about = name ? t(control ? "access.owner" : "access.not_owner", { name }) : t("access.unlocked");
    setText(this.about, about);
    setText(this.leaving, t(name ? "access.sign_out" : "access.leave"));
    if (this.button.hidden) this.open(false);
  }

  /** @param {boolean} wanted */
  open(wanted) {
    const within = this.row.contains(document.activeElement);
    this.row.hidden = !wanted;
    this.button.setAttribute("aria-expanded", String(wanted));
    this.say("");
    this.input.value = "";
    if (wanted && !this.enter.hidden) this.input.focus();
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
      setAccess(await request(path, { method: "POST", value }));
      this.open(false);
      this.button.focus();
      if (path === "access") this.praise();
    } catch (error) {
      this.say(sentence(refusal(error)));
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

/** <gan-role>: on a Space without a token, tells what this browser controls. Elsewhere it is hidden. */
class Role extends HTMLElement {
  line = h("p");

  connectedCallback() {
    if (this.firstChild) return;
    this.append(this.line);
    addEventListener(CONTROL, () => this.show());
    this.show();
  }

  show() {
    const { control, visitor } = accessNow();
    this.hidden = !visitor;
    if (!visitor) return;
    const { minutes, name } = visitor;
    setText(this.line, control ? t("access.owner", { name }) : t("access.own_runs", { minutes }));
  }
}

addEventListener(LOCKED, readAccess);
// Somebody may have signed in, in another tab.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && accessNow().visitor) readAccess();
});
customElements.define("gan-watching", Watching);
customElements.define("gan-role", Role);
