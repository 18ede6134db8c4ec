// Ours, not ONNX Runtime's: the types of what renderer/onnx-generator.js uses. The browser never reads this file.
export const env: { wasm: { numThreads: number; wasmPaths?: object } };

export class Tensor {
  constructor(type: "float32" | "int32", data: Float32Array | Int32Array, dims: number[]);
  data: Float32Array;
  dims: number[];
}

export class InferenceSession {
  static create(bytes: Uint8Array): Promise<InferenceSession>;
  run(inputs: Record<string, Tensor>): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}
