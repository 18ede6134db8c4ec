// Buttons that several parts of the page share.
import { h, icon } from "../core/dom.js";
import { lang, t } from "../core/i18n.js";

/**
 * A button with an icon and a text.
 * @param {string} glyph
 * @param {string} key of the text
 * @param {() => unknown} onclick
 * @param {string} kind further classes
 */
export function button(glyph, key, onclick, kind = "") {
  return h(
    "button",
    { type: "button", class: `xp-button ${kind}`.trim(), onclick },
    icon(glyph),
    h("span", {}, t(key)),
  );
}

/**
 * A button that names the other language, in that language.
 * @param {(other: string) => unknown} change
 */
export function languageButton(change) {
  const other = lang === "zh" ? "en" : "zh";
  return h(
    "button",
    {
      class: "gan-ghost gan-lang",
      type: "button",
      lang: other === "zh" ? "zh-CN" : "en",
      "aria-label": other === "zh" ? "切换到中文" : "Switch to English",
      onclick: () => change(other),
    },
    other === "zh" ? "中文" : "EN",
  );
}
