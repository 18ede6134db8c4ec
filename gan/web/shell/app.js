// Entry: loads the texts, then the elements of the header and of every tab. The page's head names the scripts of
// the tabs (gan/ui/server/requests/head.py).
import { address } from "../core/api.js";
import { lang, loadTexts } from "../core/i18n.js";
import { followAddress } from "./tabs.js";

/** @type {?HTMLMetaElement} */
const meta = document.querySelector("meta[name=gan-scripts]");
const tabs = (meta?.content ?? "").split(" ").map((path) => `../${path}`);

followAddress();
await loadTexts(address(`strings/${lang}.json`));
const { readAccess } = await import("./access.js");
readAccess();
const load = (/** @type {string} */ path) => import(path).catch((error) => console.error(path, error));
await Promise.all(["./header.js", ...tabs].map(load));
document.documentElement.dataset.gan = "ready";
