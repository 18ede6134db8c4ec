// JavaScript answers as Python does. tests/web/make_vectors.py writes the vectors; pytest compares them with
// Python.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as encoding from "../../gan/web/latent/encoding.js";
import * as loopPath from "../../gan/web/latent/loop-path.js";
import * as point from "../../gan/web/latent/point.js";
import {
  latent,
  mixedLabel,
  pointClass,
  pointClasses,
  pointZ,
  slerp,
} from "../../gan/web/latent/sampling.js";
import { near } from "./support.js";

const vectors = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url), "utf8"));
const { principal, named } = vectors.directions;
const SIZE = principal[0].length;
const CLASSES = 3;
const directions = Float32Array.from(principal.flat());
/** @param {string} id */
const vector = (id) => named[id] && Float32Array.from(named[id]);
const HALF = 0.5 / encoding.UNITS; // written16 rounds by this much at most

/** The next float32 away from 0. */
const further = (/** @type {number} */ value) => {
  const bits = new Int32Array(Float32Array.of(value).buffer);
  bits[0] += 1;
  return new Float32Array(bits.buffer)[0];
};

test("limits are the same", () => {
  const { DIRECTION, ...numbers } = vectors.limits;
  /** @type {Record<string, unknown>} */
  const own = { ...point, ...encoding, ...loopPath };
  for (const [name, value] of Object.entries(numbers)) assert.equal(own[name], value, name);
  assert.equal(encoding.DIRECTION.source, `^${DIRECTION}$`);
});

for (const { seed, size, z } of vectors.latent) {
  test(`z of seed ${seed} differs in the last bit at most`, () => {
    latent(seed, size).forEach((value, index) => {
      assert.ok(
        Math.abs(value - Math.fround(z[index])) <=
          further(Math.abs(z[index])) - Math.abs(Math.fround(z[index])) + 1e-12,
        `${index}`,
      );
    });
  });
}

test("seeds choose the same classes", () => {
  for (const { seed, classes, label } of vectors.mixedLabel) assert.equal(mixedLabel(seed, classes), label);
});

test("great circles are the same, of equal, opposite and zero ends too", () => {
  for (const one of vectors.slerp) near(slerp(one.from, one.to, one.part), one.z);
});

test("a z is written and read the same", () => {
  for (const { z, text, read } of vectors.written16) {
    assert.equal(encoding.written16(z), text);
    assert.deepEqual(Array.from(encoding.read16(text, z.length)), read);
  }
});

for (const { query, ...wanted } of vectors.points) {
  const name = new URLSearchParams(query).toString();
  const meant = encoding.parsed({ ...query, to: query.to ?? "1" });
  test(`${name} is the same point`, () => {
    near(pointZ(meant, SIZE, directions, vector), wanted.z);
    const { label, other, share } = pointClasses(meant, CLASSES);
    assert.deepEqual({ label, share }, { label: wanted.label, share: wanted.share });
    assert.equal(share ? other : label, share ? wanted.other : pointClass(meant, CLASSES));
    assert.deepEqual(meant.u, wanted.units);
  });

  test(`${name} is what the server is asked for`, () => {
    const { id, ...asked } = encoding.query(meant);
    const sent = Object.fromEntries(
      Object.entries(asked)
        .filter(([, value]) => value !== null)
        .map(([key, value]) => [key, String(value)]),
    );
    const again = encoding.parsed(sent);
    near(pointZ(again, SIZE, directions, vector), wanted.z);
    assert.equal(id, null);
  });
}

test("a loop goes the same way", () => {
  const { keys, steps, size, frames } = vectors.loop;
  const own = keys.map((/** @type {string} */ text) => {
    const [at, label, label2 = "", mix = "", ...u] = text.split(",");
    const read = encoding.parsed({ at, label, label2, mix, u: u.join(",") });
    return { at, ...pointClasses(read, CLASSES), u: read.u };
  });
  assert.deepEqual(own.map(loopPath.keyText), keys);
  assert.equal(frames.length, keys.length * steps);
  frames.forEach(
    (
      /** @type {KeyFrame & {z: number[], units: Record<string, number>}} */ wanted,
      /** @type {number} */ index,
    ) => {
      const frame = loopPath.frameOf(own, steps, index, size);
      near(Array.from(encoding.read16(frame.at, size)), wanted.z, HALF + 1e-6);
      assert.equal(frame.label, wanted.label);
      near([frame.share], [wanted.share]);
      assert.equal(frame.share ? frame.other : frame.label, wanted.other);
      assert.deepEqual(Object.keys(frame.u).sort(), Object.keys(wanted.units).sort());
      near(
        Object.keys(wanted.units).map((unit) => frame.u[unit]),
        Object.values(wanted.units),
      );
    },
  );
});
