// A "?" button that explains its neighbour in a sentence or two.
import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";

let count = 0;

/**
 * [button, note]: the note is hidden until the reader presses the button. The caller places both.
 * @param {string} name
 * @param {string} text
 * @returns {[HTMLButtonElement, HTMLParagraphElement]}
 */
export function help(name, text) {
  count += 1;
  const note = h("p", { class: "xp-hint", id: `xp-hint-${count}`, hidden: true }, text);
  const button = h(
    "button",
    {
      type: "button",
      class: "xp-help",
      "aria-expanded": "false",
      "aria-controls": note.id,
      "aria-label": t("explore.about", { name }),
    },
    "?",
  );
  button.addEventListener("click", () => {
    note.hidden = !note.hidden;
    button.setAttribute("aria-expanded", String(!note.hidden));
  });
  return [button, note];
}

/**
 * [header, note] of a section: its title, its "?", and further elements.
 * @param {string} title
 * @param {string} text
 * @param {...Child | Child} beside
 */
export function heading(title, text, ...beside) {
  const [button, note] = help(title, text);
  return [h("header", {}, h("h3", {}, title), button, ...beside), note];
}
