// Keeps the point in the address bar and in this browser's storage.
import { later } from "../core/debounce.js";
import { hashText, readHash, writeHash } from "../core/url.js";
import { KEYS, parsed, written } from "../latent/encoding.js";
import { fresh } from "../latent/point.js";

const STORAGE = "gan.explore";
const SOON = 300; // ms after the last movement

/** Whether the address names a point. */
export const addressed = () => KEYS.some((key) => readHash().has(key));

/** The point of the address bar, else of the last visit with this browser, else a fresh one. */
export function restore() {
  if (addressed()) return parsed(Object.fromEntries(readHash()));
  try {
    return parsed(JSON.parse(localStorage.getItem(STORAGE) ?? "null") ?? {});
  } catch {
    return fresh();
  }
}

/**
 * The address of this page with the point alone: its query may hold what is nobody else's, a language for example or the key that a frame was given.
 * @param {Point} point
 */
export const linkTo = (point) => `${location.origin}${location.pathname}#${hashText(new URLSearchParams(written(point)))}`;

/**
 * Write the point into the address bar, as a new entry of the browser's history where it is a `turn`, and into its storage. Other keys of the address stay.
 * @param {Point} point
 */
export function remember(point, turn = false) {
  const texts = written(point);
  const hash = readHash();
  for (const key of KEYS) hash.delete(key);
  for (const [key, value] of Object.entries(texts)) hash.set(key, value);
  writeHash(hash, turn);
  try {
    localStorage.setItem(STORAGE, JSON.stringify(texts));
  } catch {
    // a browser without storage still has the address bar
  }
}

/**
 * The point in the address bar as the explorer moves it. Another model or another view is a new entry of the
 * browser's history; all else changes the entry where we are.
 *
 * `follow(before)` after each move of the explorer's point. Back, forward and an edited address move the point themselves.
 */
export class UrlHistory {
  adopting = false;

  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    this.soon = later(() => remember(explorer.point), SOON);
    addEventListener("popstate", () => this.soon.cancel()); // the address is that of another entry by now
    addEventListener("hashchange", () => addressed() && this.#adopt());
  }

  /** @param {Point} before */
  follow(before) {
    const { point } = this.explorer;
    const elsewhere = (/** @type {Point} */ { model, view }) => model !== point.model || view !== point.view;
    if (this.adopting || !before.model || !elsewhere(before) || !elsewhere(parsed(Object.fromEntries(readHash())))) return void this.soon();
    this.soon.cancel();
    remember(before);
    remember(point, true);
  }

  #adopt() {
    this.adopting = true;
    try {
      this.explorer.adopt(restore());
    } finally {
      this.adopting = false;
    }
  }
}
