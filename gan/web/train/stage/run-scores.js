// The scores of the shown run, or the button that computes them once the run is over.
import { request } from "../../core/api.js";
import { controls, isVisitor } from "../../core/control.js";
import { h, icon, setText } from "../../core/dom.js";
import { CONTROL } from "../../core/events.js";
import { refusal, sentence, t } from "../../core/i18n.js";
import { comparison, scoreRows } from "../../explore/panels/scores.js";
import { refresh } from "../../shell/run-feed.js";
import { ENDED } from "./run-controls.js";

export class RunScores {
  /** @type {?string} */
  id = null;
  /** JSON of what is on the screen. */
  shown = "";
  /** A refusal of the last press. */
  refused = "";

  constructor() {
    this.list = h("dl", { class: "tr-figures" });
    this.note = h("p", { class: "tr-said", role: "status" });
    this.name = h("span", {}, t("score.start"));
    this.button = h(
      "button",
      {
        type: "button",
        class: "tr-button needs-control",
        "data-command": "score",
        onclick: () => this.start(),
      },
      icon("check"),
      this.name,
    );
    this.element = h(
      "section",
      { class: "tr-scores", "aria-label": t("explore.scores"), hidden: true },
      this.list,
      this.button,
      this.note,
    );
    addEventListener(CONTROL, () => this.allow());
  }

  /** @param {Run} run */
  update(run) {
    if (run.id !== this.id) this.refused = "";
    this.id = run.id;
    const { scored, scoring, status, config } = run;
    const offered = ENDED.includes(status.state) && config?.kind === "images" && status.live_step !== null;
    this.element.hidden = !scored && !offered;
    this.button.hidden = Boolean(scored) || !offered;
    this.busy = scoring.stage !== null;
    setText(this.name, t(this.busy ? `score.${scoring.stage}` : "score.start"));
    this.show(scored);
    const error = this.refused || (scoring.error && sentence(scoring.error)) || "";
    setText(this.note, scored ? comparison(scored) : this.busy ? "" : error);
    this.note.classList.toggle("is-bad", !scored && Boolean(error));
    this.allow();
  }

  /** @param {?Scored} scored */
  show(scored) {
    const shown = JSON.stringify(scored);
    if (shown === this.shown) return;
    this.shown = shown;
    this.list.hidden = !scored;
    const rows = scored ? scoreRows(scored) : [];
    this.list.replaceChildren(
      ...rows.map(({ label, value, hint }) =>
        h("div", { title: hint }, h("dt", {}, label), h("dd", {}, value)),
      ),
    );
  }

  allow() {
    const allowed = controls(this.id);
    this.button.disabled = this.busy || (isVisitor() && !allowed);
    this.button.title = isVisitor() && !allowed ? t("access.others_run") : t("score.hint");
  }

  async start() {
    this.refused = "";
    this.button.disabled = true;
    try {
      await request(`runs/${this.id}/score`, { method: "POST" });
    } catch (error) {
      this.refused = sentence(refusal(error));
      setText(this.note, this.refused);
      this.note.classList.add("is-bad");
    }
    refresh();
    setTimeout(() => this.allow(), 400);
  }
}
