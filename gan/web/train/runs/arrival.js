// The button that adds a run from a file, which another server's "Download this run" has written.
import { patiently, request } from "../../core/api.js";
import { h, icon, setText } from "../../core/dom.js";
import { refusal, sentence, t } from "../../core/i18n.js";
import { refresh, view } from "../../shell/run-feed.js";
import { send } from "../form/upload.js";

const MOST = 200 * 2 ** 20; // bytes of one upload, as in gan/ui/server/requests/uploads.py

export class Arrival {
  /** @param {(text: string, bad?: boolean) => void} say */
  constructor(say) {
    this.say = say;
    this.name = h("span", {}, t("stage.bring"));
    this.field = h("input", {
      type: "file",
      accept: ".zip",
      hidden: true,
      "aria-label": t("stage.bring"),
      onchange: () => this.take(),
    });
    this.button = h(
      "button",
      { type: "button", class: "tr-button", onclick: () => this.field.click() },
      icon("upload"),
      this.name,
    );
    this.element = h("p", { class: "tr-bring needs-control" }, this.button, this.field);
  }

  /** Upload the chosen file, and show the run. */
  async take() {
    const file = this.field.files?.[0];
    this.field.value = ""; // so that the same file can be chosen again
    if (!file || this.button.disabled) return;
    this.button.disabled = true;
    try {
      if (file.size > MOST) throw { key: "mirror.too_large", values: { megabytes: MOST / 2 ** 20 } };
      const progress = (/** @type {number} */ part) =>
        setText(this.name, t("stage.bringing", { percent: Math.round(100 * part) }));
      const files = await send([file], progress, new AbortController().signal);
      const { run } = await patiently(
        () => {
          progress(1);
          return request("runs/arrive", { method: "POST", value: { files } });
        },
        () => setText(this.name, t("common.waits")),
      );
      this.say(t("stage.bring_done"));
      view(run);
      refresh();
    } catch (thrown) {
      const error = refusal(thrown);
      this.say(error.say ? t(error.say, error.values) : sentence(error), true);
    }
    this.button.disabled = false;
    setText(this.name, t("stage.bring"));
  }
}
