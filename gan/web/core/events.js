// The custom events of the page: who tells whom, and what each one carries in its `detail`.
// gan/ui/train/tab.py writes CHOOSE, OFFER and FORM into the page itself, so their names stand there as well.

// At the window.

/** The server has refused for want of control, or its lock is not as the page shows it. No detail. */
export const LOCKED = "gan:locked";
/** The reader has chosen another theme. No detail. */
export const THEME = "gan:theme";
/** The Train tab asks Explore for a model. @typedef {{model: string}} ExploreDetail */
export const EXPLORE = "gan:explore";
/**
 * The form has changed: all that stands in it.
 * @typedef {[data: string, own: ?Object, recipe: string, minutes: number, ...settings: any[]]} FormDetail
 */
export const FORM = "gan:form";
/** The form now offers another kind of run. @typedef {string} KindDetail */
export const KIND = "gan:kind";
/** Train was pressed. No detail. */
export const SUBMIT = "gan:submit";
/** What became of a press on Train: the id of the run, or why there is none. @typedef {{run?: string, error?: Object}} AnswerDetail */
export const ANSWER = "gan:answer";

// At <gan-explorer>, and at <gan-page>, which is its like.

/** The picture of a point is on the screen. @typedef {{point: Object}} DrawnDetail */
export const DRAWN = "gan:drawn";
/** Something that moves the point by itself has begun or paused. No detail. */
export const PLAYING = "gan:playing";
/** The list of sliders has changed, or what is known of them. No detail. */
export const CHOSEN = "gan:chosen";
/** The favourites have changed. No detail. */
export const FAVOURITES = "gan:favourites";

// At the column of sliders.

/** The raw latent was opened, so that its sliders need numbers. No detail. */
export const RAW = "gan:raw";

// At the pickers of the Train form and at <gan-own>.

/** Gradio gives a picker its value. @typedef {any} OfferDetail */
export const OFFER = "offer";
/** Somebody has chosen in a picker; Gradio takes its value. @typedef {any} ChooseDetail */
export const CHOOSE = "choose";
