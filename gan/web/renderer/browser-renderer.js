// The generator in this browser: an ONNX file that a worker runs, so the page never blocks. If that fails, the server draws.
import { address } from "../core/api.js";
import { must } from "../core/dom.js";
import { pointClasses, pointZ } from "../latent/sampling.js";
import { assembled } from "./pictures.js";

const SLOWEST = 100; // ms for a picture; above that the server is the faster one
const SMOOTHING = 8; // pictures over which the time is averaged

/** Whether this browser can run a generator, and its owner has not asked to save data: a first visit downloads some megabytes. */
const able = () => typeof WebAssembly === "object" && typeof Worker === "function" && !navigator.connection?.saveData;

/**
 * `follow(model)` gets a model ready, after which `ready(model)` is true and `draw(point)` gives its picture. `changed()` is called when that changes;
 * `vector(id)` has the directions that are not principal ones.
 */
export class BrowserRenderer {
  /** @type {?Worker} */
  worker = null;
  /** Of the questions to the worker, the oldest first. @type {{resolve: (answer: any) => void, reject: (error: Error) => void}[]} */
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
   * Whether pictures of exactly these weights can be drawn here.
   * @param {Model | null | undefined} model
   */
  ready(model) {
    return !this.given && model !== null && model !== undefined && this.model?.id === model.id && this.model.updated === model.updated;
  }

  /**
   * Get the generator of a model of the list, unless it is still learning: a megabyte to every visitor every few seconds is more than the pictures are.
   * @param {Model | null | undefined} model
   */
  async follow(model) {
    if (this.given || !model) return;
    const key = `${model.id} ${model.updated}`;
    if (key === this.wanted) return;
    this.wanted = key; // what is on its way for another model is not taken any more
    if (model.live || this.ready(model)) return;
    try {
      const [onnx, vectors] = await Promise.all(["generator", "directions"].map((path) => bytes(path, model)));
      if (key !== this.wanted) return;
      this.model = null;
      const { ms } = await this.#ask({ onnx, size: model.z_dim, classes: model.classes.length }, [onnx]);
      if (key !== this.wanted) return;
      if (ms > SLOWEST) throw new Error(`a picture takes ${Math.round(ms)} ms here`);
      Object.assign(this, { model, ms, directions: new Float32Array(vectors) });
      this.changed();
    } catch (error) {
      if (key === this.wanted) this.wanted = null;
      explain(error);
    }
  }

  /**
   * The picture of a point as ImageData. Throws where the worker fails; then the server draws from there on.
   * @param {Point} point
   */
  async draw(point) {
    const model = must(this.model, "model in this browser");
    const start = performance.now();
    const z = pointZ(point, model.z_dim, this.directions, this.vector);
    const { pixels, side } = await this.#ask({ z, ...pointClasses(point, model.classes.length) }, [z.buffer]).catch((error) => {
      this.model = null;
      explain(error);
      this.changed();
      throw error;
    });
    this.ms += (performance.now() - start - this.ms) / SMOOTHING;
    return new ImageData(new Uint8ClampedArray(pixels), side, side);
  }

  /**
   * The pictures of points as one sheet, a canvas of so many columns: drawn one by one, so that a slider waits for one of them at most.
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
   * One question to the worker, which answers in the order of asking.
   * @param {object} message
   * @param {Transferable[]} transfer
   */
  #ask(message, transfer) {
    const worker = this.worker ??= this.#start();
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
   * Stop trying in this browser.
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
 * For whoever wonders.
 * @param {Refusal} error
 */
function explain(error) {
  console.info("the server draws:", error.message);
}

/**
 * What a route has for exactly this version of a model.
 * @param {string} path
 * @param {Model} model
 */
async function bytes(path, model) {
  const reply = await fetch(address(path, { id: model.id, v: model.updated }));
  if (!reply.ok || reply.headers.get("X-Model-Version") !== model.updated) throw new Error(`no ${path} of this version`);
  return reply.arrayBuffer();
}
