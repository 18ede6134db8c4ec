// A "?" button that explains its neighbour in a sentence or two. The explanation lies over the page and moves
// nothing. One is open at a time: Escape, a press elsewhere, the focus elsewhere or another place closes it.
import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";

const EDGE = 8; // pixels between the note, its button and the edges of the window

let count = 0;
/** The open explanation. @type {?{button: HTMLElement, note: HTMLElement}} */
let open = null;

/** @param {?{button: HTMLElement, note: HTMLElement}} wanted */
function show(wanted) {
  for (const [pair, shown] of /** @type {const} */ ([
    [open, false],
    [wanted, true],
  ])) {
    if (!pair) continue;
    pair.note.hidden = !shown;
    pair.button.setAttribute("aria-expanded", String(shown));
  }
  open = wanted;
  place();
}

/** Put the open explanation below its button, or above it where there is no room below. */
function place() {
  if (!open) return;
  const { note } = open;
  note.style.left = note.style.top = "0";
  const at = open.button.getBoundingClientRect();
  const own = note.getBoundingClientRect(); // not at 0 where an ancestor is transformed
  const { clientWidth, clientHeight } = document.documentElement;
  const left = Math.max(EDGE, Math.min(at.left, clientWidth - own.width - EDGE));
  const below = at.bottom + EDGE;
  const top = below + own.height <= clientHeight ? below : Math.max(EDGE, at.top - own.height - EDGE);
  note.style.left = `${left - own.left}px`;
  note.style.top = `${top - own.top}px`;
}

/** @param {Event} event */
function elsewhere({ target }) {
  if (open && ![open.button, open.note].some((one) => one.contains(/** @type {Node} */ (target)))) show(null);
}

/** @param {KeyboardEvent} event */
function escape(event) {
  if (!open || event.key !== "Escape") return;
  event.stopPropagation();
  open.button.focus();
  show(null);
}

/** Listen for what closes or moves an explanation, once there is one. */
function listen() {
  addEventListener("keydown", escape, true);
  for (const name of ["pointerdown", "focusin"]) addEventListener(name, elsewhere, true);
  for (const name of ["hashchange", "popstate"]) addEventListener(name, () => show(null));
  for (const name of ["scroll", "resize"]) addEventListener(name, place, { capture: true, passive: true });
}

/**
 * [button, note]: the note is hidden until the reader presses the button. The caller places both.
 * @param {string} name
 * @param {string} text
 * @returns {[HTMLButtonElement, HTMLParagraphElement]}
 */
export function help(name, text) {
  if (!count) listen();
  count += 1;
  const note = h("p", { class: "xp-hint gan-help", id: `xp-hint-${count}`, hidden: true }, text);
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
  button.addEventListener("click", () => show(note.hidden ? { button, note } : null));
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
