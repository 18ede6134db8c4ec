// Which changes of a running run hold, and what takes them back. gan/train/actions.py has the same rules.
import assert from "node:assert/strict";
import { test } from "node:test";

import { changedAt, changesIn, inForce, undone } from "../../gan/web/train/stage/changes.js";

const time = 1;
const adjusted = (/** @type {number} */ step, /** @type {string} */ name, /** @type {number} */ factor) => ({
  time,
  key: "adjusted",
  values: { step, name, factor },
});
const back = (/** @type {number} */ step) => ({ time, key: "rolled_back", values: { step } });
const steps = (/** @type {RunEvent[]} */ events) => changesIn(events).map(({ step }) => step);

test("a change of the same setting drops those that were to come", () => {
  const killed = [adjusted(300, "gamma", 4), adjusted(200, "lr_g", 0.5), adjusted(150, "gamma", 2)];
  assert.deepEqual(steps(killed), [200, 150]);
});

test("a run that diverged forgets what came after its checkpoint, and one that restarts all", () => {
  const events = [adjusted(100, "gamma", 4), adjusted(300, "lr_g", 2)];
  assert.deepEqual(steps([...events, back(250)]), [100]);
  assert.deepEqual(steps([...events, { time, key: "restarted", values: {} }]), []);
});

test("what is undone is what the run has reached", () => {
  const events = [adjusted(100, "gamma", 4), adjusted(300, "gamma", 4), adjusted(120, "lr_g", 0.25)];
  assert.deepEqual(undone(events, 150), [
    ["gamma", 1 / 4],
    ["lr_g", 4],
  ]);
  assert.deepEqual(undone([...events, adjusted(400, "gamma", 1 / 16)], 500), [["lr_g", 4]]);
});

test("the value in force is that of the setting and of all changes of it", () => {
  const config = /** @type {RunConfig} */ ({ gamma: 0.2, lr_g: 1e-3 });
  const run = { events: [adjusted(5, "gamma", 4), adjusted(9, "gamma", 0.5), adjusted(9, "lr_g", 3)] };
  assert.equal(inForce(run, config, "gamma"), 0.4);
  assert.equal(inForce({ events: [] }, config, "lr_g"), 1e-3);
  assert.equal(changedAt(run.events), time);
  assert.equal(changedAt([]), 0);
});
