// On a phone, where everything stands in one column: a button on the picture, which stays in sight, that leads to the sliders and from there back to the view.
import { h, icon, t } from "../common.js";

const SEEN = 0.75; // of the window's height: sliders that begin above that are what one looks at

/** The button; `sliders` and `view` are the elements it leads to. */
export function jump(sliders, view) {
  const go = () => {
    const there = sliders.getBoundingClientRect().top < SEEN * innerHeight && sliders.getBoundingClientRect().bottom > 0;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    (there ? view : sliders).scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
  };
  return h("button", { type: "button", class: "xp-button xp-jump", title: t("explore.jump"), "aria-label": t("explore.jump"), onclick: go }, icon("sliders"));
}
