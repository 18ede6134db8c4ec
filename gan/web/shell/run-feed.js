// One poll for the whole page. Header and stage get the same answers. It pauses while the page is hidden.
import { request } from "../core/api.js";
import { accessNow, setMine } from "../core/control.js";
import { LOCKED } from "../core/events.js";
import { refusal } from "../core/i18n.js";

const SOONEST = 150; // ms from one poll to the next
const MOST_ROWS = 6000; // of statistics; a run of half an hour fits in full, and a reload gets 1,500

/** @typedef {(feed: Feed) => void} Listener */

/** @type {Set<Listener>} */
const listeners = new Set();
/** The run that the reader has chosen; null for the active one, else the newest. @type {?string} */
let viewed = null;
/** @type {RunStats} */
let stats = { id: null, rows: [], next: 0, last: "" };
/** @type {?Feed} */
let latest = null;
/** @type {RunEntry[]} */
let runs = [];
// Versions of the list and the answer that the page holds, so that the server does not send them again.
let list = "";
let version = "";
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let busy = false;
let again = false;
let failures = 0;

/**
 * Call `listener({poll, runs, stats, offline})` after each answer. Returns a function that ends this.
 * @param {Listener} listener
 */
export function subscribe(listener) {
  listeners.add(listener);
  if (latest) call(listener, latest);
  if (listeners.size === 1) tick();
  return () => listeners.delete(listener);
}

/**
 * Show this run from now on; null for the active one, else the newest.
 * @param {?string} id
 */
export function view(id) {
  viewed = id;
  version = "";
  tick();
}

export const viewing = () => viewed;

/** Poll now. */
export function refresh() {
  tick();
}

async function tick() {
  clearTimeout(timer);
  if (busy) {
    again = true;
    return;
  }
  if (document.hidden || !listeners.size) return;
  busy = true;
  const asked = viewed;
  try {
    take(
      await request("poll", {
        query: { run: asked ?? "", had: stats.id ?? "", since: stats.next, last: stats.last, list, version },
      }),
    );
    failures = 0;
  } catch (error) {
    failures += 1;
    // The run was deleted, so show the default one.
    if (!refusal(error).offline && viewed === asked) viewed = null;
    if (latest) latest = { ...latest, offline: failures > 1 };
  }
  busy = false;
  const feed = latest;
  if (feed) listeners.forEach((listener) => call(listener, feed));
  const wait = again ? 0 : pause();
  again = false;
  timer = setTimeout(tick, wait);
}

/**
 * @param {Listener} listener
 * @param {Feed} feed
 */
function call(listener, feed) {
  try {
    listener(feed);
  } catch (error) {
    console.error("live", error); // one element's error must not end the polling
  }
}

/** @param {Poll} poll */
function take(poll) {
  // The lock on the page is outdated.
  if ("control" in poll && poll.control !== accessNow().control) dispatchEvent(new CustomEvent(LOCKED));
  if (poll.mine) setMine(poll.mine);
  if (poll.unchanged) {
    if (latest) latest = { ...latest, offline: false };
    return;
  }
  version = poll.version;
  list = poll.list;
  runs = poll.runs ?? runs;
  const id = poll.run?.id ?? null;
  if (id !== stats.id || poll.since === 0) stats = { id, rows: [], next: 0, last: "" };
  if (poll.stats.length) stats = { id, rows: thinned(stats.rows.concat(poll.stats)), next: 0, last: "" };
  Object.assign(stats, { next: poll.next, last: poll.last });
  latest = { poll, runs, stats, offline: false };
}

/**
 * Drop every second row of the older half if there are too many, so that a page can stay open for days.
 * @param {StatsRow[]} rows
 */
function thinned(rows) {
  if (rows.length <= MOST_ROWS) return rows;
  const recent = rows.length - MOST_ROWS / 2;
  return rows.filter((_, index) => index >= recent || index % 2 === 0);
}

function pause() {
  if (failures) return Math.min(5000, 1000 * failures);
  const poll = latest?.poll;
  const status = poll?.run?.status;
  if (!poll || !status) return 1000;
  const { state, elapsed } = status;
  const { beat } = poll; // 500 ms; more if many pages poll, less for runs whose sheets come more often
  if (state === "starting" || (state === "running" && !stats.rows.length))
    return Math.max(SOONEST, 0.3 * beat); // show the first points soon
  if (state !== "running") return 1000;
  // Sample sheets come about once a second, and none should be late.
  return elapsed < 10 ? Math.max(SOONEST, beat / 2) : beat;
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) tick();
});
