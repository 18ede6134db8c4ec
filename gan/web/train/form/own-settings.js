// Settings that suit the uploaded pictures, beside the report. They mirror the form's settings in both
// directions.
import { h, setText } from "../../core/dom.js";
import { whole } from "../../core/format.js";
import { lang, t } from "../../core/i18n.js";

const BACKGROUNDS = ["white", "grey", "black"];
let count = 0;

/** @typedef {(name: string, value: Setting) => void} Change */

/**
 * Build the panel {root, show}. `set(name, value)` gets each change. `show(report, suggestions, recipe,
 * settings)` shows the form's settings.
 * @param {Change} set
 */
export function asked(set) {
  /** @type {HTMLInputElement} */
  const byClass = h("input", {
    type: "checkbox",
    role: "switch",
    class: "ow-switch",
    onchange: () => set("conditional", byClass.checked),
  });
  const colours = choice(
    "channels",
    [
      [3, t("own.colour")],
      [1, t("own.grey")],
    ],
    set,
  );
  const background = choice(
    "background",
    BACKGROUNDS.map((name) => [name, t(`own.background_${name}`)]),
    set,
  );
  const rows = {
    conditional: row(t("own.by_class"), byClass),
    channels: row(t("own.colours"), colours.root),
    background: row(t("own.background"), background.root),
  };
  const notes = h("p", { class: "ow-line" });
  const root = h(
    "div",
    { class: "ow-asked" },
    Object.values(rows).map((one) => one.root),
    notes,
  );

  /**
   * @param {PicturesReport} report
   * @param {Suggestions} suggestions
   * @param {string} recipe
   * @param {Settings} settings
   */
  function show(report, suggestions, recipe, settings) {
    const suggested = suggestions[recipe] ?? {};
    rows.conditional.root.hidden = report.classes.length < 2;
    rows.background.root.hidden = !report.transparent;
    byClass.checked = settings.conditional === true;
    colours.show(settings.channels);
    background.show(settings.background);
    rows.conditional.say(classNote(report, suggestions, byClass.checked));
    rows.channels.say(colourNote(report.grey, settings.channels === 1));
    rows.background.say(
      t("own.transparent", {
        count: whole(report.transparent),
        total: whole(report.count),
        colour: t(`own.put_${settings.background}`),
      }),
    );
    const said = [
      Number(suggested.size) < 64 &&
        settings.size === suggested.size &&
        t("own.small", { side: whole(report.side), size: suggested.size }),
      settings.batch === report.count && t("own.few", { count: whole(report.count) }),
    ];
    setText(notes, said.filter(Boolean).join(lang === "zh" ? "" : " "));
    notes.hidden = !said.some(Boolean);
  }

  return { root, show };
}

/**
 * @param {PicturesReport} report
 * @param {Suggestions} suggestions
 * @param {boolean} on
 */
function classNote({ classes, classes_doubtful: doubtful }, suggestions, on) {
  if (on) return t("own.by_class_on");
  if (doubtful) return t("own.by_class_doubtful");
  // Some recipes never learn by class.
  const enough = Object.values(suggestions).some((suggested) => suggested.conditional);
  return enough
    ? t("own.by_class_off")
    : t("own.by_class_few", { count: whole(Math.min(...classes.map(([, number]) => number))) });
}

/**
 * @param {boolean} allGrey
 * @param {boolean} asGrey
 */
function colourNote(allGrey, asGrey) {
  if (allGrey) return t(asGrey ? "own.grey_as_grey" : "own.grey_as_colour");
  return asGrey ? t("own.colour_as_grey") : "";
}

/**
 * A row: name and note on the left, the control on the right.
 * @param {string} name
 * @param {HTMLElement} control
 */
function row(name, control) {
  count += 1;
  const label = h("b", { id: `ow-label-${count}` }, name);
  const note = h("small", { id: `ow-note-${count}` });
  control.setAttribute("aria-labelledby", label.id);
  control.setAttribute("aria-describedby", note.id);
  return {
    root: h("div", { class: "ow-setting" }, h("div", {}, label, note), control),
    say: (/** @type {string} */ text) => setText(note, text),
  };
}

/**
 * Radio buttons in the style of one control.
 * @param {string} name
 * @param {[Setting, string][]} values
 * @param {Change} set
 */
function choice(name, values, set) {
  const inputs = values.map(([value]) =>
    h("input", { type: "radio", name: `ow-${name}`, onchange: () => set(name, value) }),
  );
  const root = h(
    "div",
    { class: "ow-choice", role: "radiogroup" },
    values.map(([value, text], index) =>
      h("label", { "data-value": String(value) }, inputs[index], h("span", {}, text)),
    ),
  );
  return {
    root,
    show: (/** @type {Setting | undefined} */ chosen) =>
      inputs.forEach((input, index) => {
        input.checked = values[index][0] === chosen;
      }),
  };
}
