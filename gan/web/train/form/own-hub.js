// The field beside uploaded pictures that names a data set of the Hugging Face Hub, and the requests that pull it.
import { request } from "../../core/api.js";
import { isVisitor } from "../../core/control.js";
import { h } from "../../core/dom.js";
import { CONTROL } from "../../core/events.js";
import { whole } from "../../core/format.js";
import { t } from "../../core/i18n.js";

const AGAIN = 2000; // ms before a retry if no server answers

/** A name and a number of pictures. `pick(id, cap)` gets both. */
export class HubField {
  /** @param {(id: string, cap: number) => void} pick */
  constructor(pick) {
    this.name = h("input", {
      type: "text",
      class: "ow-hub-name",
      placeholder: "owner/name",
      maxLength: 300,
      spellcheck: false,
      autocapitalize: "none",
      autocomplete: "off",
      "aria-label": t("own.hub_name"),
    });
    this.cap = h("input", {
      type: "number",
      class: "ow-hub-cap",
      min: "2",
      inputmode: "numeric",
      "aria-label": t("own.hub_cap"),
      title: t("own.hub_cap"),
    });
    this.note = h("small");
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      const id = this.name.value.trim();
      if (id) pick(id, this.cap.valueAsNumber);
    };
    this.element = h(
      "form",
      { class: "ow-hub", onsubmit: submit },
      h("b", {}, t("own.hub")),
      h("div", {}, this.name, this.cap, h("button", { type: "submit", class: "ow-tool" }, t("own.hub_get"))),
      this.note,
    );
    addEventListener(CONTROL, () => this.allow());
    this.allow();
  }

  /** Only those who control all runs may pull. */
  allow() {
    this.element.classList.toggle("is-closed", isVisitor());
  }

  /** @param {{cap: number, most: number}} limits */
  limit({ cap, most }) {
    this.cap.max = String(most);
    this.cap.value = String(cap);
    this.note.textContent = t("own.hub_note", { most: whole(most) });
  }

  /** @param {boolean} on */
  show(on) {
    this.element.hidden = !on;
  }
}

/**
 * Make the server pull a data set, and return it with the report on its pictures.
 * @param {HubSet} asked
 * @param {AbortSignal} signal
 */
export async function pulled({ id, cap }, signal) {
  for (;;) {
    /** @type {Answers["pictures/pull"]} */
    const answer = await request("pictures/pull", { method: "POST", value: { id, cap }, signal }).catch(
      (error) => {
        if (!error.offline) throw error;
        return { offline: true };
      },
    );
    const { set, source, report, suggestions = null } = answer;
    if (set && source && report) return { hub: { id, cap, set, source }, report, suggestions };
    if (answer.offline) await new Promise((later) => setTimeout(later, AGAIN));
    signal.throwIfAborted();
  }
}

/** Where the pictures come from, and their licence. @param {HubSource} source */
export const sourceText = ({ name, commit, licence, title }) =>
  t("own.hub_source", { name: title ? `${title} (${name})` : name, commit: commit.slice(0, 12), licence });
