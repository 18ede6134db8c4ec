// <gan-own>: uploaded pictures, or a data set of the Hub. The reader chooses or drops files, the server surveys
// them, and the report is shown before training.
import { request } from "../../core/api.js";
import { h, icon, setText } from "../../core/dom.js";
import { CHOOSE, FORM, OFFER } from "../../core/events.js";
import { fileSize, whole } from "../../core/format.js";
import { sentence, t } from "../../core/i18n.js";
import { catalogue } from "../catalogue.js";
import { leftOut, summary } from "./own-report.js";
import { HubField, pulled, sourceText } from "./own-hub.js";
import { asked } from "./own-settings.js";
import { formNow } from "./settings.js";
import { holdsFolder, isZip, limitsText, send, tooMuch } from "./upload.js";

const AGAIN = 2000; // ms before a retry if no server answers
const ONE_MORE = ["ui.one_picture", "ui.one_usable"]; // errors that one more picture mends
/** @type {OwnValue} */
const NOTHING = { files: [], hub: null, report: null, suggestions: null, refused: null, set: {}, turn: 0 };

class OwnPictures extends HTMLElement {
  /** @type {OwnValue} */ value = { ...NOTHING };
  sending = false;
  /** Ends the sending or reading. @type {?AbortController} */ controller = null;
  /** The sending or reading. @type {?Promise<void>} */ working = null;
  /** @type {UploadLimits | undefined} */ limits;
  /** Names of the form's settings. @type {string[] | undefined} */ fields;
  /** The report on the screen. @type {?PicturesReport} */ shown = null;
  input = h("input", { type: "file", multiple: true, tabindex: "-1", "aria-hidden": "true" });
  limitsLine = h("small", { class: "ow-limits" });
  status = h("p", { class: "ow-status", role: "status" });
  fill = h("i");
  bar = h("div", { class: "ow-bar", hidden: true }, this.fill);
  name = h("b");
  size = h("small");
  zone = h(
    "button",
    { type: "button", class: "ow-zone", onclick: () => this.input.click() },
    icon("upload"),
    h("b", {}, t("own.choose")),
    h("span", { class: "ow-drop" }, t("own.drop")),
    this.limitsLine,
  );
  more = h(
    "button",
    { type: "button", class: "ow-tool", onclick: () => this.input.click() },
    icon("plus"),
    h("span", {}, t("own.add")),
  );
  out = h(
    "button",
    { type: "button", class: "ow-tool", onclick: () => this.clear() },
    icon("close"),
    h("span", {}, t("own.remove")),
  );
  row = h(
    "div",
    { class: "ow-row", hidden: true },
    h("div", { class: "ow-file" }, h("p", {}, this.name, this.size), this.more, this.out),
    this.bar,
    this.status,
  );
  error = h("div", { class: "tr-error", role: "alert", hidden: true });
  found = h("div", { class: "ow-found", "aria-live": "polite", hidden: true });
  asked = asked((name, value) => this.set(name, value));
  hub = new HubField((id, cap) => this.pull({ id, cap }));

  async connectedCallback() {
    if (this.firstChild) return;
    this.addEventListener(OFFER, (event) => this.offered(event.detail));
    this.build();
    this.offered(JSON.parse(this.dataset.value ?? "null"));
    const offer = await catalogue().catch(() => null);
    if (!offer) return;
    const { limits, suffixes, fields, hub } = offer;
    this.hub.limit(hub);
    this.limits = limits;
    this.fields = fields;
    addEventListener(FORM, () => this.mirror());
    this.input.accept = suffixes.join(",");
    setText(this.limitsLine, limitsText(limits));
  }

  build() {
    this.input.addEventListener("change", () => {
      this.add([...(this.input.files ?? [])]);
      this.input.value = ""; // so that the same file can be chosen again
    });
    this.append(this.input, this.zone, this.hub.element, this.row, this.error, this.found);
    for (const name of /** @type {const} */ (["dragenter", "dragover", "dragleave", "drop"]))
      this.addEventListener(name, (event) => this.drag(event));
  }

  /** @param {DragEvent} event */
  drag(event) {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    this.classList.toggle("is-over", event.type === "dragenter" || event.type === "dragover");
    if (event.type !== "drop" || !event.dataTransfer) return;
    if (holdsFolder(event.dataTransfer)) this.tell({ say: "own.no_folders" });
    else this.add([...event.dataTransfer.files]);
  }

  /**
   * Add chosen files. Pictures join those that are there; a zip stands alone.
   * @param {File[]} chosen
   */
  add(chosen) {
    if (!chosen.length) return;
    const beside = this.sending || [...chosen, ...this.value.files].some(isZip) ? [] : this.value.files;
    const refused = this.limits && tooMuch([...beside, ...chosen], this.limits);
    if (refused) {
      this.tell(refused);
      return;
    }
    this.stop();
    this.work(async (signal) => {
      this.sending = true;
      this.show({
        ...NOTHING,
        turn: this.value.turn,
        files: [...beside, ...chosen.map(({ name, size }) => ({ name, size }))],
      });
      this.more.hidden = true;
      this.progress(0);
      const paths = await send(chosen, (part) => this.progress(part), signal);
      this.sending = false;
      const sent = chosen.map(({ name, size }, index) => ({ name, size, path: paths[index] }));
      this.choose({ ...this.value, files: [...beside, ...sent] });
      await this.read(signal);
    });
  }

  /**
   * Pull a data set of the Hub instead of files.
   * @param {HubSet} hub
   */
  pull(hub) {
    this.stop();
    this.work(async (signal) => {
      this.show({ ...NOTHING, turn: this.value.turn, hub });
      this.progress(null, t("own.hub_pulling"));
      this.choose({ ...this.value, ...(await pulled(hub, signal)) });
    });
  }

  /**
   * Make the server survey the uploaded files.
   * @param {AbortSignal} signal
   */
  async read(signal) {
    this.progress(null);
    const files = this.value.files.map((file) => file.path);
    for (;;) {
      /** @type {Answers["pictures"]} */
      const answer = await request("pictures", { method: "POST", value: { files }, signal }).catch(
        (error) => {
          if (!error.offline) throw error;
          return { offline: true };
        },
      );
      const { report, suggestions = null } = answer;
      if (report) {
        this.choose({ ...this.value, report, suggestions });
        return;
      }
      if (answer.offline) await new Promise((later) => setTimeout(later, AGAIN));
      signal.throwIfAborted();
    }
  }

  /**
   * Run one task at a time, uploading or surveying, until it ends or the reader chooses other files.
   * `settled` waits for it.
   * @param {(signal: AbortSignal) => Promise<void>} task
   */
  work(task) {
    const controller = new AbortController();
    this.controller = controller;
    this.working = task(controller.signal)
      .catch((error) => {
        if (this.controller === controller) this.refuse(error);
      })
      .finally(() => {
        if (this.controller === controller) this.rest();
      });
  }

  /** The value after the running task. */
  async settled() {
    while (this.working) await this.working;
    return this.value;
  }

  stop() {
    this.controller?.abort();
    this.rest();
  }

  rest() {
    this.controller = this.working = null;
    this.sending = false;
    this.bar.hidden = true;
    setText(this.status, "");
  }

  clear() {
    this.stop();
    this.choose({ ...NOTHING, turn: this.value.turn });
    this.zone.focus();
  }

  /**
   * Drop files that can't be used, unless one more picture is all that is missing. The reason stays until
   * other files are chosen.
   * @param {Refusal} error
   */
  refuse(error) {
    const files = ONE_MORE.includes(error.key ?? "") ? this.value.files : [];
    this.choose({ ...NOTHING, turn: this.value.turn, files, refused: error });
  }

  /**
   * Refuse the newest files, and keep the earlier ones.
   * @param {Refusal} error
   */
  tell(error) {
    const value = { ...this.value, refused: error };
    if (this.working) this.show(value);
    else this.choose(value);
  }

  /** @param {?number} part */
  progress(part, waiting = t("own.reading")) {
    this.bar.hidden = false;
    this.bar.classList.toggle("is-waiting", part === null || part === 1);
    this.fill.style.width = part === null ? "" : `${100 * part}%`;
    setText(this.status, part === null ? waiting : t("own.sending", { percent: whole(100 * part) }));
  }

  /**
   * A switch beside the pictures was moved: treat it as a setting that was made by hand.
   * @param {string} name
   * @param {Setting} value
   */
  set(name, value) {
    this.choose({ ...this.value, set: { [name]: value }, turn: this.value.turn + 1 });
  }

  /** @param {OwnValue} value */
  choose(value) {
    this.show(value);
    this.dispatchEvent(new CustomEvent(CHOOSE, { detail: value }));
  }

  /**
   * Take over the form's value: our own, or one from before a reload.
   * @param {?OwnValue} value
   */
  offered(value) {
    if (!value || JSON.stringify(value) === JSON.stringify(this.value) || this.working) return;
    this.show({ ...NOTHING, ...value });
    if (value.report || value.refused) return;
    if (value.hub) this.pull(value.hub);
    else if (value.files.length) this.work((signal) => this.read(signal));
  }

  /** @param {OwnValue} value */
  show(value) {
    this.value = value;
    const { files, hub, report, refused } = value;
    const chosen = files.length > 0 || Boolean(hub);
    this.error.hidden = !refused;
    setText(this.error, refused?.say ? t(refused.say, refused.values) : sentence(refused));
    const focused = document.activeElement === this.zone;
    this.zone.hidden = chosen;
    this.hub.show(!chosen);
    this.row.hidden = !chosen;
    if (focused && chosen) this.out.focus(); // hiding the button would lose its focus
    if (files.length) {
      this.more.hidden = files.some(isZip);
      setText(this.name, files.length === 1 ? files[0].name : t("own.files", { count: whole(files.length) }));
      setText(this.size, fileSize(files.reduce((sum, file) => sum + file.size, 0)));
    } else if (hub) {
      this.more.hidden = true;
      setText(this.name, hub.id);
      setText(this.size, t("own.hub_most", { count: whole(hub.cap) }));
    }
    this.found.hidden = !report;
    if (report !== this.shown) this.found.replaceChildren(...(report ? this.told(report, hub ?? null) : []));
    this.shown = report;
    this.mirror();
  }

  /**
   * What was read, in lines.
   * @param {PicturesReport} report
   * @param {?HubSet} hub
   */
  told(report, hub) {
    const parts = [
      hub?.source ? h("p", { class: "ow-line ow-source" }, sourceText(hub.source)) : null,
      ...summary(report),
      this.asked.root,
      leftOut(report.left_out),
    ];
    return parts.filter((part) => part !== null);
  }

  /** Show the form's settings beside the pictures. */
  mirror() {
    const { report, suggestions } = this.value;
    const form = formNow();
    if (!report || !form || !this.fields) return;
    const [, , recipe, , , ...values] = form;
    const settings = Object.fromEntries(this.fields.map((name, index) => [name, values[index]]));
    this.asked.show(report, suggestions ?? {}, recipe, settings);
  }
}

customElements.define("gan-own", OwnPictures);
