// z of seeds and points. This is the twin of gan/latent/sampling.py and gan/latent/point.py, so a browser
// needs no server for z. Philox is exact. The rest is computed in doubles and rounded once to float32, so its
// last bit may differ from numpy's. tests/web/vectors.json holds both sides to the same answers.
import { read16, rounded } from "./encoding.js";

const MASK = 2n ** 64n - 1n;
const [TIMES_A, TIMES_C] = [0xd2e7470ee14c6c93n, 0xca5a826395121157n];
const [STEP_A, STEP_B] = [0x9e3779b97f4a7c15n, 0xbb67ae8584caa73bn];
const ROUNDS = 10;
const [NOISE, CLASS] = [0, 1]; // streams of a seed
const PARALLEL = 1e-6; // radians: below this, line and great circle agree to the last float32 digit
const KEPT = 64; // latents in the cache; a drag reads one or two of them again and again

/**
 * The first `count` 64-bit numbers of Philox4x64-10 (Salmon et al. 2011) with the key (seed, stream), as
 * numpy counts: from 1.
 * @param {number} seed
 * @param {number} stream
 * @param {number} count
 */
function bits(seed, stream, count) {
  const out = new BigUint64Array(Math.ceil(count / 4) * 4);
  for (let block = 0; block < out.length; block += 4) {
    let [a, b, c, d] = [BigInt(block / 4 + 1), 0n, 0n, 0n];
    let [key, other] = [BigInt(seed), BigInt(stream)];
    for (let round = 0; round < ROUNDS; round += 1) {
      const [x, y] = [a * TIMES_A, c * TIMES_C];
      [a, b, c, d] = [(y >> 64n) ^ b ^ key, y & MASK, (x >> 64n) ^ d ^ other, x & MASK];
      [key, other] = [(key + STEP_A) & MASK, (other + STEP_B) & MASK];
    }
    out.set([a, b, c, d], block);
  }
  return out.subarray(0, count);
}

/** @type {Map<string, Float32Array>} */
const known = new Map();

/**
 * z of a seed: Float32Array of N(0, 1) numbers (Box and Muller 1958). Callers must not write to it.
 * @param {number} seed
 * @param {number} size
 */
export function latent(seed, size) {
  const key = `${seed},${size}`;
  let z = known.get(key);
  if (!z) {
    if (known.size >= KEPT) known.clear();
    const uniform = Array.from(
      bits(seed, NOISE, 2 * Math.ceil(size / 2)),
      (number) => Number(number >> 11n) * 2 ** -53,
    );
    z = Float32Array.from({ length: size }, (_, index) => {
      const [length, angle] = [
        Math.sqrt(-2 * Math.log1p(-uniform[index & ~1])),
        2 * Math.PI * uniform[index | 1],
      ];
      return length * (index % 2 ? Math.sin(angle) : Math.cos(angle));
    });
    known.set(key, z);
  }
  return z;
}

/**
 * The class that a seed chooses when the point has none.
 * @param {number} seed
 * @param {number} classes
 */
export const mixedLabel = (seed, classes) => Number(bits(seed, CLASS, 1)[0] % BigInt(classes));

/** @param {number[]} vector */
const norm = (vector) => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
/**
 * @param {number} p
 * @param {number[]} a
 * @param {number} q
 * @param {number[]} b
 */
const combined = (p, a, q, b) => a.map((value, index) => p * value + q * b[index]);

/**
 * The great circle from a to b at `part` in [0, 1]. Lengths change linearly. Parallel or zero ends give a
 * straight line.
 * @param {ArrayLike<number>} from
 * @param {ArrayLike<number>} to
 * @param {number} part
 */
export function slerp(from, to, part) {
  const [a, b] = [Array.from(from), Array.from(to)];
  const [lengthA, lengthB] = [norm(a), norm(b)];
  const straight = () => Float32Array.from(combined(1 - part, a, part, b));
  if (Math.min(lengthA, lengthB) === 0) return straight();
  const [unitA, unitB] = [a.map((value) => value / lengthA), b.map((value) => value / lengthB)];
  const angle = 2 * Math.atan2(norm(combined(1, unitA, -1, unitB)), norm(combined(1, unitA, 1, unitB)));
  if (angle < PARALLEL) return straight();
  const walk = combined(Math.cos(part * angle), unitA, Math.sin(part * angle), across(unitA, unitB, angle));
  const length = (1 - part) * lengthA + part * lengthB;
  return Float32Array.from(walk, (value) => value * length);
}

/**
 * The unit vector orthogonal to unitA in the plane of both. If they are opposite, it points to the axis along
 * which unitA is smallest.
 * @param {number[]} unitA
 * @param {number[]} unitB
 * @param {number} angle
 */
function across(unitA, unitB, angle) {
  let towards = unitB;
  if (angle >= Math.PI - PARALLEL) {
    const sizes = unitA.map(Math.abs);
    const least = sizes.indexOf(Math.min(...sizes));
    towards = unitA.map((_, index) => (index === least ? 1 : 0));
  }
  const along = towards.reduce((sum, value, index) => sum + value * unitA[index], 0);
  const out = combined(1, towards, -along, unitA);
  const length = norm(out);
  return out.map((value) => value / length);
}

/**
 * z of a point (point.js). Throws if `vector` does not know a direction of the point.
 * @param {Point} point
 * @param {number} size of z
 * @param {ArrayLike<number>} directions K * size numbers, one principal direction after the other
 * @param {(id: string) => Float32Array | undefined} vector any other direction, by its id
 * @returns {Float32Array}
 */
export function pointZ(point, size, directions, vector = () => undefined) {
  const part = rounded(point.t);
  const from = point.at ? read16(point.at, size) : latent(point.seed, size);
  const start = part > 0 ? slerp(from, latent(point.to, size), part) : from;
  const psi = Math.fround(rounded(point.psi));
  const z = Float32Array.from(start, (value) => value * psi);
  const moves = point.d.slice(0, directions.length / size).map((amount) => rounded(amount || 0));
  const moved = (/** @type {number} */ value, /** @type {number} */ index) =>
    moves.reduce((sum, amount, k) => sum + amount * directions[k * size + index], value);
  const out = moves.some(Boolean) ? z.map(moved) : z;
  for (const [id, amount] of Object.entries(point.x ?? {})) {
    if (!rounded(amount)) continue;
    const direction = vector(id);
    if (!direction) throw new Error(`no direction ${id} here`);
    direction.forEach((value, index) => {
      out[index] += rounded(amount) * value;
    });
  }
  for (const [index, value] of Object.entries(point.z)) {
    if (Number(index) < size) out[Number(index)] = rounded(value);
  }
  return out;
}

/**
 * a - b + c (Radford et al. 2016). `usual` scales it to the mean of the three lengths, where the generator
 * was trained.
 * @param {number[]} a
 * @param {number[]} b
 * @param {number[]} c
 * @param {boolean} usual
 */
export function arithmetic(a, b, c, usual) {
  const sum = a.map((value, index) => value - b[index] + c[index]);
  const length = norm(sum);
  const scale = usual && length > 0 ? (norm(a) + norm(b) + norm(c)) / 3 / length : 1;
  return sum.map((value) => value * scale);
}

/**
 * The class of a point, another class, and the share of the other in [0, 1]. The label is null if the model
 * has no classes.
 * @param {Point} point
 * @param {number} classes
 * @returns {ClassMix}
 */
export function pointClasses(point, classes) {
  const label = pointClass(point, classes);
  const share = label === null || point.label2 === null ? 0 : rounded(point.mix);
  return { label, other: share > 0 ? point.label2 : label, share };
}

/**
 * The class of a point, out of `classes`; null if the model has none.
 * @param {Point} point
 * @param {number} classes
 */
export function pointClass(point, classes) {
  if (!classes) return null;
  return point.label ?? mixedLabel(rounded(point.t) < 0.5 ? point.seed : point.to, classes);
}
