// Runs a generator in a thread of its own. {onnx, size, classes} opens one and answers {ms}; {z, label, other, share} answers {pixels, side}; what fails
// answers {error}.
import { configure, draw, open } from "./onnx-generator.js";

configure({ wasmPaths: { wasm: new URL("../vendor/onnxruntime-web-1.22.0/ort-wasm-simd-threaded.wasm.gz", import.meta.url).href } });

onmessage = ({ data }) => {
  (data.onnx ? open(data) : draw(data)).then(
    (answer) => postMessage(answer, answer.pixels ? [answer.pixels] : []),
    (error) => postMessage({ error: error.message ?? String(error) }),
  );
};
