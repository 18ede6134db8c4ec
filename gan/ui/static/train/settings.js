// What the form's settings become when another choice is made, and how they live through a change of language, which loads the page again.
// Gradio's events call these by their global names.
import { options } from "./offer.js";

const KEPT = "gan_form";
const START = ["digits", "modern", 5]; // what the form begins with
const LEAVE = { __type__: "update" }; // an answer to Gradio: this one stays as it stands, whatever was typed meanwhile
let before = START;
let returning = null; // the choices that are being given back to a page that was loaded again
let told = null;

addEventListener("gan:form", (event) => { told = event.detail; });

/** All that stands in the form, as "gan:form" last told it: [data, files, recipe, minutes, ...settings]. */
export const toldForm = () => told;

/** The advanced settings for another data set or recipe: those that the choice does not touch stay as they are. */
window.ganDefaults = async (data, recipe) => {
  const { defaults, fields } = await options();
  if (returning) { // Gradio sets one choice after the other and asks after each: the settings that were kept come with them
    if (data === returning[0] && recipe === returning[1]) returning = null;
    return fields.map(() => LEAVE);
  }
  const [old, fresh] = [defaults[before[0]][before[1]], defaults[data][recipe]];
  before = [data, recipe];
  return fresh.map((value, index) => (value === old[index] ? LEAVE : value));
};

/** The whole form as it was kept for this page; null where it was not. */
window.ganForm = async () => {
  const kept = taken();
  if (!kept) return null;
  const { defaults, fields } = await options();
  before = kept.choices;
  if (before[0] !== START[0] || before[1] !== START[1]) returning = before;
  const fresh = defaults[before[0]][before[1]];
  return [...before, ...fresh.map((value, index) => like(value, kept.settings[fields[index]]))];
};

/** Keep the form for the page that is loaded next in this tab. Files that were added have to be added again, so that choice is not kept. */
export async function keepForm() {
  const choices = ["gan-data", "gan-recipe", "gan-time"].map((name) => document.querySelector(name)?.value);
  if (choices.some((value) => value === undefined || value === null || value === "own")) return;
  const { fields } = await options();
  const settings = Object.fromEntries(fields.map((name) => {
    const input = document.querySelector(`#field-${name} input`);
    return [name, input?.type === "checkbox" ? input.checked : input?.value];
  }));
  sessionStorage.setItem(KEPT, JSON.stringify({ choices, settings }));
}

/** What was kept, once. */
function taken() {
  try {
    const text = sessionStorage.getItem(KEPT);
    sessionStorage.removeItem(KEPT);
    return JSON.parse(text);
  } catch {
    return null; // storage is closed to us in some embedded frames
  }
}

/** A kept text as the kind of value that a setting has; the setting's own value where nothing was kept. */
function like(value, kept) {
  if (kept === undefined || kept === null || kept === "") return value;
  return typeof value === "number" ? Number(kept) : kept;
}
