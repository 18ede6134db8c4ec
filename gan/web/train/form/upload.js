// Uploads files. It refuses too large ones before anything is sent.
import { address } from "../../core/api.js";
import { whole } from "../../core/format.js";
import { t } from "../../core/i18n.js";

const MB = 2 ** 20;
/** @param {number} bytes */
const megabytes = (bytes) => whole(Math.max(1, bytes / MB));

/**
 * The limit that files exceed, as {say, values} with a text of the page; null if all may be sent. Limits are
 * bytes and a number of files.
 * @param {OwnFile[]} files
 * @param {UploadLimits} limits
 */
export function tooMuch(files, limits) {
  const together = files.reduce((sum, file) => sum + file.size, 0);
  const large = files.find((file) => file.size > limits.file);
  if (files.length > limits.files)
    return { say: "own.too_many", values: { count: whole(files.length), most: whole(limits.files) } };
  if (large)
    return {
      say: isZip(large) ? "own.zip_too_large" : "own.file_too_large",
      values: { name: large.name, size: megabytes(large.size), most: megabytes(limits.file) },
    };
  if (together > limits.together)
    return { say: "own.too_much", values: { size: megabytes(together), most: megabytes(limits.together) } };
  return null;
}

/** @param {UploadLimits} limits */
export const limitsText = (limits) =>
  t("own.limits", {
    files: whole(limits.files),
    file: megabytes(limits.file),
    together: megabytes(limits.together),
  });

/** @param {{name: string}} file */
export const isZip = (file) => file.name.toLowerCase().endsWith(".zip");

/**
 * Whether a folder was dropped. Browsers present it as a file, but can't upload it.
 * @param {DataTransfer} dropped
 */
export const holdsFolder = (dropped) =>
  [...dropped.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);

/**
 * Upload files. Resolves to their paths on the server. `progress` gets 0 to 1. Rejects with a Refusal, or
 * with the signal's reason.
 * @param {File[]} files
 * @param {(part: number) => void} progress
 * @param {AbortSignal} signal
 */
export function send(files, progress, signal) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const file of files) form.append("files", file, file.name);
    const sending = new XMLHttpRequest(); // fetch can't report the progress of an upload
    sending.open("POST", address("../upload"));
    sending.upload.addEventListener(
      "progress",
      (event) => event.lengthComputable && progress(event.loaded / event.total),
    );
    sending.addEventListener("load", () => {
      const paths = sending.status === 200 ? read(sending.responseText) : null;
      if (Array.isArray(paths) && paths.length === files.length) resolve(paths);
      else reject(refusalOf(sending));
    });
    sending.addEventListener("error", () => reject({ say: "own.broken_off" }));
    signal.addEventListener("abort", () => {
      sending.abort();
      reject(signal.reason);
    });
    sending.send(form);
  });
}

/**
 * The error of a refused upload. The server sends a sentence, and the error in a header; a proxy may send a
 * page of its own.
 * @param {XMLHttpRequest} sending
 */
function refusalOf(sending) {
  const { status, responseText, responseURL } = sending;
  const plain =
    status !== 200 && responseURL && responseText && responseText.length < 400 && !/[<{]/.test(responseText);
  if (plain) return { ...read(sending.getResponseHeader("X-Refusal")), text: responseText };
  return { say: status === 413 ? "own.proxy_too_large" : "own.not_taken" };
}

/** @param {?string} text */
function read(text) {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}
