// Small pictures of single points, drawn one after another: of the current model as the large picture is, of others by the server.
import { h } from "../core/dom.js";
import { query } from "../latent/encoding.js";
import { fetched, picture } from "../renderer/pictures.js";

const TRIES = 3; // for a picture whose directions the server has to find first, or find again

let line = Promise.resolve();
const finding = new Map(); // model -> the directions with names that were asked for

/** A canvas that `drawThumb` fills. */
export const thumb = () => h("canvas", { class: "xp-mini", width: 1, height: 1, "aria-hidden": "true" });

/** Have the server find the directions with names of a model that is not open here, however long that takes. Many pictures wait for one answer. */
function find(model) {
  if (!finding.has(model)) finding.set(model, fetched("attributes", { id: model }).finally(() => finding.delete(model)));
  return finding.get(model);
}

/**
 * Draw a point on a canvas when its turn comes, unless it has left the page by then. A model that is gone leaves it empty. Where the directions of another
 * model have to be found first, the others don't wait for that.
 */
export function drawThumb(explorer, canvas, point, tries = TRIES) {
  line = line.then(async () => {
    if (!canvas.isConnected) return;
    const here = point.model === explorer.point.model;
    const { pixels, bitmap } = await (here ? explorer.drawn(point) : picture("image", query(point)));
    const { width, height } = pixels ?? bitmap;
    Object.assign(canvas, { width, height });
    canvas.classList.toggle("is-large", width > 100);
    const pen = canvas.getContext("2d");
    if (pixels) pen.putImageData(pixels, 0, 0);
    else pen.drawImage(bitmap, 0, 0);
  }).catch((error) => {
    if (error?.key === "latent.finding" && tries > 1) find(point.model).then(() => drawThumb(explorer, canvas, point, tries - 1), () => {});
  });
}
