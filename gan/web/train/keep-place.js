// On a phone the stage stands above the form where the page opens with a run. A first run that begins later would
// push the form down under the reader's finger: so the stage then stays below, and the page moves to it, unless
// somebody is filling the form in.
const NARROW = "(max-width: 860px)"; // as in train.css

/** @param {MutationRecord[]} changes */
function keepPlace(changes) {
  const root = document.documentElement;
  const form = document.getElementById("train-form");
  if (root.dataset.runs !== "some" || root.dataset.stage || changes[0].oldValue === "some") return;
  if (changes[0].oldValue === null || !form?.offsetParent) root.dataset.stage = "first";
  else if (matchMedia(NARROW).matches && !form.contains(document.activeElement)) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    document
      .getElementById("train-stage")
      ?.scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
  }
}

new MutationObserver(keepPlace).observe(document.documentElement, {
  attributeFilter: ["data-runs"],
  attributeOldValue: true,
});
