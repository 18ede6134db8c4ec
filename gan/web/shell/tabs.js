// Gradio's tabs, and the tab that the address names.
import { readHash, writeHash } from "../core/url.js";

/**
 * Show a tab by name: click Gradio's own button.
 * @param {string} name
 */
export function openTab(name) {
  document.getElementById(`tab-${name}-button`)?.click();
}

/**
 * Follow the tab in the address ("#tab=train"). A refresh, a shared link, back and forward then open the same
 * tab. Without a name the first tab opens.
 */
export function followAddress() {
  const tab = '[role="tab"][data-tab-id]';
  const first = () => /** @type {HTMLElement} */ (document.querySelector(tab))?.dataset.tabId;
  const named = () => readHash().get("tab") ?? first();
  const button = (/** @type {string} */ name) => document.getElementById(`tab-${name}-button`);
  let wanted = readHash().get("tab");
  const shown = (/** @type {string} */ name) => (document.documentElement.dataset.tab = name); // for style sheets
  shown(wanted ?? "explore");
  document.addEventListener("click", (event) => {
    const pressed = /** @type {HTMLElement} */ (/** @type {Element} */ (event.target).closest?.(tab));
    const name = pressed?.dataset.tabId;
    if (!name) return;
    wanted = null;
    shown(name);
    if (name === named()) return;
    const hash = readHash();
    hash.set("tab", name);
    writeHash(hash, true);
  });
  addEventListener("hashchange", () => {
    const name = named();
    if (name) openTab(name);
  });
  if (!wanted) return;
  const watch = new MutationObserver(() => {
    if (wanted && !button(wanted)) return;
    watch.disconnect();
    if (wanted) openTab(wanted);
  });
  watch.observe(document.body, { childList: true, subtree: true });
}
