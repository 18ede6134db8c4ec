// The form's settings after another choice, and their survival of a reload.
// Gradio's events call these functions by their global names.
import { FORM } from "../../core/events.js";
import { catalogue, OWN_POINTS } from "../catalogue.js";

const KEPT = "gan_form";
const LEAVING = new Set(["Tab", "Shift"]); // keys that leave a field, and need no handler of Gradio's
const NEW = { id: "", settings: {} }; // new weights
export const POINTS_BATCH = "points-batch"; // the field's name in the form
// the form's first choice
const START = { data: "digits", recipe: "modern", own: null, start: NEW, points: null };
// Tells Gradio to keep the field's value, with whatever the reader has typed meanwhile.
const LEAVE = { __type__: "update" };
/** @typedef {{data: string, recipe: string, own: ?OwnValue, start: StartValue, points: ?PointsFile}} Choice */
/** The choice behind the present settings. @type {Choice} */
let before = START;
/** The choice that a reloaded page is setting again. @type {?Choice} */
let returning = null;
/** @type {?FormDetail} */
let form = null;
/** Settings that the reader has set since a choice last set them. @type {Set<string>} */
const typed = new Set();

addEventListener(FORM, (event) => {
  form = event.detail;
});
for (const kind of ["input", "change"]) {
  document.addEventListener(
    kind,
    (event) => {
      const field = /** @type {Element} */ (event.target).closest?.("[id^=field-]");
      if (field) typed.add(field.id.slice("field-".length));
    },
    { capture: true },
  );
}

// Gradio's list shuts when its field is left. Its key handler runs a moment later, and opens the list again
// for good.
addEventListener(
  "keydown",
  (event) => {
    if (
      LEAVING.has(event.key) &&
      /** @type {Element} */ (event.target).matches?.("[id^=field-] [role=combobox]")
    )
      event.stopPropagation();
  },
  { capture: true },
);

/** The form's values of the last FORM event; null before the first. */
export const formNow = () => form;

/** What the form was filled with for the reader; "" if it was not. */
let filled = "";
export const filledNow = () => filled;

/**
 * The settings of a choice: the recipe's defaults for this data set, with the suggestions for uploaded
 * pictures or points, and the shapes of the model to start from. null for settings of another kind of run, which stay as they are.
 * @param {Catalogue} offer
 * @param {Choice} choice
 */
function beginning({ defaults, fields }, { data, recipe, own, start, points }) {
  const asked = { ...(data === "own" && own?.suggestions?.[recipe]), ...start.settings };
  const settings = fields.map((name, index) => asked[name] ?? defaults[data][recipe]?.[index] ?? null);
  if (data !== OWN_POINTS || !points) return settings;
  // a batch holds no point twice
  return settings.map((value, index) =>
    fields[index] === POINTS_BATCH && value !== null ? Math.min(Number(value), points.count) : value,
  );
}

/**
 * The advanced settings after another data set, recipe, upload or model to start from. A setting that the choice does not touch
 * stays. A setting made by hand changes only with another data set, recipe or model. A change beside the pictures
 * counts as made by hand.
 */
window.ganDefaults = async (data, recipe, own, start, points, ...current) => {
  const offer = await catalogue();
  if (returning) {
    // Gradio restores one choice after another, and calls this after each; the stored settings come with them
    if (data === returning.data && recipe === returning.recipe && start?.id === returning.start.id)
      returning = null;
    return offer.fields.map(() => LEAVE);
  }
  // Nothing is known while the survey runs.
  const settled = own?.files?.length && !own.report ? before.own : own;
  const now = { data, recipe, own: settled, start: start ?? NEW, points };
  const chosen = data !== before.data || recipe !== before.recipe || now.start.id !== before.start.id;
  const moved = own && (own.turn ?? 0) !== (before.own?.turn ?? 0) ? own.set : {};
  const [was, is] = [beginning(offer, before), beginning(offer, now)];
  before = now;
  return offer.fields.map((name, index) => {
    if (name in moved) {
      typed.add(name);
      return moved[name];
    }
    if (is[index] === null || is[index] === was[index]) return LEAVE;
    if (!chosen && (typed.has(name) || current[index] !== was[index])) return LEAVE;
    typed.delete(name);
    return is[index];
  });
};

/**
 * The settings that suit the uploaded pictures or points, except those made by hand. Train may be pressed
 * before the form has them.
 * @param {Partial<Choice>} choice
 * @param {Setting[]} values
 */
export async function asAsked(choice, values) {
  const offer = await catalogue();
  const now = { ...before, ...choice };
  const [was, is] = [beginning(offer, before), beginning(offer, now)];
  return values.map((value, index) =>
    typed.has(offer.fields[index]) || value !== was[index] ? value : is[index],
  );
}

/** Whether the reader has begun to fill in the form of this page. */
let touched = false;
for (const kind of ["pointerdown", "keydown"])
  document.addEventListener(
    kind,
    (event) => {
      touched ||= Boolean(/** @type {Element} */ (event.target).closest?.("#train"));
    },
    { capture: true },
  );

/** The form as it was stored before a reload; null if it was not, or if the reader was faster. */
window.ganForm = async () => {
  const kept = taken();
  const offer = await catalogue();
  if (!kept || touched) return null;
  const { data, recipe, own, minutes, start } = kept;
  filled = kept.filled ?? "";
  before = { data, recipe, own, start, points: document.querySelector("gan-points")?.value ?? null };
  if (data !== START.data || recipe !== START.recipe || start.id) returning = before;
  const settings = beginning(offer, before).map((value, index) =>
    value === null ? LEAVE : like(value, kept.settings[offer.fields[index]]),
  );
  return [data, own, recipe, minutes, start, ...settings];
};

/** Store the form for the next page in this tab. */
export async function keepForm() {
  const { fields } = await catalogue();
  store(fields);
}

/** Names of the settings, for a page that is left: it can't wait. @type {string[]} */
let known = [];
catalogue()
  .then(({ fields }) => {
    known = fields;
  })
  .catch(() => {});
/** Whether a form is stored that the next page shall have instead of this page's. */
let refilled = false;
addEventListener("pagehide", () => {
  if (refilled || !known.length) return;
  try {
    store(known);
  } catch {
    // some embedded frames forbid storage
  }
});

/** @param {string[]} fields the names of the settings */
function store(fields) {
  const chosen = /** @type {const} */ (["gan-data", "gan-own", "gan-recipe", "gan-time", "gan-start"]).map(
    (name) =>
      name === "gan-time" ? document.querySelector(name)?.budget : document.querySelector(name)?.value,
  );
  const [data, own, recipe, minutes, start] = chosen;
  if (chosen.some((value) => value === undefined || value === null)) return;
  const settings = Object.fromEntries(
    fields.map((name, index) => {
      /** @type {?HTMLInputElement} */
      // A field's text may be newer than the form; folded fields have no element.
      const input = document.querySelector(`#field-${name} input`);
      return [name, input ? (input.type === "checkbox" ? input.checked : input.value) : form?.[5 + index]];
    }),
  );
  sessionStorage.setItem(KEPT, JSON.stringify({ data, own, recipe, minutes, start, settings }));
}

/**
 * Reload the page with a form that holds the settings of a run of this machine's data sets, with some changed.
 * @param {RunConfig} config
 * @param {Settings} changed
 * @param {string} note what the form says about it
 */
export async function fillAgain(config, changed, note) {
  const { fields } = await catalogue();
  /** @type {Settings} */
  const wanted = { ...config, ...changed };
  const prefix = config.kind === "images" ? "" : `${config.kind}-`;
  const mine = fields.filter((field) => field.startsWith(prefix) && field.slice(prefix.length) in wanted);
  const settings = Object.fromEntries(mine.map((field) => [field, wanted[field.slice(prefix.length)]]));
  const { data, recipe } = config;
  refilled = true;
  const minutes = config.kind === "images" && config.kimg ? { kimg: config.kimg } : config.minutes;
  sessionStorage.setItem(
    KEPT,
    JSON.stringify({ data, own: { files: [] }, recipe, minutes, start: NEW, settings, filled: note }),
  );
  location.reload();
}

/** The stored form. It can be read once. */
function taken() {
  try {
    const text = sessionStorage.getItem(KEPT);
    sessionStorage.removeItem(KEPT);
    return JSON.parse(text ?? "null");
  } catch {
    return null; // some embedded frames forbid storage
  }
}

/**
 * Convert a stored text to the type of a setting. Without a text, the setting keeps its value.
 * @param {Setting} value
 * @param {Setting | undefined} kept
 */
function like(value, kept) {
  if (kept === undefined || kept === null || kept === "") return value;
  return typeof value === "number" ? Number(kept) : kept;
}
