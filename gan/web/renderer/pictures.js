// Fetches and decodes pictures and files from the server, and turns refusals into errors.
import { address } from "../core/api.js";
import { context2d, must } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { marked } from "./png-mark.js";

// Milliseconds before a retry on a busy server, plus up to as much again at random. So a class does not retry
// at once.
const PAUSE = 1000;
const TIMES = 5;

/**
 * A route's answer. Throws {key, values, text}. It has offline: true if no server answers or the server is
 * busy.
 * @param {string} path
 * @param {Query} query
 */
export async function fetched(path, query, times = TIMES) {
  let reply;
  try {
    reply = await fetch(address(path, query));
  } catch {
    throw { offline: true, text: t("common.offline") };
  }
  if (reply.ok) return reply;
  const body = await reply.json().catch(() => ({}));
  // The server finds directions only on request, so for latent.finding waiting would not help.
  if (reply.status === 503 && times > 1 && body.error?.key !== "latent.finding") {
    await new Promise((later) => setTimeout(later, PAUSE * (1 + Math.random())));
    return fetched(path, query, times - 1);
  }
  throw body.error ?? { text: t("common.failed") };
}

/**
 * The picture of a route. Throws as `fetched` does.
 * @param {string} path
 * @param {Query} query
 */
export async function picture(path, query) {
  const reply = await fetched(path, query);
  const blob = await reply.blob();
  return { bitmap: await createImageBitmap(blob), blob, version: reply.headers.get("X-Model-Version") };
}

/**
 * Fetch the JSON and the picture that a route packs into one answer. The bitmap is null if it has no picture.
 * Throws as `picture` does.
 * @template {keyof PackedFacts} Path
 * @param {Path} path
 * @param {Query} query
 * @returns {Promise<{facts: PackedFacts[Path], bitmap: ?ImageBitmap, version: ?string}>}
 */
export async function packed(path, query) {
  const reply = await fetch(address(path, query)).catch(() => {
    throw { offline: true, text: t("common.offline") };
  });
  if (!reply.ok) throw (await reply.json().catch(() => ({}))).error ?? { text: t("common.failed") };
  const bytes = await reply.arrayBuffer();
  const length = new DataView(bytes).getUint32(0, true);
  const facts = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
  const bitmap =
    bytes.byteLength > 4 + length
      ? await createImageBitmap(new Blob([new Uint8Array(bytes, 4 + length)]))
      : null;
  return { facts, bitmap, version: reply.headers.get("X-Model-Version") };
}

/**
 * Draw points one by one and put the pictures together as one sheet.
 * @param {Point[]} points
 * @param {number} columns
 * @param {(point: Point) => Promise<ImageData>} draw
 */
export async function assembled(points, columns, draw) {
  /** @type {?HTMLCanvasElement} */
  let canvas = null;
  for (const [index, point] of points.entries()) {
    const picture = await draw(point);
    canvas ??= blank(columns * picture.width, Math.ceil(points.length / columns) * picture.height);
    context2d(canvas).putImageData(
      picture,
      (index % columns) * picture.width,
      Math.floor(index / columns) * picture.height,
    );
  }
  return must(canvas, "point to draw");
}

/**
 * Let the browser save a blob as a file.
 * @param {Blob} blob
 * @param {string} name
 */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/**
 * A PNG of a bitmap with each pixel repeated `times` times in both directions, and with the provenance mark.
 * @param {Drawable} bitmap
 * @param {number} times
 */
export async function enlarged(bitmap, times) {
  const canvas = blank(bitmap.width * times, bitmap.height * times);
  const pen = context2d(canvas);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return png(canvas);
}

/**
 * A canvas outside the page. Older Safaris have no OffscreenCanvas.
 * @param {number} width
 * @param {number} height
 */
export const blank = (width, height) => Object.assign(document.createElement("canvas"), { width, height });

/**
 * A canvas as a PNG with the provenance mark.
 * @param {HTMLCanvasElement} canvas
 */
export async function png(canvas) {
  /** @type {?Blob} */
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw { text: t("common.failed") }; // the canvas has more pixels than this browser allows
  return marked(blob);
}
