// Small pictures of single points, drawn one after another: of the current model as the large picture is, of others by the server.
import { h } from "../common.js";
import { picture } from "./pictures.js";
import { query } from "./point.js";

let line = Promise.resolve();

/** A canvas that `drawThumb` fills. */
export const thumb = () => h("canvas", { class: "xp-mini", width: 1, height: 1, "aria-hidden": "true" });

/** Draw a point on a canvas when its turn comes, unless it has left the page by then. A model that is gone leaves it empty. */
export function drawThumb(explorer, canvas, point) {
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
  }).catch(() => {});
}
