// What this browser controls: all runs, its own runs, or none. The server decides; pages only show it.
import { CONTROL } from "./events.js";
import { setHome } from "./url.js";

/** @type {Access} */
let access = { needed: false, control: true };
/** Ids of this visitor's runs. @type {Set<string>} */
let mine = new Set();

export const accessNow = () => access;

/** Take the server's answer over. @param {Access} found */
export function setAccess(found) {
  access = found;
  setHome(found.address);
  document.documentElement.dataset.control = found.control ? "yes" : found.visitor ? "own" : "no";
  dispatchEvent(new CustomEvent(CONTROL));
}

/** @param {string[]} ids */
export function setMine(ids) {
  if (ids.length === mine.size && ids.every((id) => mine.has(id))) return;
  mine = new Set(ids);
  dispatchEvent(new CustomEvent(CONTROL));
}

/**
 * Whether the buttons of a run would work.
 * @param {?string | undefined} id
 */
export const controls = (id) => access.control || (Boolean(access.visitor) && mine.has(id ?? ""));

/** Whether runs of other people are out of reach here, so that the page must tell them apart. */
export const isVisitor = () => Boolean(access.visitor) && !access.control;
