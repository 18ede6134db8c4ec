// What runs are called where nobody has named them: "Digits #3", and in one line "Digits #3, Modern, 1 min".
import { short } from "./format.js";
import { known, t } from "./i18n.js";

/**
 * The facts of which a run's name is made. A run from before numbers has the number 0.
 * @typedef {{name?: ?string, number?: number, data?: ?string, recipe?: ?string, minutes?: ?number, kimg?:
 *    ?number}} RunFacts
 */

/** What a data set is called; one without a text shows its own name. @param {string} name */
export const dataName = (name) => (known(`data.${name}`) ? t(`data.${name}`) : name);

/** What a recipe is called; one without a text shows its own name. @param {string} name */
export const recipeName = (name) => (known(`recipe.${name}`) ? t(`recipe.${name}`) : name);

/**
 * A run's data set with the run's number among the runs of that set.
 * @param {RunFacts} run
 */
export function numbered({ data, number }) {
  const set = data ? dataName(data).slice(data.lastIndexOf("/") + 1) : "";
  return number && set ? t("run.numbered", { data: set, number }) : set;
}

/**
 * The recipe of a run and what it may train, as far as they are known.
 * @param {RunFacts} run
 */
export function manner({ recipe, minutes, kimg }) {
  const budget = kimg
    ? t("stage.kimg", { images: short(1000 * kimg) })
    : minutes && t("run.minutes", { minutes: Number(minutes.toPrecision(3)) });
  const kind = recipe && recipeName(recipe);
  return [kind, budget].filter(Boolean).map(String);
}

/**
 * The name that somebody gave to a run, else its numbered data set, recipe and budget in one line.
 * @param {RunFacts} run
 */
export const fullName = (run) => run.name ?? [numbered(run), ...manner(run)].join(t("run.between"));
