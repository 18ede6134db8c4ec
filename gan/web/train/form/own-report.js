// The server's report on uploaded pictures, in sentences. Anybody may have chosen file and folder names, so
// they are shown as text only.
import { h } from "../../core/dom.js";
import { whole } from "../../core/format.js";
import { t } from "../../core/i18n.js";
import { reasons } from "../stage/events.js";

const CLASSES = 12; // named classes; the others are counted

/**
 * The part of the panel about the number of pictures, their classes, and odd ones.
 * @param {PicturesReport} report
 */
export function summary(report) {
  const { count, copies } = report;
  return [
    h("p", { class: "ow-count" }, t(count === 1 ? "own.count_one" : "own.count", { count: whole(count) })),
    h("p", { class: "ow-line" }, classesText(report)),
    copies > 0 &&
      h("p", { class: "ow-line is-warn" }, t("own.copies", { count: whole(copies), total: whole(count) })),
    report.unread > 0 &&
      h("p", { class: "ow-line is-warn" }, t("own.unread", { count: whole(report.unread) })),
    report.names_read_as &&
      h("p", { class: "ow-line is-warn" }, t("own.names_read_as", { codes: report.names_read_as })),
  ].filter((part) => part instanceof Node);
}

/** @param {PicturesReport} report */
function classesText({ count, classes, too_many_classes: tooMany, most_classes: most, loose }) {
  if (tooMany) return t("own.too_many_classes", { count: whole(tooMany), most: whole(most) });
  if (loose) return t("own.loose_images", { loose: whole(loose), count: whole(count) });
  if (!classes.length) return t("own.no_classes");
  const list = classes
    .slice(0, CLASSES)
    .map(([name, number]) => t("own.class", { name, count: whole(number) }))
    .join(t("left_out.comma"));
  const more =
    classes.length > CLASSES ? t("own.more_classes", { count: whole(classes.length - CLASSES) }) : "";
  return t("own.classes", { count: whole(classes.length), list: list + more });
}

/**
 * The left-out pictures by reason, with some names; null if there are none.
 * @param {LeftOut[]} groups
 */
export function leftOut(groups) {
  if (!groups.length) return null;
  const total = groups.reduce((sum, group) => sum + group.count, 0);
  return h(
    "div",
    { class: "ow-left" },
    h("p", { class: "ow-line is-warn" }, t("own.left_out", { count: whole(total) })),
    h(
      "ul",
      {},
      reasons(groups).map((text) => h("li", {}, text)),
    ),
  );
}
