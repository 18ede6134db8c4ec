// What stands behind the # of the address.

/** Its names and values. */
export const readHash = () => new URLSearchParams(location.hash.slice(1));

/** Names and values as they are written there, so that people can read them. */
export const hashText = (hash) => hash.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");

let turned = false;

/** Write what stands behind the #: into the entry of the browser's history where we are, or as a `turn` into a new one. All turns of one press make one. */
export function writeHash(hash, turn = false) {
  const text = `${location.pathname}${location.search}#${hashText(hash)}`;
  if (turn && !turned) history.pushState(history.state, "", text);
  else history.replaceState(history.state, "", text);
  if (!turn) return;
  turned = true;
  setTimeout(() => { turned = false; });
}
