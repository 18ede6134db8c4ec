// What the form's settings become when another choice is made, and how they live through a change of language, which loads the page again.
// Gradio's events call these by their global names.
import { FORM } from "../../core/events.js";
import { catalogue } from "../catalogue.js";

const KEPT = "gan_form";
const LEAVING = new Set(["Tab", "Shift"]); // keys by which a field is left; that it is left needs no handler
const START = { data: "digits", recipe: "modern", own: null }; // what the form begins with
const LEAVE = { __type__: "update" }; // an answer to Gradio: this one stays as it stands, whatever was typed meanwhile
/** @typedef {{data: string, recipe: string, own: ?OwnValue}} Choice */
/** The choice behind the present settings. @type {Choice} */
let before = START;
/** The choice that a reloaded page is setting again. @type {?Choice} */
let returning = null;
/** @type {?FormDetail} */
let form = null;
/** Settings that the reader has set since a choice last set them. @type {Set<string>} */
const typed = new Set();

addEventListener(FORM, (event) => { form = event.detail; });
for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    const field = /** @type {Element} */ (event.target).closest?.("[id^=field-]");
    if (field) typed.add(field.id.slice("field-".length));
  }, { capture: true });
}

// Gradio's list shuts when its field is left. Its handler of keys waits for a moment, and then opens the list again: of a field that is left it never shuts.
addEventListener("keydown", (event) => {
  if (LEAVING.has(event.key) && /** @type {Element} */ (event.target).matches?.("[id^=field-] [role=combobox]")) event.stopPropagation();
}, { capture: true });

/** All that stands in the form, as FORM last told it: [data, own, recipe, minutes, ...settings]. */
export const formNow = () => form;

/**
 * The settings that a choice begins with: the recipe's for this data set; for pictures of one's own what these ask for comes after.
 * @param {Catalogue} offer
 * @param {Choice} choice
 */
function beginning({ defaults, fields }, { data, recipe, own }) {
  const asked = (data === "own" && own?.suggestions?.[recipe]) || {};
  return fields.map((name, index) => asked[name] ?? defaults[data][recipe][index]);
}

/**
 * The advanced settings for another data set, recipe or pictures of one's own (the value of <gan-own>): those that the choice does not touch stay as they are.
 * What was set by hand only another data set or recipe sets back; what is moved beside the pictures is set by hand.
 */
window.ganDefaults = async (data, recipe, own, ...current) => {
  const offer = await catalogue();
  if (returning) { // Gradio sets one choice after the other and asks after each: the settings that were kept come with them
    if (data === returning.data && recipe === returning.recipe) returning = null;
    return offer.fields.map(() => LEAVE);
  }
  const settled = own?.files?.length && !own.report ? before.own : own; // while pictures are being read nothing is known yet
  const now = { data, recipe, own: settled };
  const chosen = data !== before.data || recipe !== before.recipe;
  const moved = own && (own.turn ?? 0) !== (before.own?.turn ?? 0) ? own.set : {};
  const [was, is] = [beginning(offer, before), beginning(offer, now)];
  before = now;
  return offer.fields.map((name, index) => {
    if (name in moved) {
      typed.add(name);
      return moved[name];
    }
    if (is[index] === was[index]) return LEAVE;
    if (!chosen && (typed.has(name) || current[index] !== was[index])) return LEAVE;
    typed.delete(name);
    return is[index];
  });
};

/**
 * The settings with what one's own pictures ask for, where they were not set by hand: Train may be pressed before the form has been told.
 * @param {OwnValue} own
 * @param {string} recipe
 * @param {Setting[]} values
 */
export async function asAsked(own, recipe, values) {
  const offer = await catalogue();
  const [was, is] = [beginning(offer, before), beginning(offer, { data: "own", recipe, own })];
  return values.map((value, index) => (typed.has(offer.fields[index]) || value !== was[index] ? value : is[index]));
}

/** The whole form as it was kept for this page; null where it was not. */
window.ganForm = async () => {
  const kept = taken();
  if (!kept) return null;
  const offer = await catalogue();
  const { data, recipe, own, minutes } = kept;
  before = { data, recipe, own };
  if (data !== START.data || recipe !== START.recipe) returning = before;
  const settings = beginning(offer, before).map((value, index) => like(value, kept.settings[offer.fields[index]]));
  return [data, own, recipe, minutes, ...settings];
};

/** Keep the form for the page that is loaded next in this tab. */
export async function keepForm() {
  const chosen = /** @type {const} */ (["gan-data", "gan-own", "gan-recipe", "gan-time"]).map((name) => document.querySelector(name)?.value);
  const [data, own, recipe, minutes] = chosen;
  if (chosen.some((value) => value === undefined || value === null)) return;
  const { fields } = await catalogue();
  const settings = Object.fromEntries(fields.map((name, index) => {
    /** @type {?HTMLInputElement} */
    const input = document.querySelector(`#field-${name} input`); // what is being typed the form has not been told yet; folded away there is none
    return [name, input ? (input.type === "checkbox" ? input.checked : input.value) : form?.[4 + index]];
  }));
  sessionStorage.setItem(KEPT, JSON.stringify({ data, own, recipe, minutes, settings }));
}

/** What was kept, once. */
function taken() {
  try {
    const text = sessionStorage.getItem(KEPT);
    sessionStorage.removeItem(KEPT);
    return JSON.parse(text ?? "null");
  } catch {
    return null; // storage is closed to us in some embedded frames
  }
}

/**
 * A kept text as the kind of value that a setting has; the setting's own value where nothing was kept.
 * @param {Setting} value
 * @param {Setting | undefined} kept
 */
function like(value, kept) {
  if (kept === undefined || kept === null || kept === "") return value;
  return typeof value === "number" ? Number(kept) : kept;
}
