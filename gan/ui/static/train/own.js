// Which runs were started in this browser: in a queue people look for theirs. Only this browser knows; the server is never told.
import { remember } from "../common.js";

const NAME = "gan_own";
const MOST = 60; // as many as the list shows

let ids = [];
try {
  ids = JSON.parse(localStorage.getItem(NAME) ?? "[]");
} catch {
  // storage is closed to us: those started since the page was opened are known all the same
}
if (!Array.isArray(ids)) ids = [];

/** A run was started here. */
export function own(id) {
  ids = [...ids, id].slice(-MOST);
  remember(NAME, JSON.stringify(ids));
}

export const isOwn = (id) => ids.includes(id);
