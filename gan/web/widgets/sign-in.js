// The link to the sign-in with Hugging Face.
import { place } from "../core/api.js";
import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";

/**
 * A link that signs a visitor in and leads back to `hash`. In a frame, Hugging Face shows it only in a tab of its
 * own. `purpose` names what the visitor is about to do, if that needs more than their name.
 * @param {string} hash
 * @param {{purpose?: "push" | "pull", key?: string}} options
 */
export function signInLink(hash, { purpose, key = "access.sign_in" } = {}) {
  const query = new URLSearchParams({ _target_url: `/${hash}` });
  if (purpose) query.set("_for", purpose);
  const href = new URL(`login/huggingface?${query}`, `${location.origin}${place()}`).href;
  return h("a", { href, target: "_blank", rel: "noopener" }, t(key));
}
