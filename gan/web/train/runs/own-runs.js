// The runs that this browser has started. The list marks them, because people look for theirs in the queue.
// The server never learns of it.
import { recall, remember } from "../../core/storage.js";

const NAME = "gan_own";
const MOST = 60; // as many as the list shows

let ids = storedIds();

/** The ids in storage; none if storage is forbidden or damaged. */
function storedIds() {
  try {
    const value = JSON.parse(recall(NAME) ?? "[]");
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

/**
 * Remember that this browser started a run.
 * @param {string} id
 */
export function own(id) {
  ids = [...ids, id].slice(-MOST);
  remember(NAME, JSON.stringify(ids));
}

/** @param {string} id */
export const isOwn = (id) => ids.includes(id);
