// What befell a run beside training, newest first: nothing of it happens in silence.
import { ago, h, known, t } from "../common.js";

export class Events {
  constructor() {
    this.element = h("ul", { class: "tr-events", "aria-label": t("stage.events"), hidden: true });
    this.shown = "";
  }

  update(events) {
    const minute = Math.floor(Date.now() / 60000);
    const version = `${events.length} ${events.at(-1)?.time} ${minute}`;
    if (version === this.shown) return;
    this.shown = version;
    this.element.hidden = !events.length;
    this.element.replaceChildren(...events.slice().reverse().map(({ time, key, values }) => h("li", {}, h("time", {}, ago(time)), " ", told(key, values))));
  }
}

const told = (key, values) => (known(`event.${key}`) ? t(`event.${key}`, values) : key);
