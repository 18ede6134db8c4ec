// The events of a run beside training, newest first: damage, divergence, full memory, and their remedies.
import { h } from "../../core/dom.js";
import { ago, whole } from "../../core/format.js";
import { known, t } from "../../core/i18n.js";

export class Events {
  constructor() {
    this.element = h("ul", { class: "tr-events", "aria-label": t("stage.events"), hidden: true });
    this.shown = "";
  }

  /** @param {RunEvent[]} events */
  update(events) {
    const minute = Math.floor(Date.now() / 60000);
    const version = `${events.length} ${events.at(-1)?.time} ${minute}`;
    if (version === this.shown) return;
    this.shown = version;
    this.element.hidden = !events.length;
    this.element.replaceChildren(
      ...events
        .slice()
        .reverse()
        .map(({ time, key, values }) => h("li", {}, h("time", {}, ago(time)), " ", eventText(key, values))),
    );
  }
}

/**
 * @param {string} key
 * @param {Values} values
 */
function eventText(key, values) {
  if (!known(`event.${key}`)) return key;
  const shown = Object.entries(values).map(([name, value]) => [
    name,
    Number.isInteger(value) ? whole(Number(value)) : value,
  ]);
  const setting = known(`field.${values.name}`) && { name: t(`field.${values.name}`) }; // of a change
  const why = Array.isArray(values.left_out) && reasons(values.left_out).join(t("left_out.semicolon"));
  return t(`event.${key}`, { ...Object.fromEntries(shown), ...setting, ...(why && { why }) });
}

/**
 * The left-out pictures, each reason with its count and some names. Anybody may have chosen the names, so
 * they are shown as text only.
 * @param {LeftOut[]} groups
 */
export function reasons(groups) {
  const some = groups.filter((group) => known(`left_out.${group?.reason}`) && Array.isArray(group.names));
  return some.map(({ reason, detail, names, count }) => {
    const more = count > names.length ? [...names, "…"] : names;
    const words = count === 1 && known(`own.one_${reason}`) ? `own.one_${reason}` : `left_out.${reason}`;
    return t("left_out.group", {
      count: whole(count),
      reason: t(words, { detail: detail || "?" }),
      names: more.join(t("left_out.comma")),
    });
  });
}
