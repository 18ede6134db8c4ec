// The chain of leases on ZeroGPU.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LeaseChain } from "../../gan/web/train/stage/lease-chain.js";

/** A chain whose server gives these answers, one after the other. Errors are thrown. @param {any[]} answers */
function chained(answers, wanted = () => true) {
  /** @type {any[]} */ const asked = [];
  /** @type {number[]} */ const pauses = [];
  const request = async (/** @type {string} */ id, /** @type {number | undefined} */ seconds) => {
    asked.push([id, seconds]);
    const answer = answers.shift();
    if (answer.key) throw answer;
    return answer;
  };
  const chain = new LeaseChain(request, wanted, async (ms) => pauses.push(ms));
  return { chain, asked, pauses };
}

const lent = (/** @type {number} */ step) => ({ state: "paused", reason: "lease", step, seconds: 20 });
const BUSY = { key: "ui.busy", offline: true };

test("the chosen seconds hold for the whole chain, and no longer", async () => {
  const { chain, asked } = chained([lent(5), lent(9), { key: "lease.short" }, lent(12), lent(15)]);
  await chain.lend("a", 0, 20);
  await chain.lend("a", 5);
  assert.equal(chain.used, 40);
  assert.equal(chain.ended.size, 0);
  await chain.lend("a", 9);
  assert.deepEqual(chain.ended.get("a"), { key: "lease.short" });
  await chain.lend("a", 9);
  await chain.lend("b", 0);
  assert.deepEqual(asked, [
    ["a", 20],
    ["a", 20],
    ["a", 20],
    ["a", undefined],
    ["b", undefined],
  ]);
});

test("a server that is too busy is asked again and ends no chain", async () => {
  const { chain, asked, pauses } = chained([BUSY, BUSY, lent(5)]);
  await chain.lend("a", 0, 20);
  assert.deepEqual(asked, [
    ["a", 20],
    ["a", 20],
    ["a", 20],
  ]);
  assert.equal(pauses.length, 2);
  assert.ok(pauses.every((ms) => ms >= 3000 && ms <= 6000));
  assert.deepEqual([chain.busy, chain.used, chain.ended.size], [false, 20, 0]);
});

test("a hidden page asks no more, and its chain goes on when it is seen again", async () => {
  let visible = true;
  const { chain, asked } = chained([BUSY, lent(5)], () => visible);
  chain.pause = async () => (visible = false);
  await chain.lend("a", 0, 20);
  assert.deepEqual([asked.length, chain.busy, chain.ended.size, chain.driven.has("a")], [1, false, 0, true]);
  visible = true;
  await chain.lend("a", 0);
  assert.deepEqual(asked[1], ["a", 20]);
});

test("a lease without a step ends the chain", async () => {
  const { chain } = chained([lent(5)]);
  await chain.lend("a", 5);
  assert.deepEqual(chain.ended.get("a"), { say: "lease.no_step" });
});
