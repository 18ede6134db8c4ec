// Pushing the generator to the Hugging Face Hub: a button, and a form that shows what the push will send.
import { patiently, place, request } from "../../core/api.js";
import { setAccess } from "../../core/control.js";
import { later } from "../../core/debounce.js";
import { h, icon, setText } from "../../core/dom.js";
import { CONTROL } from "../../core/events.js";
import { refusal, sentence, t } from "../../core/i18n.js";
import { recall, remember } from "../../core/storage.js";
import { signInLink } from "../../widgets/sign-in.js";

const OWNER = "gan.hub-owner"; // to whom this browser pushed last
const BEGUN = "gan.hub-push"; // not empty where this browser has begun a push whose end it has not shown
const BEAT = 1000; // ms between two questions about a push
const TYPING = 400; // ms after the last change until the card is written anew

/** `button` opens the form `element`. */
export class PushPanel {
  /** The model that the form is about. @type {?string} */
  id = null;
  busy = false;
  /** The model for which another part of the page has asked. @type {?string} */
  asked = null;
  /** The push that the form shows. @type {?string} */
  job = null;
  /** Whether this page has asked for a push that began before it. */
  resumed = false;

  /** @param {() => Point} point */
  constructor(point) {
    this.point = point;
    this.button = h(
      "button",
      {
        type: "button",
        class: "xp-button xp-push-opener",
        "aria-expanded": "false",
        "aria-controls": "xp-push",
        onclick: () => this.open(this.element.hidden),
      },
      icon("upload"),
      h("span", {}, t("explore.push")),
    );
    this.fields = new Fields(later(() => this.#refresh(), TYPING));
    this.card = new CardPreview(() => this.#refresh());
    this.go = h("button", { type: "submit", class: "xp-button xp-primary" }, t("explore.push_go"));
    this.status = h("p", { class: "xp-push-status", role: "status" });
    this.why = h("p", { class: "xp-push-why", hidden: true });
    this.about = h("span", {});
    this.who = h(
      "p",
      { class: "xp-push-who" },
      this.about,
      " ",
      h("button", { type: "button", onclick: () => this.#leave() }, t("access.sign_out")),
    );
    this.inputs = h(
      "div",
      { class: "xp-push-inputs" },
      this.who,
      this.fields.element,
      this.card.element,
      h("div", { class: "xp-row" }, this.go, this.status),
    );
    this.element = h(
      "form",
      { class: "xp-push", id: "xp-push", hidden: true, onsubmit: (event) => this.#send(event) },
      this.why,
      this.inputs,
    );
    // Somebody may have signed in, in another tab.
    addEventListener(CONTROL, () => this.#again());
    document.addEventListener("visibilitychange", () => this.#again());
  }

  /** Offer a push of another model. @param {?Model | undefined} model */
  follow(model) {
    this.button.hidden = model?.kind === "hub"; // it is there already
    if (model && model.id !== this.id && !this.busy) this.open(model.id === this.asked);
    if (model) this.asked = null;
    if (model && !this.resumed) this.#resume(model.id);
  }

  /** Open the form if this browser has begun a push whose end it has not shown. @param {string} id */
  async #resume(id) {
    this.resumed = true;
    if (!recall(BEGUN)) return;
    try {
      const { now } = await patiently(() => request("push/now", { query: { id } }));
      if (now && this.element.hidden) this.open(true);
      if (!now) remember(BEGUN, "");
    } catch {
      this.resumed = false; // the next model asks again
    }
  }

  /** Open the form for a model as soon as that is the current one. @param {string} id */
  ask(id) {
    if (this.point().model === id) this.open(true);
    else this.asked = id;
  }

  /** @param {boolean} shown */
  open(shown) {
    this.element.hidden = !shown;
    this.button.setAttribute("aria-expanded", String(shown));
    if (shown && !this.busy) this.#begin();
  }

  async #begin() {
    const before = this.id;
    this.id = this.point().model;
    if (this.id !== before) this.fields.name.value = "";
    this.say("");
    this.job = null;
    this.inputs.hidden = true;
    this.why.hidden = true;
    await this.#read({});
    if (!this.element.hidden && !this.inputs.hidden && !this.job)
      this.fields.name.focus({ preventScroll: true });
  }

  /** Sign out: others may use this browser next, and would push as the same person. */
  async #leave() {
    try {
      setAccess(await request("access/leave", { method: "POST", value: { place: place() } }));
      await this.#begin();
    } catch (error) {
      this.say(sentence(refusal(error)), true);
    }
  }

  /** After a change: write the card anew where it is shown. */
  #refresh() {
    if (this.card.shown && !this.busy) this.#read(this.fields.query());
  }

  /** Ask again who may push, if nobody could. */
  #again() {
    if (!document.hidden && !this.element.hidden && !this.why.hidden && !this.busy) this.#read({});
  }

  /** @param {Query} query */
  async #read(query) {
    const id = this.id;
    try {
      const plan = await patiently(() => request("push", { query: { id, ...query } }));
      if (id === this.id) this.#show(plan);
    } catch (error) {
      if (id !== this.id) return;
      if (this.inputs.hidden) this.#refuse(refusal(error), false);
      else this.say(sentence(refusal(error)), true);
    }
  }

  /** @param {PushPlan} plan */
  #show(plan) {
    if (plan.why) return this.#refuse(plan.why, plan.sign_in);
    this.why.hidden = true;
    this.inputs.hidden = false;
    if (this.status.classList.contains("is-bad")) this.say("");
    this.who.hidden = !plan.name;
    setText(this.about, t("explore.push_as", { name: plan.name ?? "" }));
    this.fields.show(plan);
    this.card.show(plan);
    if (plan.now && plan.now.job !== this.job && !this.busy) {
      this.fields.fill(plan.now);
      this.#watch(plan.now);
    }
  }

  /**
   * Say why there is nothing to push, or nobody who may.
   * @param {Refusal} error
   * @param {boolean} signIn whether a sign-in would help
   */
  #refuse(error, signIn) {
    this.inputs.hidden = true;
    this.why.hidden = false;
    const link = signIn && signInLink(location.hash, true);
    this.why.replaceChildren(sentence(error), ...(link ? [" ", link] : []));
  }

  /** @param {SubmitEvent} event */
  async #send(event) {
    event.preventDefault();
    if (this.busy || !this.id) return;
    this.#work(true);
    this.say(t("explore.push_wait"));
    try {
      const value = { id: this.id, ...this.fields.value() };
      const { job } = await patiently(() => request("push/begin", { method: "POST", value }));
      remember(BEGUN, "1");
      this.#watch({ job, ...value });
    } catch (error) {
      this.#fail(refusal(error));
      this.#work(false);
    }
  }

  /** Show a push until its end. @param {PushNow} push */
  async #watch({ job, id, to }) {
    this.job = job;
    this.#work(true);
    const tell = await this.#end(job).then(
      (address) => () => this.#succeed(to, address),
      (error) => () => this.#fail(refusal(error)),
    );
    remember(BEGUN, "");
    this.#work(false);
    if (id !== this.point().model) {
      this.id = this.point().model; // the reader has moved on; the answer stays
      this.fields.name.value = "";
      await this.#read({});
    }
    tell();
  }

  /**
   * @param {string} to
   * @param {string} address
   */
  #succeed(to, address) {
    remember(OWNER, to.split("/")[0]);
    this.say(t("explore.push_done"));
    this.status.append(" ", h("a", { href: address, target: "_blank", rel: "noopener" }, to));
  }

  /** @param {Refusal} error */
  #fail(error) {
    this.say(sentence(error), true);
    if (error.key === "hub.sign_in_again") this.status.append(" ", signInLink(location.hash, true) ?? "");
  }

  /**
   * Show where a push stands until its end. Resolves to the address of the repository. A server that does not
   * answer is asked again.
   * @param {string} job
   */
  async #end(job) {
    for (;;) {
      try {
        const { stage, address } = await request("push/on", { method: "POST", value: { job } });
        if (stage === "done") return address;
        this.say(t(`explore.push_${stage}`));
      } catch (error) {
        if (!refusal(error).offline) throw error;
        this.say(sentence(refusal(error)), true);
      }
      await new Promise((then) => setTimeout(then, BEAT));
    }
  }

  /** @param {boolean} busy */
  #work(busy) {
    this.busy = busy;
    this.go.disabled = busy;
    this.fields.disable(busy);
  }

  /** @param {string} text */
  say(text, bad = false) {
    setText(this.status, text);
    this.status.classList.toggle("is-bad", bad);
  }
}

/** What a push asks for. `changed` is called after each change. */
class Fields {
  /** @param {() => void} changed */
  constructor(changed) {
    this.name = h("input", {
      type: "text",
      class: "xp-push-name",
      placeholder: "owner/name",
      maxLength: 96,
      required: true,
      spellcheck: false,
      autocapitalize: "none",
      autocomplete: "off",
      oninput: changed,
    });
    this.private = h(
      "select",
      {},
      h("option", { value: "" }, t("explore.push_public")),
      h("option", { value: "1" }, t("explore.push_private")),
    );
    this.licence = h("select", { onchange: changed });
    this.known = h("span", { class: "xp-push-known" });
    this.with_d = h("input", { type: "checkbox", onchange: changed });
    this.d = h("label", { class: "xp-push-d" }, this.with_d, h("span", {}, t("explore.push_d")));
    this.element = h(
      "div",
      { class: "xp-push-fields" },
      field("explore.push_name", this.name),
      field("explore.push_who", this.private),
      field("explore.push_licence", this.licence, this.known),
      this.d,
    );
  }

  /** Take over what the server offers. What the reader has written stays. @param {PushPlan} plan */
  show({ name, to, with_d, licence, licences }) {
    const owner = name ?? recall(OWNER);
    if (!this.name.value && owner) this.name.value = `${owner}/${to.split("/")[1]}`;
    const choices = Object.entries(licences);
    const own = h("option", { value: "" }, t("explore.push_licence_own"));
    const before = this.licence.value;
    this.licence.replaceChildren(
      own,
      ...choices.map(([value, title]) => h("option", { value, selected: value === before }, title)),
    );
    this.licence.hidden = !choices.length;
    this.known.hidden = Boolean(choices.length);
    setText(this.known, licence ?? "");
    this.d.hidden = !with_d;
    if (!with_d) this.with_d.checked = false;
  }

  /** Show what was asked for before. @param {PushNow} now */
  fill({ to, private: hidden, with_d, licence }) {
    this.name.value = to;
    this.private.value = hidden ? "1" : "";
    this.with_d.checked = with_d;
    this.licence.value = licence ?? "";
  }

  value() {
    return {
      to: this.name.value.trim(),
      private: Boolean(this.private.value),
      with_d: this.with_d.checked,
      licence: this.licence.value || null,
    };
  }

  /** What the card depends on. */
  query() {
    const { to, with_d, licence } = this.value();
    return { to: to || null, d: with_d ? 1 : null, licence };
  }

  /** @param {boolean} off */
  disable(off) {
    for (const part of [this.name, this.private, this.licence, this.with_d]) part.disabled = off;
  }
}

/**
 * @param {string} key
 * @param {...HTMLElement} parts
 */
const field = (key, ...parts) => h("label", { class: "xp-push-field" }, h("span", {}, t(key)), parts);

/** The files of a push and its model card. `opened` is called when the reader opens it. */
class CardPreview {
  /** @param {() => void} opened */
  constructor(opened) {
    this.files = h("p", { class: "xp-hint" });
    this.text = h("pre", { class: "xp-push-card", tabIndex: 0, "aria-label": t("explore.push_card") });
    /** @type {HTMLDetailsElement} */
    this.element = h(
      "details",
      { class: "xp-fold", ontoggle: () => this.shown && opened() },
      h("summary", {}, icon("chevron"), t("explore.push_card")),
      this.files,
      this.text,
    );
  }

  get shown() {
    return this.element.open;
  }

  /** @param {PushPlan} plan */
  show({ files, card, scored }) {
    const sent = t("explore.push_files", { files: files.join(", ") });
    setText(this.files, scored ? sent : `${sent} ${t("explore.push_scores")}`);
    setText(this.text, card);
  }
}
