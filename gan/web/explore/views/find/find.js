// The view that finds a picture: the reader draws or uploads one, and the server searches z for the nearest
// sample.
import { address } from "../../../core/api.js";
import { context2d, find, h, icon, must, setText, shape } from "../../../core/dom.js";
import { DRAWN } from "../../../core/events.js";
import { sentence, t } from "../../../core/i18n.js";
import { className } from "../../panels/model-picker.js";
import { plain } from "../../../latent/point.js";
import { button } from "../../../widgets/buttons.js";
import { DrawingPad } from "../../../widgets/drawing-pad.js";
import { heading } from "../../../widgets/help.js";
import { ServerJob } from "../../../widgets/server-job.js";

const BEAT = 60; // ms between an answer and the next request
const LEAST_TIMES = 1.5; // times the usual distance between samples; a result beyond it is no match
const WIDE = 300;
const HIGH = 90;

export class View {
  /** @type {?string} */
  model = null;
  /** Step and distance. @type {Place[]} */
  curve = [];
  /** The server's last answer about this picture. @type {?FindState} */
  state = null;
  wrong = false; // whether the status is an error about the picture
  papered = false; // whether the pad has the model's colour

  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    this.pad = new DrawingPad({
      changed: (empty) => this.#changed(empty),
      failed: (error) => this.#fail(error),
    });
    this.file = h("input", {
      type: "file",
      accept: "image/png,image/jpeg,image/webp,image/*",
      hidden: true,
      onchange: () => this.#chosen(),
    });
    this.go = button(
      "search",
      "explore.find_go",
      () => (this.job.busy ? this.stop() : this.#begin()),
      "xp-primary",
    );
    this.bar = h("progress", { max: 1, value: 0, "aria-label": t("explore.find_progress"), hidden: true });
    this.status = h("p", { class: "xp-status", role: "status" });
    this.job = new ServerJob(explorer, {
      route: "find",
      beat: BEAT,
      status: this.status,
      step: (/** @type {FindState} */ state) => this.#step(state),
      done: (/** @type {FindState} */ state) => this.#done(state),
      fail: (/** @type {Refusal} */ error) => this.#fail(error),
    });
    this.target = h("img", {
      alt: t("explore.find_target"),
      title: t("explore.find_target"),
      class: "xp-target",
    });
    this.chart = chart();
    this.result = h(
      "div",
      { class: "xp-found", hidden: true },
      h("figure", {}, this.target, h("figcaption", {}, t("explore.find_target"))),
      this.chart.element,
    );
    this.element = h(
      "section",
      { class: "xp-find" },
      ...heading(t("explore.find"), t("explore.find_hint")),
      this.pad.element,
      h(
        "div",
        { class: "xp-findrow" },
        this.go,
        button("upload", "explore.find_file", () => this.file.click()),
        button("camera", "explore.find_this", () => this.#copy()),
        this.file,
      ),
      this.bar,
      this.status,
      this.result,
    );
    this.#ready(false);
    explorer.addEventListener(DRAWN, () => this.#paper());
    this.paste = (/** @type {ClipboardEvent} */ event) =>
      event.clipboardData?.files.length && this.pad.takeFile(event.clipboardData.files[0]);
  }

  open() {
    addEventListener("paste", this.paste);
  }

  close() {
    removeEventListener("paste", this.paste);
    this.stop();
  }

  /**
   * Another model has other colours, and the result belongs to the previous one. Newer weights of the same
   * model change nothing.
   */
  renew() {
    const { model } = this.explorer;
    if (!model || model.id === this.model) return;
    this.stop();
    this.model = model.id;
    this.result.hidden = true;
    setText(this.status, "");
    this.papered = false;
    this.pad.fresh(model.channels, "#000000");
    if (this.explorer.shown) this.#paper();
  }

  /**
   * Paint the pad in the edge colour of the model's pictures, once there is one and while the pad is empty.
   */
  #paper() {
    if (this.papered || !this.pad.empty || this.explorer.point.model !== this.model) return;
    this.papered = true;
    if (this.explorer.model)
      this.pad.fresh(this.explorer.model.channels, edgeColour(this.explorer.large.canvas));
  }

  /** Stop the search. */
  stop() {
    if (!this.job.stop()) return;
    this.#over();
    if (this.state) setText(this.status, `${t("explore.find_stopped")} ${this.#verdict(this.state)}`);
    else setText(this.status, t("explore.find_stopped"));
  }

  /**
   * A change of the picture clears the error about the previous one.
   * @param {boolean} empty
   */
  #changed(empty) {
    if (this.wrong) setText(this.status, "");
    this.wrong = false;
    this.#ready(!empty);
  }

  /** @param {boolean} can */
  #ready(can) {
    if (!this.job.busy) this.go.disabled = !can;
  }

  #chosen() {
    this.pad.takeFile(this.file.files?.[0]);
    this.file.value = "";
  }

  #copy() {
    this.pad.take(this.explorer.large.canvas, false);
  }

  async #begin() {
    const { model } = this.explorer;
    if (!model) return;
    Object.assign(this, { state: null, wrong: false, curve: [] });
    this.result.hidden = true;
    find(this.go, "span").textContent = t("explore.find_stop");
    this.go.firstChild?.replaceWith(icon("stop"));
    this.bar.hidden = false;
    this.bar.removeAttribute("value");
    setText(this.status, t("explore.find_begin"));
    await this.job.run(
      model.id,
      async () => send(model.id, await this.pad.blob()),
      ({ target = "" }) => {
        this.target.src = target;
        this.target.classList.toggle("is-small", model.size < 128);
      },
    );
  }

  /**
   * @param {number} part
   * @param {string} text
   */
  #progress(part, text) {
    this.bar.value = part;
    setText(this.status, text);
  }

  /** @param {FindState} state */
  #step(state) {
    const { step, of, distance, at, label } = state;
    if (state.state === "looking")
      return this.#progress((0.4 * state.samples) / of, t("explore.find_looking"));
    const shown = this.state?.at;
    this.state = state;
    this.result.hidden = false;
    if (!this.curve.length) this.curve.push([0, state.nearest]);
    this.curve.push([step, distance]);
    this.chart.draw(this.curve, of, state.spacing);
    this.#progress(
      0.4 + (0.6 * step) / of,
      t("explore.find_step", { step, of, distance: percent(distance) }),
    );
    if (at !== shown) this.explorer.change({ ...plain(), at, label }, state.state !== "done");
  }

  /** @param {FindState} state */
  #done(state) {
    this.#over();
    setText(this.status, this.#verdict(state));
  }

  /**
   * The result in a sentence: the distance, and the class of the found point, which the picture does not
   * show.
   * @param {FindState} state
   */
  #verdict(state) {
    const name = this.explorer.models.find(({ id }) => id === this.model)?.classes[state.label ?? -1];
    return [verdict(state), name !== undefined && t("explore.find_class", { name: className(name) })]
      .filter(Boolean)
      .join(" ");
  }

  #over() {
    this.bar.hidden = true;
    find(this.go, "span").textContent = t("explore.find_go");
    this.go.firstChild?.replaceWith(icon("search"));
    this.#ready(!this.pad.empty);
    this.explorer.settle(); // refreshes the sheets
  }

  /** @param {Refusal} error */
  #fail(error) {
    this.#over();
    this.wrong = true;
    setText(this.status, sentence(error));
  }
}

/**
 * Upload a picture. Returns the server's answer.
 * @param {string} id
 * @param {?Blob} blob
 */
async function send(id, blob) {
  let reply;
  try {
    reply = await fetch(address("find", { id }), { method: "POST", body: blob, cache: "no-store" });
  } catch {
    throw { offline: true, text: t("common.offline") };
  }
  const answer = await reply.json().catch(() => ({}));
  if (!reply.ok) throw answer.error ?? { text: t("common.failed") };
  return answer;
}

/** @param {number} distance */
const percent = (distance) => `${(100 * distance).toFixed(1)} %`;

/**
 * The result in a sentence: the distance in pixels and features, beside the nearest sample and the usual gap
 * between samples.
 * @param {FindState} found
 */
function verdict({ distance, nearest, spacing, seen, likeness }) {
  const near = seen <= likeness ? "explore.find_near" : "explore.find_other";
  const key =
    distance <= spacing
      ? near
      : distance <= LEAST_TIMES * spacing
        ? "explore.find_alike"
        : "explore.find_far";
  return t(key, { distance: percent(distance), nearest: percent(nearest), spacing: percent(spacing) });
}

/** A chart of the distance over the steps. A line shows the usual distance between samples. */
function chart() {
  const level = shape("line", { class: "xp-level", x1: 0, x2: WIDE });
  const line = shape("polyline", { class: "xp-curve", points: "" });
  const picture = shape(
    "svg",
    { viewBox: `0 -4 ${WIDE} ${HIGH + 8}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    level,
    line,
  );
  const [top, at] = [h("span", { class: "xp-top" }), h("span", { class: "xp-at" })];
  const element = h(
    "figure",
    { class: "xp-chart" },
    h("div", {}, picture, at, top),
    h("figcaption", {}, t("explore.find_curve")),
  );
  return {
    element,
    /**
     * @param {Place[]} curve
     * @param {number} steps
     * @param {number} spacing
     */
    draw(curve, steps, spacing) {
      const most = 1.1 * Math.max(spacing, ...curve.map(([, value]) => value));
      const y = (/** @type {number} */ value) => HIGH * (1 - value / most);
      line.setAttribute(
        "points",
        curve
          .map(([step, value]) => `${((WIDE * step) / steps).toFixed(1)},${y(value).toFixed(1)}`)
          .join(" "),
      );
      for (const end of ["y1", "y2"]) level.setAttribute(end, y(spacing).toFixed(1));
      at.style.top = `${(100 * (4 + y(spacing))) / (HIGH + 8)}%`;
      setText(at, t("explore.find_spacing"));
      setText(top, percent(must(curve.at(-1), "distance")[1]));
    },
  };
}

/**
 * The mean colour along a picture's edges, as #123abc.
 * @param {HTMLCanvasElement} canvas
 */
function edgeColour(canvas) {
  const { width, height } = canvas;
  const { data } = context2d(canvas).getImageData(0, 0, width, height);
  const sum = [0, 0, 0];
  let count = 0;
  for (let place = 0; place < width * height; place += 1) {
    const [x, y] = [place % width, Math.floor(place / width)];
    if (x && y && x < width - 1 && y < height - 1) continue;
    count += 1;
    for (const channel of [0, 1, 2]) sum[channel] += data[4 * place + channel];
  }
  return `#${sum
    .map((value) =>
      Math.round(value / count)
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;
}
