// The choices of the Train form, fetched once.
import { request } from "../core/api.js";
import { known } from "../core/i18n.js";

/** The value of <gan-data> for an uploaded file of points, as in gan/ui/train/fields.py. */
export const OWN_POINTS = "own-points";

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

/**
 * The key of a text about a run of this kind: the kind's own text if there is one, else that of images.
 * @param {string} key
 * @param {string | undefined} kind
 */
export const ofKind = (key, kind) => (known(`${key}_${kind}`) ? `${key}_${kind}` : key);
