// Which runs were started in this browser: in a queue people look for theirs. Only this browser knows; the server is never told.
import { recall, remember } from "../../core/storage.js";

const NAME = "gan_own";
const MOST = 60; // as many as the list shows

let ids = kept();

/** Those that an earlier page has kept; none where storage is closed to us, or damaged. */
function kept() {
  try {
    const value = JSON.parse(recall(NAME) ?? "[]");
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

/**
 * A run was started here.
 * @param {string} id
 */
export function own(id) {
  ids = [...ids, id].slice(-MOST);
  remember(NAME, JSON.stringify(ids));
}

/** @param {string} id */
export const isOwn = (id) => ids.includes(id);
