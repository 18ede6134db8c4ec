// The point in the address bar: another model or another view is another entry of the browser's history, all else changes the entry where we are.
import { later } from "./latest.js";
import { addressed, parsed, remember, restore } from "./point.js";
import { readHash } from "../common.js";

const SOON = 300; // ms after the last movement

/** `follow(before)` after each move of the explorer's point. Back, forward and an edited address move the point themselves. */
export class Trail {
  constructor(explorer) {
    Object.assign(this, { explorer, adopting: false });
    this.soon = later(() => remember(explorer.point), SOON);
    addEventListener("popstate", () => this.soon.cancel()); // the address is that of another entry by now
    addEventListener("hashchange", () => addressed() && this.#adopt());
  }

  follow(before) {
    const { point } = this.explorer;
    const elsewhere = ({ model, view }) => model !== point.model || view !== point.view;
    if (this.adopting || !before.model || !elsewhere(before) || !elsewhere(parsed(Object.fromEntries(readHash())))) return void this.soon();
    this.soon.cancel();
    remember(before);
    remember(point, true);
  }

  #adopt() {
    this.adopting = true;
    try {
      this.explorer.adopt(restore());
    } finally {
      this.adopting = false;
    }
  }
}
