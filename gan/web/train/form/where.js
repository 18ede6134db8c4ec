// <gan-where>: the machine that trains the new run, this one or a job on the Hugging Face Hub.
import { FORM } from "../../core/events.js";
import { MachineChoice } from "../jobs.js";
import { formNow } from "./settings.js";

class Where extends HTMLElement {
  choice = new MachineChoice({ here: true });

  connectedCallback() {
    if (this.firstChild) return;
    this.append(this.choice.element);
    addEventListener(FORM, (event) => this.choice.update(event.detail[3]));
    this.choice.update(formNow()?.[3] ?? 0);
  }

  get flavor() {
    return this.choice.flavor;
  }
}

customElements.define("gan-where", Where);
