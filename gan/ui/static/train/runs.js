// The list of runs, folded at the end of the stage: choose any to look at it.
import { ago, h, setText, short, t } from "../common.js";
import { view } from "../live.js";
import { dataName, recipeName } from "./offer.js";

export class Runs {
  constructor() {
    this.count = h("span");
    this.items = h("ul", { class: "tr-runs" });
    this.element = h("details", { class: "tr-more tr-list" }, h("summary", {}, t("stage.runs"), " ", this.count), this.items);
  }

  update(runs, queue, shown) {
    this.element.hidden = !runs.length;
    setText(this.count, `(${runs.length})`);
    const minute = Math.floor(Date.now() / 60000);
    if (runs === this.runs && shown === this.shown && minute === this.minute && String(queue) === this.queue) return;
    Object.assign(this, { runs, shown, minute, queue: String(queue) });
    this.items.replaceChildren(...runs.map((run) => this.item(run, queue)));
  }

  choose(id) {
    view(id);
    this.element.closest("gan-stage")?.reveal();
  }

  item(run, queue) {
    const place = queue.indexOf(run.id);
    const state = place >= 0 ? t("stage.place", { place: place + 1 }) : t(`state.${run.state}`);
    const facts = [run.recipe && recipeName(run.recipe), run.images ? t("stage.kimg", { kimg: short(run.images / 1000) }) : null, ago(run.created)].filter(Boolean);
    return h("li", {}, h("button", { type: "button", "aria-current": run.id === this.shown ? "true" : "false", onclick: () => this.choose(run.id) },
      h("i", { "data-state": run.state }), h("b", {}, run.data ? dataName(run.data) : run.id), h("span", {}, facts.join(" · ")), h("small", {}, state)));
  }
}
