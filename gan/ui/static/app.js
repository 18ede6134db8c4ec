// Entry: texts first, then the elements of every room. A new room is one more import here.
import { ready } from "./common.js";

await ready;
const { readAccess } = await import("./access.js");
readAccess();
await Promise.all(["./header.js", "./train.js", "./explore.js"].map((path) => import(path).catch((error) => console.error(path, error))));
document.documentElement.dataset.gan = "ready";
