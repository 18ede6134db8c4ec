// The tabs of the page, which are Gradio's, and the tab that the address names.
import { readHash, writeHash } from "../core/url.js";

/**
 * Show a tab by name; it is Gradio's own tab button that is pressed.
 * @param {string} name
 */
export function openTab(name) {
  document.getElementById(`tab-${name}-button`)?.click();
}

/** Which tab the address names ("#tab=train"), so that a refresh, a shared link, back and forward open where one was; without a name it is the first. */
export function followAddress() {
  const tab = '[role="tab"][data-tab-id]';
  const first = () => /** @type {HTMLElement} */ (document.querySelector(tab))?.dataset.tabId;
  const named = () => readHash().get("tab") ?? first();
  const button = (/** @type {string} */ name) => document.getElementById(`tab-${name}-button`);
  let wanted = readHash().get("tab");
  document.addEventListener("click", (event) => {
    const pressed = /** @type {HTMLElement} */ (/** @type {Element} */ (event.target).closest?.(tab));
    const name = pressed?.dataset.tabId;
    if (!name) return;
    wanted = null;
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
