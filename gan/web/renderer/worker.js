// Runs a generator in a worker. {onnx, size, classes} opens one and answers {ms}. {z, label, other, share}
// answers {pixels, side}. Failures answer {error}.
import { configure, draw, open } from "./onnx-generator.js";

configure({
  wasmPaths: {
    wasm: new URL("../vendor/onnxruntime-web-1.22.0/ort-wasm-simd-threaded.wasm.gz", import.meta.url).href,
  },
});

// tsc takes `self` for a window, whose postMessage has other arguments.
const page = /** @type {Worker} */ (/** @type {unknown} */ (self));

onmessage = ({ data }) => {
  (data.onnx ? open(data) : draw(data)).then(
    (/** @type {any} */ answer) => page.postMessage(answer, answer.pixels ? [answer.pixels] : []),
    (error) => page.postMessage({ error: error.message ?? String(error) }),
  );
};
