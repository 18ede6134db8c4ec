"""The view Walk of the Explore tab."""

from playwright.sync_api import Page

TWO_AXES = "() => document.querySelectorAll('.xp-axes select').length === 2"
AXES = "() => [...document.querySelectorAll('.xp-axes select')].map((select) => select.value)"
SWEEP = """async () => {
  const pad = document.querySelector(".xp-pad"), { left, top, width } = pad.getBoundingClientRect();
  const explorer = document.querySelector("gan-explorer"), drawn = [];
  explorer.addEventListener("gan:drawn", (event) => drawn.push(event.detail.point.d[0]));
  const send = (type, part) => pad.dispatchEvent(new PointerEvent(type, {
    pointerId: 1, isPrimary: true, button: 0, clientX: left + part * width, clientY: top + width / 2,
  }));
  pad.setPointerCapture = () => {};
  for (let step = 0; step <= 40; step += 1) {
    send(step ? "pointermove" : "pointerdown", step / 40);
    await new Promise(requestAnimationFrame);
  }
  while (drawn.at(-1) !== 3) await new Promise(requestAnimationFrame);
  send("pointerup", 1);
  return drawn;
}"""


class WalkView:
    """The view Walk of a page: a pad that moves two directions, and the random walk."""

    def __init__(self, page: Page):
        self.page = page
        self.pad = page.locator(".xp-pad")
        self.values = page.locator(".xp-axes .xp-value")  # the amounts of both directions
        self.across = page.locator(".xp-steer").get_by_label("Horizontal direction")
        self.up = page.locator(".xp-steer").get_by_label("Vertical direction")

    def wait_for_axes(self) -> None:
        """Wait until both directions can be chosen."""
        self.page.wait_for_function(TWO_AXES)

    def axes(self) -> list[str]:
        """The ids of both directions."""
        return self.page.evaluate(AXES)

    def sweep(self) -> list[float]:
        """Drag over the whole width of the pad in 40 frames.

        Returns the amount of the first direction in each drawn sample, until that of the end is drawn.
        """
        return self.page.evaluate(SWEEP)
