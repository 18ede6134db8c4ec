// The texts of the page in the reader's language.

export const lang = globalThis.ganEarly?.lang ?? "en";

let texts = globalThis.ganTexts ?? {}; // a page without a server brings its texts along

/** Fetch the texts, unless the page brings its own. Without texts, the page shows their keys. */
export async function loadTexts(url) {
  if (globalThis.ganTexts) return;
  try {
    texts = await (await fetch(url, { cache: "no-cache" })).json();
  } catch (error) {
    console.error("texts", error);
  }
}

/** A text in the reader's language with its {gaps} filled. An unknown key shows as it is, so that somebody notices it. */
export function t(key, values = {}) {
  const text = texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (gap, name) => (name in values ? String(values[name]) : gap));
}

/** Whether there is a text for this key. */
export const known = (key) => key in texts;

/** The sentence of an error from the server: {key, values, text}. */
export function sentence(error) {
  if (!error) return "";
  if (!error.key || !known(`error.${error.key}`)) return error.text || t("common.failed");
  const { name, state } = error.values ?? {};
  const told = { ...error.values };
  if (error.key.startsWith("config.") && known(`field.${name}`)) told.name = t(`field.${name}`); // readers know a setting by its label
  if (known(`state.${state}`)) told.state = t(`state.${state}`).toLowerCase();
  return t(`error.${error.key}`, told);
}
