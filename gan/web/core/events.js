// The custom events of the page: who sends each, and the type of its `detail`.
// gan/ui/train/tab.py writes the names of CHOOSE, OFFER and FORM into the page, so change them there too.

// At the window.

/**
 * The server refused a request because this page lacks control, or its lock differs from the shown one. No
 * detail.
 */
export const LOCKED = "gan:locked";
/** What this page controls has changed: all runs, or which are its own. No detail. */
export const CONTROL = "gan:control";
/** The reader has chosen another theme. No detail. */
export const THEME = "gan:theme";
/**
 * The Train tab asks Explore for a model, and where `push` is true also for the form that pushes it.
 * @typedef {{model: string, push?: boolean}} ExploreDetail
 */
export const EXPLORE = "gan:explore";
/**
 * The form has changed. The detail holds all its values.
 * @typedef {[data: string, own: ?OwnValue, recipe: string, minutes: Budget, start: StartValue,
 *    ...settings: Setting[]]} FormDetail
 */
export const FORM = "gan:form";
/** The form now offers another kind of run. @typedef {string} KindDetail */
export const KIND = "gan:kind";
/** Train was pressed. No detail. */
export const SUBMIT = "gan:submit";
/**
 * The server answered Train: the id of the new run, or why there is none.
 * @typedef {{run?: string, error?: Refusal}} AnswerDetail
 */
export const ANSWER = "gan:answer";

/** Present has begun or ended. The detail says whether it is on. */
export const PRESENT = "gan:present";

// At <gan-explorer>, and at <gan-page>, its counterpart in an exported page.

/** The picture of a point is on the screen. @typedef {{point: Point}} DrawnDetail */
export const DRAWN = "gan:drawn";
/** A player (widgets/player.js) has begun or paused. No detail. */
export const PLAYING = "gan:playing";
/** The list of sliders has changed, or the facts about their directions. No detail. */
export const CHOSEN = "gan:chosen";
/** The favourites have changed. No detail. */
export const FAVOURITES = "gan:favourites";

// At the column of sliders.

/** The reader has opened the raw latent, so its sliders need numbers. No detail. */
export const RAW = "gan:raw";

// At the pickers of the Train form and at <gan-own>.

/** Gradio sets a picker's value: a name, a Budget, an OwnValue or a StartValue. @typedef {any} OfferDetail */
export const OFFER = "offer";
/**
 * The reader has chosen in a picker; Gradio reads its value.
 * @typedef {string | Budget | OwnValue | StartValue} ChooseDetail
 */
export const CHOOSE = "choose";
