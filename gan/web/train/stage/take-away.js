// What everybody may take away of the shown run: a report, and its statistics as files.
import { patiently } from "../../core/api.js";
import { h, icon, must, setText } from "../../core/dom.js";
import { lang, refusal, sentence, t } from "../../core/i18n.js";
import { fetched, save } from "../../renderer/pictures.js";

/** Name in the texts -> the route below the run's, and its query. @type {Record<string, [string, Query]>} */
const FILES = { report: ["report", { lang }], csv: ["statistics.csv", {}], jsonl: ["statistics.jsonl", {}] };

export class TakeAway {
  /** @type {?string} */
  id = null;

  constructor() {
    this.note = h("p", { class: "tr-said is-bad", role: "status" });
    this.element = h(
      "div",
      { class: "tr-take", role: "group", "aria-label": t("take.away"), hidden: true },
      Object.keys(FILES).map((name) => this.button(name)),
      this.note,
    );
  }

  /** @param {string} name */
  button(name) {
    const label = h("span", {}, t(`take.${name}`));
    /** @type {HTMLButtonElement} */
    const button = h(
      "button",
      {
        type: "button",
        class: "tr-button",
        "data-take": name,
        title: t(`take.${name}_hint`),
        onclick: () => this.take(name, button, label),
      },
      icon("download"),
      label,
    );
    return button;
  }

  /** @param {Run} run */
  update(run) {
    if (run.id !== this.id) setText(this.note, "");
    this.id = run.id;
    this.element.hidden = !run.config || !run.status.step; // it has no statistics yet
  }

  /**
   * @param {string} name
   * @param {HTMLButtonElement} button
   * @param {HTMLElement} label
   */
  async take(name, button, label) {
    const [route, query] = FILES[name];
    button.disabled = true;
    setText(this.note, "");
    try {
      const reply = await patiently(
        () => {
          setText(label, t("stage.taking"));
          return fetched(`runs/${this.id}/${route}`, query, 1);
        },
        () => setText(label, t("common.waits")),
      );
      const [, file] = must(
        /filename="([^"]+)"/.exec(reply.headers.get("Content-Disposition") ?? ""),
        "name of the file",
      );
      save(await reply.blob(), file);
    } catch (error) {
      setText(this.note, sentence(refusal(error)));
    }
    button.disabled = false;
    setText(label, t(`take.${name}`));
  }
}
