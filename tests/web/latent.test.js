// The pure modules of latent/, where they have no twin in Python.
import assert from "node:assert/strict";
import { test } from "node:test";
import { must } from "../../gan/web/core/dom.js";
import {
  overrides,
  parsed,
  query,
  read16,
  rounded,
  written,
  written16,
} from "../../gan/web/latent/encoding.js";
import { between, frameOf, keyText, standing, unitsOf } from "../../gan/web/latent/loop-path.js";
import { MOST_ZOOM, nearest, Plane, room, thinned, towards } from "../../gan/web/latent/plane.js";
import {
  along,
  altered,
  amountOf,
  fresh,
  LIMIT,
  movedAlong,
  plain,
  RAW_LIMIT,
  withAmount,
  without,
} from "../../gan/web/latent/point.js";
import { RandomWalk, wandering } from "../../gan/web/latent/random-walk.js";
import { arithmetic, latent, pointClass, pointZ } from "../../gan/web/latent/sampling.js";
import { cosine, near, norm } from "./support.js";

test("a direction that the page does not have is an error with its name", () => {
  assert.throws(() => pointZ({ ...fresh(), x: { dusk: 1 } }, 8, new Float32Array()), /dusk/);
  assert.doesNotThrow(() => pointZ({ ...fresh(), x: { dusk: 0 } }, 8, new Float32Array()));
});

test("arithmetic keeps the usual length where it is asked to", () => {
  const [a, b, c] = [1, 2, 3].map((seed) => Array.from(latent(seed, 32)));
  near(arithmetic(a, a, c, false), c, 1e-12);
  const usual = (norm(a) + norm(b) + norm(c)) / 3;
  near([norm(arithmetic(a, b, c, true))], [usual], 1e-9);
  near(
    arithmetic(
      a,
      a,
      a.map(() => 0),
      true,
    ),
    a.map(() => 0),
  );
});

test("a model without classes has no class", () => {
  assert.equal(pointClass(fresh(), 0), null);
  assert.equal(pointClass({ ...fresh(), label: 2 }, 3), 2);
});

test("directions are written to d or to x by their ids", () => {
  let point = fresh();
  point = { ...point, ...along(point, ["p2", "night", "s0"], [1.5, -1, 0]) };
  assert.deepEqual([point.d, point.x], [[0, 0, 1.5], { night: -1, s0: 0 }]);
  assert.deepEqual(
    ["p0", "p2", "p9", "night", "s0", "s1"].map((id) => amountOf(point, id)),
    [0, 1.5, 0, -1, 0, 0],
  );
  assert.deepEqual(movedAlong(point), ["p2", "night"]);
  assert.deepEqual(without(point, "night"), { x: { s0: 0 } });
  assert.deepEqual(without(point, "p1"), { d: [0] });
  assert.deepEqual(withAmount(point, "p0", 2), { d: [2, 0, 1.5] });
});

test("only changed units alter the generator", () => {
  assert.equal(altered(fresh()), false);
  assert.equal(altered({ ...fresh(), u: { 0.1: 2 } }), true);
  assert.equal(altered({ ...fresh(), ...plain() }), false);
});

/** @type {Point} */
const MOVED = {
  model: "run:20250102-030405-digits-modern",
  seed: 7,
  at: null,
  psi: 0.7,
  label: 3,
  label2: 4,
  mix: 0.25,
  d: [0, -1.5],
  x: { night: 2 },
  z: { 3: -1 },
  to: 9,
  t: 0.5,
  u: { 1.11: 4 },
  wall: 64,
  axes: ["p0", "night"],
  view: "map",
  family: "factors",
};

test("a point is read back as it was written", () => {
  assert.deepEqual(parsed(written(MOVED)), MOVED);
  assert.deepEqual(parsed(written(fresh())), fresh());
  assert.deepEqual(Object.keys(written(fresh())), ["seed"]);
});

test("what makes no sense in an address is left out", () => {
  const wrong = {
    seed: "-1",
    at: "?",
    psi: "x",
    label: "99999999999",
    mix: "",
    d: "1,x",
    x: "A:1,night",
    z: "x:1",
    to: "1.5",
    t: "Infinity",
    u: "1:2,a.b:1",
    wall: "-",
    axes: "p0,p0",
    view: "<b>",
    family: "kin",
  };
  const { d, ...rest } = parsed(wrong);
  const { d: none, ...usual } = fresh();
  assert.deepEqual(rest, usual);
  assert.deepEqual([d, none], [[1, 0], []]);
});

test("an address cannot leave the limits", () => {
  const { psi, d, x, z, u, t, mix } = parsed({
    psi: "9",
    d: "-99",
    x: "night:99",
    z: "0:-99",
    u: "0.0:99",
    t: "2",
    mix: "-1",
  });
  assert.deepEqual(
    { psi, d, x, z, u, t, mix },
    { psi: 1.5, d: [-LIMIT], x: { night: LIMIT }, z: { 0: -RAW_LIMIT }, u: { "0.0": 4 }, t: 1, mix: 0 },
  );
});

test("a query leaves out what rests", () => {
  const { id, seed, psi, ...rest } = query(fresh(), { n: 9 });
  assert.deepEqual([id, seed, psi], [null, 0, 1]);
  assert.deepEqual(rest, { at: null, label: null, d: null, x: null, z: null, u: null, n: 9 });
  assert.equal(query({ ...fresh(), d: [1, 0, 0] }).d, "1");
  assert.equal(overrides({ 3: 1 / 3 }), "3:0.333");
  assert.equal(rounded(-1.23456), -1.235);
});

test("the z of another model is refused", () => {
  const text = written16(latent(1, 12));
  assert.throws(() => read16(text, 13), { key: "latent.bad_z" });
  assert.throws(() => read16(text, 14), { key: "latent.bad_z" });
});

test("the zoom keeps its place, and never leaves the square", () => {
  const plane = new Plane();
  const before = plane.toSquare(0.2, 0.7);
  plane.scale(4, 0.2, 0.7);
  near(plane.toSquare(0.2, 0.7), before, 1e-12);
  near(plane.toCanvas(...before), [0.2, 0.7], 1e-12);
  plane.pan(5, -5);
  near([...plane.toSquare(0, 0), ...plane.toSquare(1, 1)], [0, 0.75, 0.25, 1], 1e-12);
  plane.scale(1000);
  assert.equal(plane.zoom, MOST_ZOOM);
  assert.equal(plane.finest, true);
  plane.reset();
  assert.deepEqual([plane.x, plane.y, plane.zoom, plane.finest, plane.growth], [0.5, 0.5, 1, false, 1]);
});

test("a place is brought into sight by no more than it takes", () => {
  const plane = new Plane();
  plane.scale(8);
  plane.reveal(0.9, 0.5);
  near(plane.toCanvas(0.9, 0.5), [0.8, 0.5], 1e-12);
  const { x } = plane;
  plane.reveal(0.9, 0.5);
  near([plane.x], [x], 1e-12);
});

const [XS, YS] = [
  [0.05, 0.06, 0.5, 1, 0.05],
  [0.05, 0.05, 0.5, 1, 0.95],
];

test("thinning keeps one sample to a cell", () => {
  const cells = thinned(XS, YS, 10);
  assert.deepEqual(
    [...cells.values()].map(({ index }) => index),
    [0, 2, 3, 4],
  );
  assert.equal(thinned(XS, YS, 10, () => true, 1).get("0,0")?.index, 1);
  assert.equal(thinned(XS, YS, 10, (index) => index === 2).size, 1);
});

test("keys go to the nearest sample of their direction", () => {
  const cells = thinned(XS, YS, 10);
  const found = [
    [5, 5, 1, 0],
    [0, 9, 0, -1],
    [9, 9, 1, 0],
  ].map(([column, row, dx, dy]) => towards(cells, column, row, dx, dy)?.index);
  assert.deepEqual(found, [3, 0, undefined]);
  assert.equal(nearest(cells, 0.45, 0.55, 10)?.index, 2);
  assert.equal(nearest(new Map(), 0.5, 0.5, 10), undefined);
});

test("a picture grows until it would touch another", () => {
  const cells = thinned([0.05, 0.35], [0.05, 0.05], 10);
  const cell = must(cells.get("0,0"), "cell");
  assert.equal(room(cells, cell, 8), 3);
  assert.equal(room(cells, cell, 2), 2);
});

const [CAT, DOG] = [
  { at: written16(latent(1, 8)), label: 0, other: 0, share: 0, u: {} },
  { at: written16(latent(2, 8)), label: 1, other: 2, share: 0.25, u: { 0.2: 0 } },
];

test("a loop passes its keys, and comes back", () => {
  const keys = [CAT, DOG];
  const ends = [0, 6].map((frame) => frameOf(keys, 6, frame, 8));
  assert.deepEqual(
    ends.map(({ at, label, share, u }) => ({ at, label, share, u })),
    keys.map(({ at, label, share, u }) => ({ at, label, share, u })),
  );
  assert.equal(frameOf(keys, 6, 9, 8).u["0.2"], 0.5);
  assert.deepEqual(between(CAT, DOG, 1), { label: 1, other: 2, share: 0.25 });
  assert.deepEqual(between({ label: null, other: null, share: 0 }, CAT, 0.5), {
    label: null,
    other: null,
    share: 0,
  });
});

test("a key is text, and a point", () => {
  assert.equal(keyText(CAT), `${CAT.at},0`);
  assert.equal(keyText(DOG), `${DOG.at},1,2,0.25,0.2:0`);
  assert.equal(keyText({ ...CAT, label: null }), CAT.at);
  assert.equal(unitsOf([CAT, DOG, DOG]), 1);
  assert.deepEqual(standing(CAT), {
    at: CAT.at,
    d: [],
    x: {},
    z: {},
    t: 0,
    psi: 1,
    label: 0,
    label2: null,
    mix: 0,
    u: {},
  });
  assert.deepEqual([standing(DOG).label2, standing(DOG).mix], [2, 0.25]);
});

test("a walk stays where seeds are, and comes everywhere", () => {
  const cosines = [];
  for (let seed = 0; seed < 8; seed += 1) {
    const start = Array.from(latent(seed, 64), (value) => value * (seed % 2 ? 1 : 2));
    const walk = new RandomWalk(start);
    let before = walk.z;
    for (let step = 0; step < 2000; step += 1) {
      walk.further(0.02);
      near([Math.acos(Math.min(1, cosine(before, walk.z)))], [0.02]); // evenly, and along the sphere
      before = walk.z;
    }
    near([norm(walk.z)], [8], 1e-3); // the square root of 64, whatever it began with
    cosines.push(cosine(start, walk.z));
  }
  // After 40 radians nothing is left of the start. Cosines of independent directions in 64 dimensions have a
  // standard deviation of 1/8.
  assert.ok(Math.max(...cosines.map(Math.abs)) < 0.6);
  assert.ok(Math.abs(cosines.reduce((sum, value) => sum + value, 0) / 8) < 0.25);
});

test("a walk goes on from where the point is put", () => {
  const explorer = { model: { z_dim: 16 }, point: fresh() };
  const walk = wandering(explorer, () => 0.1);
  const step = (/** @type {number} */ seconds) => must(walk(seconds), "step");
  const first = step(0);
  near(read16(first.at, 16), latent(0, 16), 1 / 4096);
  explorer.point = { ...fresh(), ...first };
  const second = step(1);
  near([cosine(Array.from(read16(first.at, 16)), Array.from(read16(second.at, 16)))], [Math.cos(0.1)], 1e-3);
  explorer.point = { ...fresh(), seed: 5 };
  near(read16(step(0).at, 16), latent(5, 16), 1 / 4096);
});
