// A button that copies the address of the current point.
import { h, icon, setText } from "../../core/dom.js";
import { t } from "../../core/i18n.js";
import { linkTo } from "../url-state.js";

const SAID = 2500; // ms for which it shows that it has copied

/** `element` is the button. */
export class Share {
  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    this.name = h("span", { "aria-live": "polite" }, t("explore.link"));
    this.element = h(
      "button",
      {
        type: "button",
        class: "xp-button xp-quiet xp-link",
        title: t("explore.link_hint"),
        onclick: () => this.#copy(),
      },
      icon("link"),
      this.name,
    );
  }

  async #copy() {
    const { point } = this.explorer;
    if (!point.model) return;
    const link = linkTo(point);
    if (await copied(link)) this.#confirm();
    else this.explorer.say({ text: t("explore.link_by_hand", { link }) });
  }

  #confirm() {
    clearTimeout(this.timer);
    this.#show("check", "explore.link_copied");
    this.timer = setTimeout(() => this.#show("link", "explore.link"), SAID);
  }

  /**
   * @param {string} glyph
   * @param {string} key
   */
  #show(glyph, key) {
    this.element.firstChild?.replaceWith(icon(glyph));
    setText(this.name, t(key));
  }
}

/**
 * Copy a text. Returns false if the browser forbids it.
 * @param {string} text
 */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return selected(text); // there is no clipboard without https, and a frame may lack the permission
  }
}

/**
 * The old technique: select the text in a hidden field, and let the browser copy the selection.
 * @param {string} text
 */
function selected(text) {
  const before = /** @type {HTMLElement} */ (document.activeElement);
  const field = h("textarea", {
    readOnly: true,
    "aria-hidden": "true",
    style: "position: fixed; top: 0; opacity: 0",
  });
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  before?.focus({ preventScroll: true });
  return done;
}
