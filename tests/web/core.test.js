// The modules of core/. What they need of a page is put in its place here.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

const TEXTS = {
  "common.cpu": "{threads} threads",
  "common.cpu_one": "one thread",
  "common.failed": "It failed.",
  "common.offline": "No connection.",
  "error.config.range": "{name} is at most {max}.",
  "field.batch": "Batch",
  "error.runs.state": "The run is {state}.",
  "state.paused": "Paused",
};
/** @type {any} */
const page = globalThis;
page.ganTexts = TEXTS;
page.ganEarly = { lang: "en", applyTheme() {} };
page.document = { documentElement: { lang: "en" } };
page.CustomEvent ??= class extends Event {}; // node 18 has none

const { address, patiently, place, request } = await import("../../gan/web/core/api.js");
const { later, latest } = await import("../../gan/web/core/debounce.js");
const { ago, clock, device, fileSize, short, whole } = await import("../../gan/web/core/format.js");
const { greet, visitorHeaders } = await import("../../gan/web/core/frame.js");
const { known, lang, loadTexts, refusal, sentence, t } = await import("../../gan/web/core/i18n.js");
const { recall, remember } = await import("../../gan/web/core/storage.js");
const { hashText, readHash, writeHash } = await import("../../gan/web/core/url.js");

beforeEach(() => mock.restoreAll());

test("every module loads without a page", () => {
  assert.equal(lang, "en");
});

test("seconds read as a clock", () => {
  assert.deepEqual([0, 42.4, 725, 11220, -3].map(clock), ["0:00", "0:42", "12:05", "3:07:00", "0:00"]);
  assert.deepEqual([null, undefined, NaN, Infinity].map(clock), ["–", "–", "–", "–"]);
});

test("counts and sizes have three figures", () => {
  assert.deepEqual([950, 9999, 12345, 4560000].map(short), ["950", "9,999", "12.3k", "4.56M"]);
  assert.equal(short(null), "–");
  assert.equal(whole(1234567.8), "1,234,568");
  assert.deepEqual([512e3, 512, 12.34e6, 1.234e9, 0].map(fileSize), [
    "512 kB",
    "0.5 kB",
    "12.3 MB",
    "1.23 GB",
    "0 kB",
  ]);
});

test("the past is told in its largest unit", () => {
  const now = Date.now() / 1000;
  assert.deepEqual(
    [5, 200, 7200, 200000].map((seconds) => ago(now - seconds)),
    ["5 sec. ago", "3 min. ago", "2 hr. ago", "2 days ago"],
  );
  assert.equal(ago(now + 5), "now"); // a clock that goes wrong
});

test("only a processor's name is translated", () => {
  assert.deepEqual(["CPU, 1 thread", "CPU, 8 threads", "NVIDIA H200"].map(device), [
    "one thread",
    "8 threads",
    "NVIDIA H200",
  ]);
  assert.equal(device(null), null);
});

test("texts are filled, and an unknown key shows itself", () => {
  assert.equal(t("error.config.range", { name: "x", max: 3 }), "x is at most 3.");
  assert.equal(t("error.config.range"), "{name} is at most {max}.");
  assert.equal(t("no.such"), "no.such");
  assert.deepEqual([known("field.batch"), known("field.none")], [true, false]);
});

test("an error becomes a sentence in the reader's words", () => {
  assert.equal(sentence(null), "");
  assert.equal(sentence({ key: "config.range", values: { name: "batch", max: 64 } }), "Batch is at most 64.");
  assert.equal(sentence({ key: "runs.state", values: { state: "paused" } }), "The run is paused.");
  assert.equal(sentence({ key: "no.such", text: "As the server says." }), "As the server says.");
  assert.equal(sentence({}), "It failed.");
});

test("whatever was thrown reads as a refusal", () => {
  const busy = { key: "ui.busy", offline: true };
  assert.equal(refusal(busy), busy);
  assert.equal(refusal(new DOMException("", "AbortError")).name, "AbortError");
  for (const thrown of ["full", null, undefined]) assert.deepEqual(refusal(thrown), { message: `${thrown}` });
  assert.equal(sentence(refusal(new Error("no worker"))), "It failed.");
});

test("a page with texts of its own fetches none", async () => {
  page.fetch = mock.fn();
  await loadTexts("texts");
  assert.equal(page.fetch.mock.callCount(), 0);
});

test("an address leaves out what is missing", () => {
  const url = new URL(address("image", { id: "a b", seed: 0, at: null, to: undefined }));
  assert.equal(url.search, "?id=a+b&seed=0");
  assert.ok(url.pathname.endsWith("/gan/image"));
  assert.ok(url.pathname.startsWith(place()));
});

/**
 * A server that answers each request like this.
 * @param {number} status
 * @param {unknown} value
 */
function answering(status, value) {
  page.fetch = mock.fn(async () => new Response(JSON.stringify(value), { status }));
}

test("a request sends its value as JSON", async () => {
  answering(200, { run: "x" });
  assert.deepEqual(await request("runs", { method: "POST", value: { a: 1 } }), { run: "x" });
  const [url, options] = page.fetch.mock.calls[0].arguments;
  assert.ok(url.endsWith("/runs"));
  assert.deepEqual(
    [options.method, options.body, options.headers],
    ["POST", '{"a":1}', { "Content-Type": "application/json" }],
  );
});

test("a refusal, and a server that is not there, are thrown", async () => {
  answering(422, { error: { key: "config.range" } });
  await assert.rejects(request("runs"), { key: "config.range" });
  answering(500, {});
  await assert.rejects(request("runs"), { text: "It failed." });
  page.fetch = mock.fn(async () => {
    throw new TypeError("no network");
  });
  await assert.rejects(request("runs"), { offline: true, text: "No connection." });
  page.fetch = mock.fn(async () => {
    throw new DOMException("stopped", "AbortError");
  });
  await assert.rejects(request("runs"), { name: "AbortError" });
});

test("a proxy that answers for a busy server reads as a busy server", async () => {
  for (const status of [429, 503]) {
    page.fetch = mock.fn(async () => new Response("<html>Too many requests</html>", { status }));
    const thrown = await request("runs").catch((/** @type {unknown} */ error) => error);
    assert.deepEqual(thrown, { key: "ui.busy", values: {}, text: "", offline: true });
  }
});

test("a refusal for want of control locks the page", async () => {
  page.dispatchEvent = mock.fn();
  answering(403, { error: { key: "access.needed" } });
  await assert.rejects(request("runs"), { key: "access.needed" });
  assert.equal(page.dispatchEvent.mock.calls[0].arguments[0].type, "gan:locked");
});

test("one call runs at a time, and the newest value has its turn", async () => {
  /** @type {number[]} */
  const seen = [];
  /** @type {(() => void)[]} */
  const open = [];
  const call = latest(
    (/** @type {number} */ value) =>
      /** @type {Promise<void>} */ (
        new Promise((done) => {
          seen.push(value);
          open.push(done);
        })
      ),
  );
  for (const value of [1, 2, 3]) call(value);
  assert.deepEqual(seen, [1]);
  open[0]();
  await new Promise(setImmediate);
  assert.deepEqual(seen, [1, 3]);
  open[1]();
  await new Promise(setImmediate);
  call(4);
  assert.deepEqual(seen, [1, 3, 4]);
});

test("a delayed call waits for the last value, and can be cancelled", async () => {
  const [work, wait] = [mock.fn(), (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms))];
  const call = later(work, 0);
  for (const value of ["a", "b"]) call(value);
  assert.equal(work.mock.callCount(), 0);
  await wait(20);
  assert.deepEqual(
    work.mock.calls.map((one) => one.arguments),
    [["b"]],
  );
  call("c");
  call.cancel();
  await wait(20);
  assert.equal(work.mock.callCount(), 1);
});

test("the hash of an address can be read by people", () => {
  assert.equal(hashText(new URLSearchParams({ model: "run:x", d: "1,2" })), "model=run:x&d=1,2");
  page.location = { hash: "#model=run:x&d=1,2", pathname: "/", search: "?lang=en" };
  assert.deepEqual(Object.fromEntries(readHash()), { model: "run:x", d: "1,2" });
});

test("all turns of one press make one entry of the history", async () => {
  page.history = { state: 1, pushState: mock.fn(), replaceState: mock.fn() };
  const hash = new URLSearchParams({ tab: "train" });
  writeHash(hash);
  writeHash(hash, true);
  writeHash(hash, true);
  assert.deepEqual(
    [page.history.pushState, page.history.replaceState].map((one) => one.mock.callCount()),
    [1, 2],
  );
  assert.deepEqual(page.history.pushState.mock.calls[0].arguments, [1, "", "/?lang=en#tab=train"]);
  await new Promise((done) => setTimeout(done));
  writeHash(hash, true);
  assert.equal(page.history.pushState.mock.callCount(), 2);
});

test("a browser that keeps nothing breaks nothing", () => {
  const closed = () => {
    throw new Error("closed");
  };
  page.localStorage = { getItem: closed, setItem: closed };
  assert.equal(recall("x"), null);
  assert.doesNotThrow(() => remember("x", "y"));
});

test("only Hugging Face's page around a Space names the visitor whose quota counts", async () => {
  /** @type {any[]} */
  const sent = [];
  /** @type {(event: object) => void} */
  let hear = () => {};
  const around = {
    postMessage: (
      /** @type {string} */ text,
      /** @type {string} */ to,
      /** @type {MessagePort[]} */ ports,
    ) => {
      sent.push([text, to]);
      ports?.[0].postMessage({ "x-hf-visitor": "bob" });
    },
  };
  /** @type {any} */
  const here = {
    parent: around,
    location: { hostname: "example.org" },
    addEventListener: (/** @type {string} */ _, /** @type {typeof hear} */ listener) => (hear = listener),
  };
  greet(here);
  assert.deepEqual([sent, await visitorHeaders(here)], [[], {}]);
  here.location.hostname = "alice-gan.hf.space";
  greet(here);
  assert.deepEqual(sent, [["supports-zerogpu-headers", "https://huggingface.co"]]);
  hear({ origin: "https://evil.example", data: "supports-zerogpu-headers" });
  assert.deepEqual(await visitorHeaders(here), {});
  hear({ origin: "https://huggingface.co", data: "supports-zerogpu-headers" });
  assert.deepEqual(await visitorHeaders(here), { "x-hf-visitor": "bob" });
  assert.deepEqual(sent.at(-1), ["zerogpu-headers", "https://huggingface.co"]);
});

test("a busy server is asked again until it answers, or until somebody gives up", async () => {
  const busy = { key: "ui.busy", offline: true };
  let asked = 0;
  /** @type {number[]} */
  const pauses = [];
  const pause = async (/** @type {number} */ ms) => pauses.push(ms);
  const third = async () => {
    asked += 1;
    if (asked < 3) throw busy;
    return "taken";
  };
  /** @type {unknown[]} */
  const told = [];
  assert.equal(await patiently(third, (error) => told.push(error), pause), "taken");
  assert.deepEqual(told, [busy, busy]);
  assert.ok(pauses.length === 2 && pauses.every((ms) => ms >= 1500 && ms < 3000));
  const other = { key: "runs.unknown" };
  await assert.rejects(
    patiently(
      () => Promise.reject(other),
      () => {},
      pause,
    ),
    other,
  );
  pauses.length = 0;
  await assert.rejects(
    patiently(
      () => Promise.reject(busy),
      () => {},
      pause,
    ),
    busy,
  );
  const whole = pauses.reduce((sum, ms) => sum + ms, 0);
  assert.ok(whole > 600_000 && whole < 603_000, "it asks for ten minutes");
  const gone = { text: "" };
  const giveUp = () => {
    throw gone;
  };
  await assert.rejects(
    patiently(() => Promise.reject(busy), giveUp, pause),
    gone,
  );
});
