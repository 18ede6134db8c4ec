// The routes of the server: their addresses, and their answers as JSON.
import { LOCKED } from "./events.js";
import { refusal, t } from "./i18n.js";

const BASE = new URL("../..", import.meta.url); // .../gradio_api/gan/
// ms before the next question to a busy server, plus up to as much again at random. So a class does not ask at
// once. A search of the server ends after five seconds without a question; one that was refused counts.
const PAUSE = 1500;
const PATIENCE = 600_000; // ms of pauses after which a page that nobody may look at asks no more
// A proxy's answers where the server is overloaded or restarts. Ours say more.
const BUSY = [429, 503];

/**
 * The address of one of our routes: address("image", {id, seed}).
 * @param {string} path
 * @param {Query} query values that are undefined or null are left out
 */
export function address(path, query = {}) {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) url.searchParams.set(name, String(value));
  }
  return url.href;
}

/** The path of the page as the browser sees it. A proxy may have moved it. */
export const place = () => new URL("../..", BASE).pathname;

/**
 * Fetch one of our routes, with a value to send and more headers. Resolves to the JSON of its answer.
 * Throws {key, values, text} if the server refuses, and {offline: true, text} if no server answers.
 * @template {string} Path
 * @param {Path} path
 * @param {{query?: Query, method?: string, value?: unknown, signal?: AbortSignal, headers?: Record<string,
 *    string>}} options
 * @returns {Promise<Answer<Path>>}
 */
export async function request(path, { query, method = "GET", value, signal, headers } = {}) {
  const sent =
    value === undefined
      ? { headers }
      : { body: JSON.stringify(value), headers: { "Content-Type": "application/json", ...headers } };
  let reply;
  try {
    reply = await fetch(address(path, query), { method, signal, cache: "no-store", ...sent });
  } catch (thrown) {
    const error = refusal(thrown);
    if (error.name === "AbortError") throw error;
    throw { offline: true, text: t("common.offline") };
  }
  const answer = await reply.json().catch(() => ({}));
  // The page showed that it has control, but it has not.
  if (answer.error?.key === "access.needed") dispatchEvent(new CustomEvent(LOCKED));
  if (!reply.ok) throw answer.error ?? (BUSY.includes(reply.status) ? busy() : { text: t("common.failed") });
  return answer;
}

const busy = () => ({ key: "ui.busy", values: {}, text: "", offline: true });

/**
 * What `ask` resolves to. While the server is too busy it is called again, as the server's sentence promises,
 * for PATIENCE. `waiting(error)` is called before each pause, and may throw to give up.
 * @template T
 * @param {() => Promise<T>} ask
 * @param {(error: Refusal) => void} waiting
 */
export async function patiently(
  ask,
  waiting = () => {},
  pause = (/** @type {number} */ ms) => new Promise((later) => setTimeout(later, ms)),
) {
  for (let waited = 0; ;) {
    try {
      return await ask();
    } catch (thrown) {
      const error = refusal(thrown);
      if (error.key !== "ui.busy" || waited > PATIENCE) throw thrown;
      waiting(error);
    }
    const ms = PAUSE * (1 + Math.random());
    waited += ms;
    await pause(ms);
  }
}
