// Pictures of points, from this browser if it has the generator, else from the server.
import { SIDE } from "./panels/samples.js";
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
    await explorer.families.loadForPoints([point]);
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
    await explorer.families.loadForPoints(points);
    if (local.ready(explorer.model) && !points.some(altered)) {
      const sheet = await local.sheet(points, columns).catch(() => null);
      if (sheet) return sheet;
    }
    return (await picture(path, asked)).bitmap;
  }

  /**
   * Show the model's preview on the samples and the large picture. It arrives long before the server has
   * loaded the weights.
   * @param {Model} model
   */
  async preview(model) {
    const { point } = this.explorer;
    if (!model.preview || point.wall !== 0 || point.label !== null || point.mix || point.psi !== 1) return;
    const reply = await fetch(model.preview).catch(() => null);
    if (!reply?.ok) return;
    const sheet = await createImageBitmap(await reply.blob());
    const {
      samples,
      large,
      shown,
      point: { model: current, seed },
    } = this.explorer;
    if (model.id !== current) return;
    const same = model.kind === "shipped"; // a checkpoint's preview is the sheet of samples from seed 0
    samples.sheet.standIn(sheet, same);
    if (same && !shown && seed < SIDE * SIDE) large.drawCell(sheet, SIDE, seed);
  }
}
