// Points in latent space: what gan/latent/sampling.py and gan/latent/point.py do, so that a browser comes to the same z without asking. Philox is exact; the rest is
// worked out in doubles and rounded once to float32, which may differ from numpy's in the last bit.
import { read16, rounded } from "./encoding.js";

const MASK = 2n ** 64n - 1n;
const [TIMES_A, TIMES_C] = [0xd2e7470ee14c6c93n, 0xca5a826395121157n];
const [STEP_A, STEP_B] = [0x9e3779b97f4a7c15n, 0xbb67ae8584caa73bn];
const ROUNDS = 10;
const [NOISE, CLASS] = [0, 1]; // streams of a seed
const PARALLEL = 1e-6; // radians; below this a straight line is the great circle to the last float32 digit
const KEPT = 64; // latents; a drag needs the same one or two all the time

/** The first `count` 64-bit numbers of Philox4x64-10 (Salmon et al. 2011) with the key (seed, stream), as numpy counts: from 1. */
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

const known = new Map();

/** z of a seed: Float32Array of N(0, 1) numbers (Box and Muller 1958). Not to be written to. */
export function latent(seed, size) {
  const key = `${seed},${size}`;
  if (!known.has(key)) {
    if (known.size >= KEPT) known.clear();
    const uniform = Array.from(bits(seed, NOISE, 2 * Math.ceil(size / 2)), (number) => Number(number >> 11n) * 2 ** -53);
    known.set(key, Float32Array.from({ length: size }, (_, index) => {
      const [length, angle] = [Math.sqrt(-2 * Math.log1p(-uniform[index & ~1])), 2 * Math.PI * uniform[index | 1]];
      return length * (index % 2 ? Math.sin(angle) : Math.cos(angle));
    }));
  }
  return known.get(key);
}

/** The class that a seed draws where none is chosen. */
export const mixedLabel = (seed, classes) => Number(bits(seed, CLASS, 1)[0] % BigInt(classes));

const norm = (vector) => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
const combined = (p, a, q, b) => a.map((value, index) => p * value + q * b[index]);

/** The great circle from a to b at `part` (0 to 1), lengths changing linearly; ends of the same direction, or at zero, are joined by the straight line. */
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

/** The unit vector at right angles to unitA in the plane of both; where they are opposite, towards the axis that unitA has least of. */
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
 * z of a point (point.js) for principal directions (K * size numbers, one direction after the other), and `vector(id)` of the others: Float32Array of `size`.
 * Throws for a direction that `vector` does not have.
 */
export function pointZ(point, size, directions, vector = (_id) => undefined) {
  const part = rounded(point.t);
  const from = point.at ? read16(point.at, size) : latent(point.seed, size);
  const start = part > 0 ? slerp(from, latent(point.to, size), part) : from;
  const psi = Math.fround(rounded(point.psi));
  const z = Float32Array.from(start, (value) => value * psi);
  const moves = point.d.slice(0, directions.length / size).map((amount) => rounded(amount || 0));
  const moved = (value, index) => moves.reduce((sum, amount, k) => sum + amount * directions[k * size + index], value);
  const out = moves.some(Boolean) ? z.map(moved) : z;
  for (const [id, amount] of Object.entries(point.x ?? {})) {
    if (!rounded(amount)) continue;
    const way = vector(id);
    if (!way) throw new Error(`no direction ${id} here`);
    way.forEach((value, index) => { out[index] += rounded(amount) * value; });
  }
  for (const [index, value] of Object.entries(point.z)) {
    if (Number(index) < size) out[index] = rounded(value);
  }
  return out;
}

/** A - B + C, numbers of z; `usual` gives it the mean of the three lengths, without which it lies where the generator has hardly been (Radford et al. 2016). */
export function arithmetic(a, b, c, usual) {
  const sum = a.map((value, index) => value - b[index] + c[index]);
  const length = norm(sum);
  const scale = usual && length > 0 ? (norm(a) + norm(b) + norm(c)) / 3 / length : 1;
  return sum.map((value) => value * scale);
}

/** {label, other, share}: the class that a point is drawn of, another, and how much of that is blended in; label null where a model has no classes. */
export function pointClasses(point, classes) {
  const label = pointClass(point, classes);
  const share = label === null || point.label2 === null ? 0 : rounded(point.mix);
  return { label, other: share > 0 ? point.label2 : label, share };
}

/** The class that a point is drawn of, of so many; null where there are none. */
export function pointClass(point, classes) {
  if (!classes) return null;
  return point.label ?? mixedLabel(rounded(point.t) < 0.5 ? point.seed : point.to, classes);
}
