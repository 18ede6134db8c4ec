// What several tests need: closeness of numbers, and a page that is not there.
import assert from "node:assert/strict";

/**
 * Every number of `found` differs from that of `wanted` by at most `most`.
 * @param {ArrayLike<number>} found
 * @param {ArrayLike<number>} wanted
 */
export function near(found, wanted, most = 1e-6) {
  assert.equal(found.length, wanted.length);
  Array.from(wanted).forEach((value, index) =>
    assert.ok(Math.abs(found[index] - value) <= most, `${index}: ${found[index]}, not ${value}`),
  );
}

/**
 * The length of a vector.
 * @param {number[]} z
 */
export const norm = (z) => Math.hypot(...z);

/**
 * The cosine between two vectors.
 * @param {number[]} a
 * @param {number[]} b
 */
export const cosine = (a, b) =>
  a.reduce((sum, value, index) => sum + value * b[index], 0) / norm(a) / norm(b);
