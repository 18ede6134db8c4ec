// <gan-points>: an uploaded file of points. The reader chooses or drops it, and the server checks it at once.
import { patiently, request } from "../../core/api.js";
import { h, icon, setText } from "../../core/dom.js";
import { CHOOSE, FORM } from "../../core/events.js";
import { whole } from "../../core/format.js";
import { sentence, t } from "../../core/i18n.js";
import { catalogue } from "../catalogue.js";
import { formNow, POINTS_BATCH } from "./settings.js";
import { holdsFolder, send, tooMuch } from "./upload.js";

// Where this tab keeps the file's place on the server, for a page that is loaded again.
const KEPT = "gan_points";

class OwnPoints extends HTMLElement {
  /** The checked file. @type {?PointsFile} */ value = null;
  /** Ends the upload. @type {?AbortController} */ controller = null;
  /** The upload and the check of a file. @type {?Promise<void>} */ working = null;
  /** @type {UploadLimits | undefined} */ limits;
  input = h("input", { type: "file", tabindex: "-1", "aria-hidden": "true" });
  zone = h(
    "button",
    { type: "button", class: "ow-zone", onclick: () => this.input.click() },
    icon("upload"),
    h("b", {}, t("train.points_choose")),
    h("small", { class: "ow-limits" }, t("train.points_format")),
  );
  status = h("p", { class: "ow-status", role: "status" });
  few = h("p", { class: "ow-line", hidden: true });
  /** The place of the batch among the form's settings. */ batch = -1;
  error = h("div", { class: "tr-error", role: "alert", hidden: true });

  async connectedCallback() {
    if (this.firstChild) return;
    this.append(this.input, this.zone, this.status, this.few, this.error);
    addEventListener(FORM, () => this.mirror());
    this.input.addEventListener("change", () => {
      this.take([...(this.input.files ?? [])]);
      this.input.value = ""; // so that the same file can be chosen again
    });
    for (const name of /** @type {const} */ (["dragenter", "dragover", "dragleave", "drop"]))
      this.addEventListener(name, (event) => this.drag(event));
    const offer = await catalogue().catch(() => null);
    if (!this.working) this.show(restored()); // Gradio has bound our value by now
    if (!offer) return;
    this.limits = offer.points_limits;
    this.input.accept = offer.points_suffixes.join(",");
    this.batch = offer.fields.indexOf(POINTS_BATCH);
    this.mirror();
  }

  /** @param {DragEvent} event */
  drag(event) {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    this.classList.toggle("is-over", event.type === "dragenter" || event.type === "dragover");
    if (event.type !== "drop" || !event.dataTransfer) return;
    if (!holdsFolder(event.dataTransfer)) {
      this.take([...event.dataTransfer.files]);
      return;
    }
    this.drop();
    this.refuse({ say: "train.points_one" });
  }

  /** Begin with the chosen file, and drop the one before. @param {File[]} files */
  take(files) {
    if (!files.length) return;
    this.drop();
    this.controller = new AbortController();
    this.working = this.upload(files, this.controller.signal);
  }

  /** End a running upload, and forget the file. */
  drop() {
    this.controller?.abort();
    this.show(null);
  }

  /** The checked file, once a running upload has ended; the reader may replace the file meanwhile. */
  async settled() {
    let working;
    do {
      working = this.working;
      await working;
    } while (working !== this.working);
    return this.value;
  }

  /**
   * Upload one file, and let the server check it.
   * @param {File[]} files
   * @param {AbortSignal} signal
   */
  async upload([file, second], signal) {
    const { name, size } = file;
    const refused = second
      ? { say: "train.points_one" }
      : this.limits && tooMuch([{ name, size }], this.limits);
    try {
      if (refused) throw refused;
      setText(this.status, t("train.points_reading"));
      const [path] = await send([file], () => {}, signal);
      const { count } = await patiently(
        () => request("points", { method: "POST", value: { files: [path] }, signal }),
        (error) => !signal.aborted && setText(this.status, sentence(error)),
      );
      this.show({ name, path, count });
    } catch (error) {
      if (!signal.aborted) this.refuse(error);
    }
  }

  /** @param {?PointsFile} value */
  show(value) {
    this.value = value;
    this.dispatchEvent(new CustomEvent(CHOOSE, { detail: value }));
    this.mirror();
    this.error.hidden = true;
    setText(
      this.status,
      value ? t("train.points_found", { name: value.name, count: whole(value.count) }) : "",
    );
    try {
      if (value) sessionStorage.setItem(KEPT, JSON.stringify(value));
      else sessionStorage.removeItem(KEPT);
    } catch {} // some embedded frames may not use the storage
  }

  /** Say where the form's batch holds all points. */
  mirror() {
    const [, , , , , ...settings] = formNow() ?? [];
    const { value } = this;
    this.few.hidden = !value || settings[this.batch] !== value.count;
    setText(this.few, value ? t("train.points_few", { count: whole(value.count) }) : "");
  }

  /** @param {any} error a Refusal, or {say, values} with a text of the page */
  refuse(error) {
    setText(this.status, "");
    setText(
      this.error,
      error.say === "own.file_too_large"
        ? t("train.points_too_large", error.values)
        : error.say
          ? t(error.say, error.values)
          : sentence(error),
    );
    this.error.hidden = false;
  }
}

/** @returns {?PointsFile} */
function restored() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  } catch {
    return null;
  }
}

customElements.define("gan-points", OwnPoints);
