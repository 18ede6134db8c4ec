// A line under the large picture: who draws it, this browser or the server, and how long that takes here.
import { h, setText, t } from "../common.js";

const CALM = 500; // ms between two times on the screen: nobody reads sixty a second

/** `tell(ms, model)` after each picture: ms for one drawn here, null for one of the server. Readers of the screen hear of a change of path alone. */
export class Path {
  constructor() {
    this.name = h("span", { role: "status" });
    this.time = h("span", { class: "xp-ms", "aria-hidden": "true" });
    this.element = h("p", { class: "xp-path" }, this.name, this.time);
    this.told = 0;
  }

  tell(ms, model) {
    const here = ms !== null;
    this.element.classList.toggle("is-here", here);
    setText(this.name, t(here ? "explore.path_browser" : model?.live ? "explore.path_live" : "explore.path_server"));
    if (here && performance.now() - this.told < CALM && this.time.textContent) return;
    this.told = performance.now();
    setText(this.time, here ? ` · ${t("explore.path_ms", { ms: Math.max(1, Math.round(ms)) })}` : "");
  }
}
