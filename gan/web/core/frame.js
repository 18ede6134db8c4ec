// The page around a Space: it knows who is signed in at Hugging Face, whose GPU quota a lease uses.

const HANDSHAKE = "supports-zerogpu-headers";
const FRAME = "https://huggingface.co";
const ANSWERS_WITHIN = 3000; // ms for the page around to name its visitor; without an answer the address counts

/** Whether the page around knows who is signed in. */
let framed = false;

/**
 * Ask the page around whether it names its visitor, as Gradio's own client does.
 * @param {Window} here
 */
export function greet(here) {
  if (here.parent === here || !here.location.hostname.endsWith(".hf.space")) return;
  here.addEventListener("message", ({ origin, data }) => {
    if (origin === FRAME && data === HANDSHAKE) framed = true;
  });
  here.parent.postMessage(HANDSHAKE, FRAME);
}

/**
 * The headers with which Hugging Face finds the quota of the visitor who is signed in; {} for nobody.
 * @param {Window} here
 * @returns {Promise<Record<string, string>>}
 */
export function visitorHeaders(here) {
  if (!framed) return Promise.resolve({});
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const end = (/** @type {Record<string, string>} */ headers) => {
      clearTimeout(timer);
      port1.close();
      resolve(headers);
    };
    const timer = setTimeout(() => end({}), ANSWERS_WITHIN);
    port1.onmessage = ({ data }) => end(data ?? {});
    here.parent.postMessage("zerogpu-headers", FRAME, [port2]);
  });
}
