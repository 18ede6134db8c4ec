// Entry: loads the texts, then the elements of every folder. A new folder needs one more import here.
import { address } from "../core/api.js";
import { lang, loadTexts } from "../core/i18n.js";
import { followAddress } from "./tabs.js";

const ROOMS = ["./header.js", "../train/train.js", "../explore/explorer.js"];

followAddress();
await loadTexts(address(`strings/${lang}.json`));
const { readAccess } = await import("./access.js");
readAccess();
await Promise.all(ROOMS.map((path) => import(path).catch((error) => console.error(path, error))));
document.documentElement.dataset.gan = "ready";
