import assert from "node:assert/strict";
import { test } from "node:test";

import { seedFor } from "../../gan/web/explore/first-seed.js";

test("a model opens with its own first seed, until the reader has chosen one", () => {
  assert.equal(seedFor({ model: "shipped:digits", seed: 0 }, "shipped:faces"), 19);
  assert.equal(seedFor({ model: "shipped:faces", seed: 19 }, "shipped:digits"), 0);
  assert.equal(seedFor({ model: null, seed: 0 }, "shipped:faces"), 19);
  assert.equal(seedFor({ model: "shipped:digits", seed: 7 }, "shipped:faces"), 7);
  assert.equal(seedFor({ model: "shipped:faces", seed: 0 }, "run:one"), 0);
});
