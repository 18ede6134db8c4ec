// What there is to choose from, asked for once, and its names for people: an entry without a text shows its own name.
import { known, request, t } from "../common.js";

let offer = null;

/** {data, recipes, equilibrium, defaults}: see train_routes.options. A failed request is made again the next time. */
export function options() {
  offer ??= request("catalogue").catch((error) => {
    offer = null;
    throw error;
  });
  return offer;
}

export const dataName = (name) => (known(`data.${name}`) ? t(`data.${name}`) : name);
export const recipeName = (name) => (known(`recipe.${name}`) ? t(`recipe.${name}`) : name);

let before = ["digits", "modern"]; // what the form begins with

/** What the advanced settings become when another data set or recipe is chosen: those that the choice does not touch stay as they are. Gradio's event calls this
 * by its global name. */
window.ganDefaults = async (data, recipe, ...current) => {
  const { defaults } = await options();
  const [old, fresh] = [defaults[before[0]][before[1]], defaults[data][recipe]];
  before = [data, recipe];
  return fresh.map((value, index) => (value === old[index] ? current[index] : value));
};
