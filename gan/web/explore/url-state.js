// Keeps the point in the address bar and in this browser's storage.
import { later } from "../core/debounce.js";
import { hashText, pageAddress, readHash, writeHash } from "../core/url.js";
import { KEYS, parsed, written } from "../latent/encoding.js";
import { fresh } from "../latent/point.js";

const STORAGE = "gan.explore";
const SOON = 300; // ms after the last movement

/** Whether the address names a point. */
export const addressed = () => KEYS.some((key) => readHash().has(key));

/** The point of the address, else of the last visit with this browser, else a fresh one. */
export function restore() {
  if (addressed()) return parsed(Object.fromEntries(readHash()));
  try {
    return parsed(JSON.parse(localStorage.getItem(STORAGE) ?? "null") ?? {});
  } catch {
    return fresh();
  }
}

/**
 * The address of this page with nothing but the point.
 * @param {Point} point
 */
export const linkTo = (point) => `${pageAddress()}#${hashText(new URLSearchParams(written(point)))}`;

/**
 * Write the point to the address bar and to storage. A `turn` adds a history entry. Other keys of the address
 * stay.
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
    // this browser has no storage; the address bar still has the point
  }
}

/**
 * Keeps the explorer's point in the address bar. Another model or view adds a history entry; any other change
 * replaces the current one. Call `follow(before)` after each movement. Back, forward and an edited address
 * move the point.
 */
export class UrlHistory {
  adopting = false;

  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    this.soon = later(() => remember(explorer.point), SOON);
    addEventListener("popstate", () => this.soon.cancel()); // the address belongs to another entry by now
    addEventListener("hashchange", () => addressed() && this.#adopt());
  }

  /** @param {Point} before */
  follow(before) {
    const { point } = this.explorer;
    const elsewhere = (/** @type {Point} */ { model, view }) => model !== point.model || view !== point.view;
    if (
      this.adopting ||
      !before.model ||
      !elsewhere(before) ||
      !elsewhere(parsed(Object.fromEntries(readHash())))
    )
      return void this.soon();
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
