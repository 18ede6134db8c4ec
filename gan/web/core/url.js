// The hash of the address: names and values after its #.

/** Read the hash. */
export const readHash = () => new URLSearchParams(location.hash.slice(1));

/**
 * Write names and values so that people can read them: with : and , unescaped.
 * @param {URLSearchParams} hash
 */
export const hashText = (hash) => hash.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");

/** The address of a Space, as its server says it; null elsewhere. @type {?string} */
let home = null;

/** @param {?string | undefined} url */
export function setHome(url) {
  home = url ?? null;
}

/** Where links to this page lead. The query of the page may hold a language, or the token of a frame. */
export const pageAddress = () => home ?? `${location.origin}${location.pathname}`;

let turned = false;

/**
 * Set the hash. A `turn` adds an entry to the browser's history; several turns of one press add one entry.
 * @param {URLSearchParams} hash
 */
export function writeHash(hash, turn = false) {
  const text = `${location.pathname}${location.search}#${hashText(hash)}`;
  if (turn && !turned) history.pushState(history.state, "", text);
  else history.replaceState(history.state, "", text);
  if (!turn) return;
  turned = true;
  setTimeout(() => {
    turned = false;
  });
}
