// Files on their way to the server: what is too much is told before anything is sent.
import { address, t, whole } from "../common.js";

const MB = 2 ** 20;
const megabytes = (bytes) => whole(Math.max(1, bytes / MB));

/** What is too much of files {name, size} as {text}, null where all may be sent. `limits` are bytes and a number of files, as the catalogue names them. */
export function tooMuch(files, limits) {
  const together = files.reduce((sum, file) => sum + file.size, 0);
  const large = files.find((file) => file.size > limits.file);
  if (files.length > limits.files) return { text: t("own.too_many", { count: whole(files.length), most: whole(limits.files) }) };
  if (large) return { text: t(isZip(large) ? "own.zip_too_large" : "own.file_too_large", { name: large.name, size: megabytes(large.size), most: megabytes(limits.file) }) };
  if (together > limits.together) return { text: t("own.too_much", { size: megabytes(together), most: megabytes(limits.together) }) };
  return null;
}

export const limitsText = (limits) => t("own.limits", { files: whole(limits.files), file: megabytes(limits.file), together: megabytes(limits.together) });

export const isZip = (file) => file.name.toLowerCase().endsWith(".zip");

/** Send files; resolves to where the server has put each. `progress` is called with 0 to 1. Rejects with {text}, {offline} or the AbortSignal's reason. */
export function send(files, progress, signal) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const file of files) form.append("files", file, file.name);
    const sending = new XMLHttpRequest(); // fetch doesn't tell how far it is
    sending.open("POST", address("../upload"));
    sending.upload.addEventListener("progress", (event) => event.lengthComputable && progress(event.loaded / event.total));
    sending.addEventListener("load", () => {
      const paths = sending.status === 200 ? read(sending.responseText) : null;
      if (Array.isArray(paths) && paths.length === files.length) resolve(paths);
      else reject({ text: sentenceOf(sending) });
    });
    sending.addEventListener("error", () => reject({ offline: true, text: t("own.broken_off") }));
    signal.addEventListener("abort", () => {
      sending.abort();
      reject(signal.reason);
    });
    sending.send(form);
  });
}

/** Refusals of an upload are plain sentences in the reader's language; a proxy in front may answer with a page of its own. */
function sentenceOf({ status, responseText, responseURL }) {
  const plain = status !== 200 && responseURL && responseText && responseText.length < 400 && !/[<{]/.test(responseText);
  if (plain) return responseText;
  return t(status === 413 ? "own.proxy_too_large" : "own.not_taken");
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
