// Small pictures of single points, drawn one after another. The server draws those of other models.
import { context2d, h } from "../core/dom.js";
import { query } from "../latent/encoding.js";
import { fetched, picture } from "../renderer/pictures.js";

const TRIES = 3; // for a picture whose directions the server must find first

let queue = Promise.resolve();
/** By model: the request for its directions with names. @type {Map<string, Promise<Response>>} */
const finding = new Map();

/** A canvas that `drawThumb` fills. */
export const thumb = () => h("canvas", { class: "xp-mini", width: 1, height: 1, "aria-hidden": "true" });

/**
 * Make the server find the named directions of a model that is not open. All waiting pictures share one
 * request.
 * @param {string} model its id
 */
function find(model) {
  const found =
    finding.get(model) ?? fetched("attributes", { id: model }).finally(() => finding.delete(model));
  finding.set(model, found);
  return found;
}

/**
 * Draw a point on a canvas when its turn comes, unless the canvas has left the page. A deleted model leaves
 * it empty. A point that needs named directions does not delay the others.
 * @param {Explorer} explorer
 * @param {HTMLCanvasElement} canvas
 * @param {Point} point
 */
export function drawThumb(explorer, canvas, point, tries = TRIES) {
  queue = queue
    .then(async () => {
      if (!canvas.isConnected) return;
      const here = point.model === explorer.point.model;
      /** @type {Picture} */
      const { pixels, bitmap } = await (here ? explorer.drawn(point) : picture("image", query(point)));
      const { width, height } = pixels ?? bitmap;
      Object.assign(canvas, { width, height });
      canvas.classList.toggle("is-large", width > 100);
      const pen = context2d(canvas);
      if (pixels) pen.putImageData(pixels, 0, 0);
      else pen.drawImage(bitmap, 0, 0);
    })
    .catch((error) => {
      if (error?.key === "latent.finding" && tries > 1 && point.model)
        find(point.model).then(
          () => drawThumb(explorer, canvas, point, tries - 1),
          () => {},
        );
    });
}
