// Texts that this browser keeps for the page.

/**
 * The text kept under a name, or null.
 * @param {string} name
 */
export function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // some embedded frames forbid storage
  }
}

/**
 * Keep a text under a name.
 * @param {string} name
 * @param {string} value
 */
export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Some embedded frames forbid storage. The choice then lasts as long as the page.
  }
}
