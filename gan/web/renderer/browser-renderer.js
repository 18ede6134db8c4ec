// The generator in this browser. A worker runs it as ONNX, so the page never blocks. If that fails, the
// server draws.
import { address } from "../core/api.js";
import { must } from "../core/dom.js";
import { refusal } from "../core/i18n.js";
import { pointClasses, pointZ } from "../latent/sampling.js";
import { assembled } from "./pictures.js";

const SLOWEST = 100; // ms for a picture; a slower browser leaves the drawing to the server
const SMOOTHING = 8; // pictures in the moving average of the time

/**
 * Whether this browser can run a generator, and the user has not asked to save data. A first visit downloads
 * some megabytes.
 */
const able = () =>
  typeof WebAssembly === "object" && typeof Worker === "function" && !navigator.connection?.saveData;

/** `follow(model)` loads a model. Then `ready(model)` is true, and `draw(point)` returns pictures. */
export class BrowserRenderer {
  /** @type {?Worker} */
  worker = null;
  /**
   * Of the questions to the worker, the oldest first.
   * @type {{resolve: (answer: any) => void, reject: (error: Error) => void}[]}
   */
  waiting = [];
  /** The model that this browser can draw. @type {?Model} */
  model = null;
  directions = new Float32Array();
  /** Id and version of the model that `follow` got last. @type {?string} */
  wanted = null;
  ms = 0;

  /**
   * @param {() => void} changed called when `ready` changes
   * @param {(id: string) => Float32Array | undefined} vector any direction that is not principal
   */
  constructor(changed, vector) {
    this.changed = changed;
    this.vector = vector;
    this.given = !able();
  }

  /**
   * Whether this browser holds exactly these weights.
   * @param {Model | null | undefined} model
   */
  ready(model) {
    return (
      !this.given &&
      model !== null &&
      model !== undefined &&
      this.model?.id === model.id &&
      this.model.updated === model.updated
    );
  }

  /**
   * Load a model, unless it still trains: each new version would cost every visitor a megabyte.
   * @param {Model | null | undefined} model
   */
  async follow(model) {
    if (this.given || !model) return;
    const key = `${model.id} ${model.updated}`;
    if (key === this.wanted) return;
    this.wanted = key; // drops an answer about another model
    if (model.live || this.ready(model)) return;
    try {
      const [onnx, vectors] = await Promise.all(
        ["generator", "directions"].map((path) => bytes(path, model)),
      );
      if (key !== this.wanted) return;
      this.model = null;
      const { ms } = await this.#ask({ onnx, size: model.z_dim, classes: model.classes.length }, [onnx]);
      if (key !== this.wanted) return;
      if (ms > SLOWEST) throw new Error(`a picture takes ${Math.round(ms)} ms here`);
      Object.assign(this, { model, ms, directions: new Float32Array(vectors) });
      this.changed();
    } catch (error) {
      if (key === this.wanted) this.wanted = null;
      explain(refusal(error));
    }
  }

  /**
   * The picture of a point. If the worker fails, this throws, and the server draws from then on.
   * @param {Point} point
   */
  async draw(point) {
    const model = must(this.model, "model in this browser");
    const start = performance.now();
    const z = pointZ(point, model.z_dim, this.directions, this.vector);
    const { pixels, side } = await this.#ask({ z, ...pointClasses(point, model.classes.length) }, [
      z.buffer,
    ]).catch((error) => {
      this.model = null;
      explain(error);
      this.changed();
      throw error;
    });
    this.ms += (performance.now() - start - this.ms) / SMOOTHING;
    return new ImageData(new Uint8ClampedArray(pixels), side, side);
  }

  /**
   * Draw points one by one as one sheet, so that a slider waits for at most one of them.
   * @param {Point[]} points
   * @param {number} columns
   */
  async sheet(points, columns) {
    const { model } = this;
    return assembled(points, columns, async (point) => {
      const picture = await this.draw(point);
      if (this.model !== model) throw new Error("another model came");
      return picture;
    });
  }

  /**
   * Send a message to the worker, which answers in order.
   * @param {object} message
   * @param {Transferable[]} transfer
   */
  #ask(message, transfer) {
    const worker = (this.worker ??= this.#start());
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      worker.postMessage(message, transfer);
    });
  }

  #start() {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => {
      const { resolve, reject } = must(this.waiting.shift(), "question that this answers");
      if (data.error) reject(new Error(data.error));
      else resolve(data);
    };
    worker.onerror = (event) => this.#give(event.message || "the worker does not start");
    return worker;
  }

  /**
   * Never try again in this browser.
   * @param {string} reason
   */
  #give(reason) {
    this.given = true;
    this.worker?.terminate();
    for (const { reject } of this.waiting.splice(0)) reject(new Error(reason));
    this.changed();
  }
}

/**
 * Log why the server draws.
 * @param {Refusal} error
 */
function explain(error) {
  console.info("the server draws:", error.message);
}

/**
 * The bytes of a route for exactly this version of a model.
 * @param {string} path
 * @param {Model} model
 */
async function bytes(path, model) {
  const reply = await fetch(address(path, { id: model.id, v: model.updated }));
  if (!reply.ok || reply.headers.get("X-Model-Version") !== model.updated)
    throw new Error(`no ${path} of this version`);
  return reply.arrayBuffer();
}
