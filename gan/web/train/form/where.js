// <gan-where>: the machine that trains the new run, this one or a job on the Hugging Face Hub.
import { FORM } from "../../core/events.js";
import { MachineChoice } from "../jobs.js";
import { formNow } from "./settings.js";

class Where extends HTMLElement {
  choice = new MachineChoice({ here: true });

  connectedCallback() {
    if (this.firstChild) return;
    this.append(this.choice.element);
    addEventListener(FORM, (event) => this.update(event.detail[3]));
    this.update(formNow()?.[3] ?? 0);
  }

  /** A job ends by its minutes, so a budget in images trains here. @param {Budget} budget */
  update(budget) {
    this.hidden = typeof budget !== "number";
    if (typeof budget === "number") this.choice.update(budget);
  }

  get flavor() {
    return this.hidden ? "" : this.choice.flavor;
  }
}

customElements.define("gan-where", Where);
