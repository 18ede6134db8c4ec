// The names of runs, and the order of the cards in Explore.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

/** @type {any} */
const page = globalThis;
page.ganTexts = {
  "data.digits": "Digits",
  "recipe.modern": "Modern",
  "run.numbered": "{data} #{number}",
  "run.minutes": "{minutes} min",
  "run.between": ", ",
  "stage.kimg": "{images} images",
};
page.ganEarly = { lang: "en", applyTheme() {} };
page.document = { documentElement: { lang: "en", dataset: {} }, querySelector: () => null };
page.CustomEvent ??= class extends Event {}; // node 18 has none
page.dispatchEvent ??= () => true;

const { setAccess, setMine } = await import("../../gan/web/core/control.js");
const { fullName, numbered } = await import("../../gan/web/core/run-name.js");
const { inOrder, title } = await import("../../gan/web/explore/panels/model-picker.js");

const DIGITS = { data: "digits", number: 3, recipe: "modern", minutes: 1, name: null };

/** @param {string} id @param {object} [facts] */
const model = (id, facts = {}) =>
  /** @type {Model} */ (/** @type {unknown} */ ({ id, kind: id.split(":")[0], live: false, ...facts }));

const SHOWN = [
  model("shipped:digits"),
  model("hub:ada/sevens"),
  ...[9, 8, 7, 6, 5, 4].map((day) => model(`run:${day}`)),
  model("run:3", { live: true }),
];
/** @param {Model[]} models */
const ids = (models) => inOrder(models).map(({ id }) => id);

afterEach(() => {
  setAccess(/** @type {Access} */ ({ needed: false, control: true }));
  setMine([]);
});

test("a run without a name says its number, recipe and budget", () => {
  assert.equal(fullName(DIGITS), "Digits #3, Modern, 1 min");
  assert.equal(fullName({ ...DIGITS, kimg: 50 }), "Digits #3, Modern, 50.0k images");
  assert.equal(fullName({ ...DIGITS, name: "My cats" }), "My cats");
  assert.equal(numbered({ data: "me/cats", number: 2 }), "cats #2");
  assert.equal(title(model("run:1", { ...DIGITS, title: "digits · modern" })), "Digits #3");
  assert.equal(title(model("shipped:digits", { data: "digits", title: "Digits" })), "Digits");
});

test("live runs come first, then five new ones, and older runs last", () => {
  assert.deepEqual(ids(SHOWN), [
    "run:3",
    "run:9",
    "run:8",
    "run:7",
    "run:6",
    "run:5",
    "hub:ada/sevens",
    "shipped:digits",
    "run:4",
  ]);
});

test("where visitors have runs of their own, only theirs come first", () => {
  const visitor = { minutes: 5, sign_in: false, name: null };
  setAccess(/** @type {Access} */ ({ needed: false, control: false, visitor }));
  setMine(["6"]);
  assert.deepEqual(ids(SHOWN).slice(0, 4), ["run:3", "run:6", "hub:ada/sevens", "shipped:digits"]);
});
