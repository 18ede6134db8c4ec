// The texts of the page in the reader's language.

export const lang = globalThis.ganEarly?.lang ?? "en";

let texts = globalThis.ganTexts ?? {}; // a page without a server brings its texts along

/**
 * Fetch the texts, unless the page brings its own. Without texts, the page shows their keys.
 * @param {string} url
 */
export async function loadTexts(url) {
  if (globalThis.ganTexts) return;
  try {
    texts = await (await fetch(url, { cache: "no-cache" })).json();
  } catch (error) {
    console.error("texts", error);
  }
}

/**
 * A text in the reader's language with its {gaps} filled. An unknown key shows itself, so that somebody
 * notices it.
 * @param {string} key
 * @param {Values} values
 * @returns {string}
 */
export function t(key, values = {}) {
  const text = texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (gap, name) => (name in values ? String(values[name]) : gap));
}

/**
 * Whether there is a text for this key.
 * @param {string} key
 */
export const known = (key) => key in texts;

/**
 * The sentence of an error from the server.
 * @param {Refusal | null | undefined} error
 */
export function sentence(error) {
  if (!error) return "";
  if (!error.key || !known(`error.${error.key}`)) return error.text || t("common.failed");
  const { name, state } = error.values ?? {};
  const shown = { ...error.values };
  // Readers know a setting by its label.
  if (error.key.startsWith("config.") && known(`field.${name}`)) shown.name = t(`field.${name}`);
  if (known(`state.${state}`)) shown.state = t(`state.${state}`).toLowerCase();
  return t(`error.${error.key}`, shown);
}

/**
 * What a catch clause got, as a refusal. Our own code throws refusals, and an Error has the fields of one.
 * @param {unknown} thrown
 * @returns {Refusal}
 */
export const refusal = (thrown) =>
  typeof thrown === "object" && thrown !== null ? thrown : { message: String(thrown) };
