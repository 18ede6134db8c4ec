// Runs a generator as ONNX in the thread that loads this module. It draws one picture after another, in the
// order of the calls.
import { env, InferenceSession, Tensor } from "../vendor/onnxruntime-web-1.22.0/ort.wasm.min.mjs";

const TRIALS = 8;

env.wasm.numThreads = 1; // more threads need a page with cross-origin isolation

/** @type {?InferenceSession} */
let session = null;
/** @type {Promise<any>} */
let turn = Promise.resolve();

/**
 * `size` is that of z; `classes` is how many the model has.
 * @typedef {{onnx: ArrayBuffer | Uint8Array, size: number, classes: number}} OpenRequest
 */

/** @typedef {{z: Float32Array, label: ?number, other?: ?number, share?: number}} DrawRequest */

/**
 * Set ONNX Runtime's {wasmPaths}, where it finds its files.
 * @param {{wasmPaths: Record<string, string>}} settings
 */
export const configure = (settings) => Object.assign(env.wasm, settings);

/**
 * Open a generator. Returns {ms}, the median time of a few pictures.
 * @param {OpenRequest} asked
 */
export const open = (asked) => inTurn(() => opened(asked));

/**
 * Draw a picture: {pixels, side}, where `pixels` is an ArrayBuffer of RGBA. `share` of the class `other` is
 * blended into `label`, which is null for models without classes.
 * @param {DrawRequest} asked
 */
export const draw = (asked) => inTurn(() => drawn(asked));

/**
 * Run `work` after all earlier calls.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
function inTurn(work) {
  const mine = turn.then(work);
  turn = mine.catch(() => {});
  return mine;
}

/** @param {OpenRequest} asked */
async function opened({ onnx, size, classes }) {
  await session?.release();
  session = null;
  session = await InferenceSession.create(new Uint8Array(onnx));
  const times = [];
  for (let trial = 0; trial < TRIALS; trial += 1) {
    const start = performance.now();
    await drawn({ z: new Float32Array(size), label: classes ? 0 : null });
    times.push(performance.now() - start);
  }
  return { ms: times.sort((a, b) => a - b)[TRIALS / 2] };
}

/** @param {DrawRequest} asked */
async function drawn({ z, label, other = label, share = 0 }) {
  /** @type {Record<string, Tensor>} */
  const inputs = { z: new Tensor("float32", z, [1, z.length]) };
  if (label !== null) {
    inputs.labels = new Tensor("int32", Int32Array.of(label), [1]);
    inputs.others = new Tensor("int32", Int32Array.of(other ?? label), [1]);
    inputs.shares = new Tensor("float32", Float32Array.of(share), [1]);
  }
  if (!session) throw new Error("no generator is open");
  const { images } = await session.run(inputs);
  const [, channels, side] = images.dims;
  return { pixels: rgba(images.data, channels, side * side).buffer, side };
}

/**
 * Round an image in [-1, 1] to pixels, as gan/images.py does.
 * @param {Float32Array} image
 * @param {number} channels
 * @param {number} area
 */
function rgba(image, channels, area) {
  const pixels = new Uint8Array(4 * area).fill(255);
  for (let place = 0; place < area; place += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      const value = image[place + (channel % channels) * area] * 127.5 + 128;
      pixels[4 * place + channel] = Number.isNaN(value) ? 128 : Math.min(255, Math.max(0, value));
    }
  }
  return pixels;
}
