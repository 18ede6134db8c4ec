// Draw pixel faces: node faces.mjs FOLDER_OF_NODE_MODULES OUT_FOLDER FIRST COUNT writes pixels.raw (uint8, COUNT x 64 x 64 x 3) and extra.jsonl
// of the seeds FIRST to FIRST + COUNT - 1.
// @dicebear/core and @dicebear/pixel-art 9.4.3, @resvg/resvg-js 2.6.2; called by faces.py, which says what for.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

const SIDE = 64;
const BACKGROUNDS = ["b6e3f4", "c0aede", "d1d4f9", "ffd5dc", "ffdfbf"];

const [modules, out] = process.argv.slice(2);
const [first, count] = process.argv.slice(4).map(Number);
const load = (path) => import(pathToFileURL(join(modules, path)));
const { createAvatar } = await load("@dicebear/core/lib/index.js");
const style = await load("@dicebear/pixel-art/lib/index.js");
const { Resvg } = createRequire(import.meta.url)(join(modules, "@resvg/resvg-js"));

const hair = style.schema.properties.hair.default;
const plain = { hatProbability: 0, glassesProbability: 0 };
// One kind after the other, so that the four classes are equally frequent and exclude each other.
const KINDS = [
  { ...plain, hair: hair.filter((name) => name.startsWith("short")) },
  { ...plain, hair: hair.filter((name) => name.startsWith("long")) },
  { ...plain, glassesProbability: 100 },
  { ...plain, hatProbability: 100 },
];

const pixels = openSync(join(out, "pixels.raw"), "w");
const lines = [];
for (let seed = first; seed < first + count; seed++) {
  const avatar = createAvatar(style, { seed: String(seed), beardProbability: 15, backgroundColor: BACKGROUNDS, ...KINDS[seed % KINDS.length] });
  const { pixels: rgba } = new Resvg(avatar.toString(), { fitTo: { mode: "width", value: SIDE }, font: { loadSystemFonts: false } }).render();
  const rgb = Buffer.alloc(SIDE * SIDE * 3);
  for (let i = 0; i < SIDE * SIDE; i++) {
    if (rgba[4 * i + 3] !== 255) throw new Error(`face ${seed} is not opaque`);
    rgba.copy(rgb, 3 * i, 4 * i, 4 * i + 3);
  }
  writeSync(pixels, rgb);
  lines.push(JSON.stringify(avatar.toJson().extra));
}
closeSync(pixels);
writeFileSync(join(out, "extra.jsonl"), lines.join("\n") + "\n");
