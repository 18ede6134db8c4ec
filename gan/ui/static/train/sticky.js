// The panel with the button stays at the lower edge, in sight, as long as it leaves room for what is being filled in.

const PART = 1 / 3; // of the window that it may take

/** Let a panel stick, and tell the form that it lies in how much of it is covered: what has the focus is scrolled clear of that. */
export function stick(panel) {
  const judge = () => {
    const height = panel.offsetHeight;
    const sticks = height > 0 && height <= innerHeight * PART;
    panel.classList.toggle("is-sticky", sticks);
    panel.parentElement.style.setProperty("--covered", `${sticks ? height : 0}px`);
  };
  new ResizeObserver(judge).observe(panel);
  addEventListener("resize", judge);
}
