// <gan-page>: a generator with its sliders, on an exported page that needs no server. gan/export/webpage.py
// writes the page.
import { later, latest } from "../core/debounce.js";
import { h, icon, must, setText } from "../core/dom.js";
import { DRAWN, RAW } from "../core/events.js";
import { clock, device, whole } from "../core/format.js";
import { known, refusal, t } from "../core/i18n.js";
import { remember as keep } from "../core/storage.js";
import { described, filed, showSeed } from "../explore/file-names.js";
import { Canvas } from "../explore/panels/canvas.js";
import { Controls } from "../explore/panels/controls.js";
import { Interpolation } from "../explore/panels/interpolation.js";
import { title } from "../explore/panels/model-picker.js";
import { Samples } from "../explore/panels/samples.js";
import { Scores } from "../explore/panels/scores.js";
import { addressed, remember, restore } from "../explore/url-state.js";
import { parsed, read16 } from "../latent/encoding.js";
import { fresh, MAX_SEED, randomSeed, unmoved } from "../latent/point.js";
import { pointClasses, pointZ } from "../latent/sampling.js";
import { configure, draw, open } from "../renderer/onnx-generator.js";
import { assembled, enlarged, save } from "../renderer/pictures.js";
import { languageButton } from "../widgets/buttons.js";
import { usualIds, usualName } from "../widgets/slider.js";

const SETTLE = 160; // ms after the last movement until the sheets refresh
const ENLARGED = 8;

/** @param {string} name */
const stored = (name) => must(document.getElementById(name), name).textContent ?? "";

/**
 * The bytes of a script element, by its id.
 * @param {string} name
 */
function bytes(name) {
  const text = atob(stored(name));
  const out = new Uint8Array(text.length);
  for (let place = 0; place < out.length; place += 1) out[place] = text.charCodeAt(place);
  return out;
}

/**
 * A blob URL of unzipped bytes, by the element's id. ONNX Runtime loads its files from there.
 * @param {string} name
 * @param {string} type
 */
async function unpacked(name, type) {
  const bare = new Blob([bytes(name)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return URL.createObjectURL(new Blob([await new Response(bare).arrayBuffer()], { type }));
}

/**
 * The point at which take-home.js exported the page. It passes the same checks as an address, because
 * somebody may have edited the file.
 */
function begun() {
  try {
    return parsed(JSON.parse(stored("gan-point") || "{}") ?? {});
  } catch {
    return fresh();
  }
}

/**
 * Whether the text of a z fits this model. An address may belong to another page.
 * @param {string} at
 * @param {number} size
 */
function fits(at, size) {
  try {
    return Boolean(read16(at, size));
  } catch {
    return false;
  }
}

/** @typedef {{at_images: number, minutes?: number, kimg?: number}} Growth of a budget */
/** @typedef {OpenModel & {card: Record<string, any>, extended: Growth[]}} PageModel */
/** @typedef {SliderList & {more: Direction[]}} PageSliders */

/** @returns {{model: PageModel, sliders: PageSliders}} */
const data = () => JSON.parse(stored("gan-data"));

class GanPage extends HTMLElement {
  #data = data();
  model = this.#data.model;
  sliders = this.#data.sliders;
  directions = new Float32Array(bytes("gan-directions").buffer);
  /** Vectors of the directions that are not principal. */
  vectors = this.readVectors();
  families = {
    about: (/** @type {string} */ id) => this.sliders.more.find((direction) => direction.id === id),
  };
  chosen = {
    ids: () => this.sliders.list ?? usualIds(this.model.directions),
    name: (/** @type {string} */ id, /** @type {string | undefined} */ title) =>
      this.sliders.names[id] ?? usualName(id, title),
  };
  point = addressed() ? restore() : begun();
  ready = false; // whether the generator is open
  draw = latest(() => this.drawLarge());
  settle = later(() => [this.samples, this.interpolation].forEach(({ sheet }) => sheet.refresh()), SETTLE);
  keep = later(() => remember(this.point), 300);
  /** @type {SheetHost} */
  host = {
    point: () => this.point,
    version: () => this.model.version,
    change: (patch, dragging) => this.change(patch, dragging),
    draw: (path, asked, points, columns) => assembled(points, columns, (point) => this.unhurried(point)),
    failed: (error) => this.say(error),
  };
  note = h("p", { class: "xp-note", role: "status", hidden: true });
  large = new Canvas();
  scores = new Scores();
  controls = new Controls(this.host.change, this.chosen, this.families);
  interpolation = new Interpolation(this.host);
  samples = new Samples(this.host);
  /** @type {HTMLInputElement} */
  seed = h("input", {
    type: "number",
    min: "0",
    max: String(MAX_SEED),
    inputmode: "numeric",
    class: "xp-number",
    oninput: () =>
      this.seed.value !== "" &&
      this.seed.checkValidity() &&
      this.change({ ...unmoved(), seed: this.seed.valueAsNumber }),
    onchange: () => this.place(),
  });

  connectedCallback() {
    if (this.point.at && !fits(this.point.at, this.model.z_dim)) this.point.at = null;
    for (const id of Object.keys(this.point.x)) if (!this.vectors.has(id)) delete this.point.x[id];
    for (const label of /** @type {const} */ (["label", "label2"]))
      if ((this.point[label] ?? -1) >= this.model.classes.length) this.point[label] = null;
    this.build();
    this.controls.begin(this.model);
    this.controls.learn(this.model);
    this.scores.show(this.model);
    this.place();
    this.start();
  }

  /** @returns {Map<string, Float32Array>} */
  readVectors() {
    const numbers = new Float32Array(bytes("gan-ways").buffer);
    const size = this.model.z_dim;
    return new Map(
      this.sliders.more.map(({ id }, place) => [id, numbers.subarray(place * size, (place + 1) * size)]),
    );
  }

  /**
   * z of a point.
   * @param {Point} point
   */
  z(point) {
    return pointZ(point, this.model.z_dim, this.directions, (id) => this.vectors.get(id));
  }

  build() {
    this.controls.element.addEventListener(RAW, () => this.base());
    this.append(
      this.header(),
      h(
        "div",
        { class: "xp" },
        this.note,
        h(
          "div",
          { class: "xp-body" },
          h("div", { class: "xp-left" }, this.samples.element, new Card(this.model).element),
          h(
            "div",
            { class: "xp-mid" },
            this.large.element,
            this.tools(),
            this.interpolation.element,
            this.scores.element,
          ),
          h("div", { class: "xp-right" }, this.controls.element),
        ),
      ),
    );
  }

  header() {
    const change = (/** @type {string} */ other) => {
      remember(this.point);
      keep("gan_lang", other);
      const url = new URL(location.href);
      url.searchParams.set("lang", other); // browsers without storage for files read the address
      location.replace(url);
      if (url.search === location.search) location.reload();
    };
    const { size, channels } = this.model;
    return h(
      "header",
      { class: "xp-page-header" },
      h("h1", {}, title(this.model)),
      h("p", {}, t("page.line", { size, colours: t(channels === 1 ? "page.grey" : "page.colour") })),
      languageButton(change),
    );
  }

  tools() {
    const tool = (
      /** @type {string} */ name,
      /** @type {string} */ glyph,
      /** @type {string} */ key,
      /** @type {() => unknown} */ onclick,
    ) =>
      h(
        "button",
        { type: "button", class: `xp-button xp-${name}`, "aria-label": t(key), onclick },
        icon(glyph),
        h("span", {}, t(key)),
      );
    return h(
      "div",
      { class: "xp-tools" },
      h("label", { class: "xp-seed" }, h("span", {}, t("explore.seed")), this.seed),
      tool("random", "dice", "explore.random", () => this.change({ ...unmoved(), seed: randomSeed() })),
      tool("reset", "reset", "explore.reset", () => this.change({ ...unmoved(), psi: 1 })),
      h("span", { class: "gan-space" }),
      h(
        "span",
        { class: "xp-saves" },
        tool("save", "download", "explore.save", () => this.save(1)),
        h(
          "button",
          {
            type: "button",
            class: "xp-button xp-save8",
            title: t("explore.save_large"),
            "aria-label": t("explore.save_large"),
            onclick: () => this.save(ENLARGED),
          },
          `×${ENLARGED}`,
        ),
      ),
    );
  }

  async start() {
    this.large.wait(t("explore.waking"));
    try {
      configure({
        wasmPaths: {
          mjs: `data:text/javascript;base64,${stored("gan-glue")}`,
          wasm: await unpacked("gan-wasm", "application/wasm"),
        },
      });
      await open({ onnx: bytes("gan-onnx"), size: this.model.z_dim, classes: this.model.classes.length });
      this.ready = true;
      this.draw();
      this.settle();
    } catch (error) {
      this.say({ text: t("page.unable", { reason: refusal(error).message ?? String(error) }) });
    } finally {
      this.large.wait(null);
    }
  }

  /** @param {Patch} patch */
  change(patch, dragging = false) {
    this.point = { ...this.point, ...patch };
    this.place();
    this.keep();
    this.draw();
    if (dragging) this.settle.cancel();
    else this.settle();
  }

  /** Set every control to the point. */
  place() {
    const { point } = this;
    showSeed(this.seed, point);
    this.controls.set(point);
    this.base();
    this.interpolation.place();
    this.samples.place();
    this.large.describe(described(point, title(this.model)));
  }

  /** Give the seed's own z to the raw sliders and the cluster slider. */
  base() {
    const { seed, at, to, t: part } = this.point;
    this.controls.base(Array.from(this.z({ ...fresh(), seed, at, to, t: part })));
  }

  /**
   * The picture of a point as ImageData.
   * @param {Point} point
   */
  async picture(point) {
    const { pixels, side } = await draw({
      z: this.z(point),
      ...pointClasses(point, this.model.classes.length),
    });
    return new ImageData(new Uint8ClampedArray(pixels), side, side);
  }

  /**
   * A picture of a sheet. It yields first, so that the large picture goes ahead.
   * @param {Point} point
   */
  async unhurried(point) {
    await new Promise((free) => setTimeout(free));
    return this.picture(point);
  }

  async drawLarge() {
    if (!this.ready) return;
    const point = this.point;
    try {
      this.large.drawPixels(await this.picture(point));
      this.say(null);
      this.dispatchEvent(new CustomEvent(DRAWN, { detail: { point } }));
    } catch (error) {
      this.say({ text: t("page.unable", { reason: refusal(error).message }) });
    }
  }

  /** @param {number} times */
  async save(times) {
    if (this.ready)
      save(
        await enlarged(await createImageBitmap(await this.picture(this.point)), times),
        `ganarium-${filed(this.point)}${times > 1 ? `-x${times}` : ""}.png`,
      );
  }

  /** @param {?Refusal} error */
  say(error) {
    setText(this.note, error?.text ?? "");
    this.note.hidden = !error;
  }
}

// The facts about the generator: its data and licence, its training, and the notice that a machine makes the
// pictures.

/**
 * @param {string} group
 * @param {string} name
 */
const named = (group, name) => (known(`${group}.${name}`) ? t(`${group}.${name}`) : name);

/** @param {Growth} growth */
function grown({ at_images, minutes, kimg }) {
  const count = whole(at_images);
  return minutes === undefined
    ? t("page.more_images", { more: kimg, count })
    : t("page.more_minutes", { more: minutes, count });
}

class Card {
  /** @param {PageModel} model */
  constructor(model) {
    const {
      data,
      data_licence: licence,
      data_credit: credit,
      recipe,
      images,
      seconds,
      hardware,
      started_from: start,
    } = model.card;
    const trained = [
      images && t("page.images", { count: whole(images) }),
      seconds && clock(seconds),
      hardware && device(hardware),
    ]
      .filter(Boolean)
      .join(" · ");
    const facts = [
      ["page.data", data && named("data", data)],
      ["page.credit", credit],
      ["page.licence", licence],
      ["page.recipe", recipe && named("recipe", recipe)],
      ["page.trained", trained],
      ["page.start", start],
      ["page.extended", model.extended.map(grown).join(" · ")],
    ];
    this.element = h(
      "section",
      { class: "xp-facts", "aria-label": t("page.card") },
      h("h2", {}, t("page.card")),
      h(
        "dl",
        {},
        facts
          .filter(([, value]) => value)
          .map(([key, value]) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, value))),
      ),
      h("p", {}, t("page.mark")),
      h("p", {}, t("page.licence_hint")),
      h("p", {}, t("page.offline"), " ", notices()),
    );
  }
}

/** A link to the licences of ONNX Runtime's parts, as a file. */
function notices() {
  const packed = stored("gan-notices");
  return h(
    "a",
    { href: `data:application/gzip;base64,${packed}`, download: "onnxruntime-notices.txt.gz" },
    t("page.notices"),
  );
}

customElements.define("gan-page", GanPage);
