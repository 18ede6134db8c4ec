// Runs a generator in a thread of its own. {onnx, size, classes} opens one and answers {ms}, the median time of a few pictures; {z, label, other, share}
// (classes, null where there are none; how much of the other is blended in) answers {pixels, side}, RGBA; what fails answers {error}.
import { env, InferenceSession, Tensor } from "../vendor/onnxruntime-web-1.22.0/ort.wasm.min.mjs";

const TRIALS = 8;

env.wasm.numThreads = 1; // more would need a page that is isolated from all others
env.wasm.wasmPaths = { wasm: new URL("../vendor/onnxruntime-web-1.22.0/ort-wasm-simd-threaded.wasm.gz", import.meta.url).href };

let session = null;

async function open({ onnx, size, classes }) {
  await session?.release();
  session = null;
  session = await InferenceSession.create(new Uint8Array(onnx));
  const times = [];
  for (let trial = 0; trial < TRIALS; trial += 1) {
    const start = performance.now();
    await draw({ z: new Float32Array(size), label: classes ? 0 : null });
    times.push(performance.now() - start);
  }
  return { ms: times.sort((a, b) => a - b)[TRIALS / 2] };
}

async function draw({ z, label, other = label, share = 0 }) {
  const inputs = { z: new Tensor("float32", z, [1, z.length]) };
  if (label !== null) {
    inputs.labels = new Tensor("int32", Int32Array.of(label), [1]);
    inputs.others = new Tensor("int32", Int32Array.of(other), [1]);
    inputs.shares = new Tensor("float32", Float32Array.of(share), [1]);
  }
  const { images } = await session.run(inputs);
  const [, channels, side] = images.dims;
  return { pixels: rgba(images.data, channels, side * side).buffer, side };
}

/** Pixels of an image in [-1, 1], rounded as gan/images.py does it. */
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

let turn = Promise.resolve();

onmessage = ({ data }) => {
  turn = turn.then(() => (data.onnx ? open(data) : draw(data))).then(
    (answer) => postMessage(answer, answer.pixels ? [answer.pixels] : []),
    (error) => postMessage({ error: error.message ?? String(error) }),
  );
};
