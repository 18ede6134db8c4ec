// The choices of the Train form, fetched once, and their display names. An entry without a text shows its own name.
import { request } from "../core/api.js";
import { known, t } from "../core/i18n.js";

/** @type {Promise<Catalogue> | null} */
let offer = null;

/** See options() in gan/ui/train/routes.py. The next call repeats a failed request. */
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
