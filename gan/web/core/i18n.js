// The texts of the page in the reader's language.

export const lang = globalThis.ganEarly?.lang ?? "en";

let texts = globalThis.ganTexts ?? {}; // a page without a server brings its texts along

/** Read the texts of a route, unless the page has brought its own. A page without texts shows their keys. */
export async function loadTexts(url) {
  if (globalThis.ganTexts) return;
  try {
    texts = await (await fetch(url, { cache: "no-cache" })).json();
  } catch (error) {
    console.error("texts", error);
  }
}

/** A text in the reader's language with its {gaps} filled; an unknown key is shown as it is, so that it is noticed. */
export function t(key, values = {}) {
  const text = texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (gap, name) => (name in values ? String(values[name]) : gap));
}

/** Whether there is a text for this key. */
export const known = (key) => key in texts;

/** The sentence of an error the server sent: {key, values, text}. */
export function sentence(error) {
  if (!error) return "";
  if (!error.key || !known(`error.${error.key}`)) return error.text || t("common.failed");
  const { name, state } = error.values ?? {};
  const told = { ...error.values };
  if (error.key.startsWith("config.") && known(`field.${name}`)) told.name = t(`field.${name}`); // people know a setting by its label
  if (known(`state.${state}`)) told.state = t(`state.${state}`).toLowerCase();
  return t(`error.${error.key}`, told);
}
