// What there is to choose from, asked for once, and its names for people: an entry without a text shows its own name.
import { request } from "../core/api.js";
import { known, t } from "../core/i18n.js";

/** @type {Promise<Catalogue> | null} */
let offer = null;

/** {data, recipes, losses, penalties, defaults, fields}: see train_routes.options. A failed request is made again the next time. */
export function catalogue() {
  offer ??= request("catalogue").catch((error) => {
    offer = null;
    throw error;
  });
  return offer;
}

/** @param {string} name */
export const dataName = (name) => (known(`data.${name}`) ? t(`data.${name}`) : name);
/** @param {string} name */
export const recipeName = (name) => (known(`recipe.${name}`) ? t(`recipe.${name}`) : name);
