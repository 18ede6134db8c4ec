// Runs a generator as ONNX in the thread that loads this module: one picture after the other, in the order of the calls.
import { env, InferenceSession, Tensor } from "../vendor/onnxruntime-web-1.22.0/ort.wasm.min.mjs";

const TRIALS = 8;

env.wasm.numThreads = 1; // more would need a page that is isolated from all others

/** @type {?InferenceSession} */
let session = null;
/** @type {Promise<any>} */
let turn = Promise.resolve();

/**
 * `size` is that of z, `classes` their number.
 * @typedef {{onnx: ArrayBuffer | Uint8Array, size: number, classes: number}} OpenRequest
 */

/** @typedef {{z: Float32Array, label: ?number, other?: ?number, share?: number}} DrawRequest */

/**
 * Settings of ONNX Runtime: {wasmPaths}, where it finds its parts.
 * @param {{wasmPaths: Record<string, string>}} settings
 */
export const configure = (settings) => Object.assign(env.wasm, settings);

/**
 * Open a generator: its bytes, the size of z and its number of classes. Gives {ms}, the median time of a few pictures.
 * @param {OpenRequest} asked
 */
export const open = (asked) => inTurn(() => opened(asked));

/**
 * {pixels, side} of a z (Float32Array), a class label, another and how much of that is blended in (label null where there are no classes): `pixels` is an
 * ArrayBuffer of RGBA.
 * @param {DrawRequest} asked
 */
export const draw = (asked) => inTurn(() => drawn(asked));

/**
 * Do `work` after all that came before it.
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
 * Pixels of an image in [-1, 1], rounded as gan/images.py does it.
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
