// Pictures of points, from this browser if it has the generator, else from the server.
import { query } from "../latent/encoding.js";
import { altered } from "../latent/point.js";
import { picture } from "../renderer/pictures.js";

export class PictureSource {
  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
  }

  /**
   * The picture of a point: {pixels} from this browser, or {bitmap} from the server.
   * @param {Point} point
   * @returns {Promise<Picture>}
   */
  async drawn(point) {
    const { explorer } = this;
    const { local } = explorer;
    await explorer.families.have([point]);
    if (local.ready(explorer.model) && !altered(point)) {
      const pixels = await local.draw(point).catch(() => null);
      if (pixels) return { pixels };
    }
    return picture("image", query(point));
  }

  /**
   * Pictures of points as one sheet. The server draws it at `path` for `asked`.
   * @type {DrawSheet}
   */
  async sheet(path, asked, points, columns) {
    const { explorer } = this;
    const { local } = explorer;
    await explorer.families.have(points);
    if (local.ready(explorer.model) && !points.some(altered)) {
      const sheet = await local.sheet(points, columns).catch(() => null);
      if (sheet) return sheet;
    }
    return (await picture(path, asked)).bitmap;
  }
}
