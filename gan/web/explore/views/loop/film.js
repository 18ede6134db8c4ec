// The file of a loop. The server makes it, and reports its progress in the same answer.
import { address, patiently } from "../../../core/api.js";
import { must } from "../../../core/dom.js";
import { t } from "../../../core/i18n.js";

/**
 * Drawn frames and their number, or `packing` after the last.
 * @typedef {{done: number, of: number, packing?: boolean}} Progress
 */

/**
 * Fetch the file of a loop. `report` gets each progress; `signal` aborts. Throws {key, values, text}.
 * @param {Query} asked
 * @param {(progress: Progress) => void} report
 * @param {AbortSignal} signal
 */
export const film = (asked, report, signal) =>
  patiently(
    () => once(asked, report, signal),
    () => signal.throwIfAborted(),
  );

/**
 * @param {Query} asked
 * @param {(progress: Progress) => void} report
 * @param {AbortSignal} signal
 */
async function once(asked, report, signal) {
  const reply = await fetch(address("loop", asked), { signal }).catch((error) => {
    throw error.name === "AbortError" ? error : { offline: true, text: t("common.offline") };
  });
  if (!reply.ok) throw (await reply.json().catch(() => ({}))).error ?? { text: t("common.failed") };
  const reader = must(reply.body, "answer").getReader();
  /** @type {Uint8Array<ArrayBuffer>} */
  let held = new Uint8Array();
  /** @type {?{type: string, bytes: number}} */
  let last = null;
  /** @type {BlobPart[]} */
  const parts = [];
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      throw error.name === "AbortError" ? error : { offline: true, text: t("common.offline") };
    });
    if (done) break;
    if (last) {
      parts.push(value);
      continue;
    }
    held = joined(held, value);
    for (let end = held.indexOf(10); end >= 0 && !last; end = held.indexOf(10)) {
      const line = JSON.parse(new TextDecoder().decode(held.subarray(0, end)));
      held = held.subarray(end + 1);
      if ("bytes" in line) last = line;
      else report(line);
    }
    if (last) parts.push(held);
  }
  if (!last)
    throw held.length
      ? JSON.parse(new TextDecoder().decode(held)).error
      : { offline: true, text: t("common.offline") };
  const blob = new Blob(parts, { type: last.type });
  if (blob.size !== last.bytes) throw { offline: true, text: t("common.offline") };
  return blob;
}

/**
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
function joined(a, b) {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
