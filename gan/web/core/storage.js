// What this browser keeps for the page.

/** The text that is kept under a name; null where there is none. */
export function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // storage is closed to us in some embedded frames
  }
}

/** Keep a text under a name. */
export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // storage is closed to us in some embedded frames: the choice then lasts as long as the page
  }
}
