// The link to the sign-in with Hugging Face.
import { place } from "../core/api.js";
import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";

/**
 * A link that signs a visitor in and leads back to `hash`. In a frame, Hugging Face shows it only in a tab of its
 * own. The sign-in `toPush` asks for more than the name.
 * @param {string} hash
 */
export function signInLink(hash, toPush = false) {
  const query = new URLSearchParams({ _target_url: `/${hash}` });
  if (toPush) query.set("_for", "push");
  const href = new URL(`login/huggingface?${query}`, `${location.origin}${place()}`).href;
  return h(
    "a",
    { href, target: "_blank", rel: "noopener" },
    t(toPush ? "explore.push_sign_in" : "access.sign_in"),
  );
}
