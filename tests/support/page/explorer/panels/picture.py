"""The large picture of the Explore tab, which hands, keys and the wheel move."""

import numpy as np
from playwright.sync_api import Page

DRAWN_AT = """(hash) => new Promise((done, failed) => {
  setTimeout(() => failed(new Error("not drawn")), 15000);
  document.querySelector("gan-explorer").addEventListener("gan:drawn", () => {
    const canvas = document.querySelector(".xp-canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    done([canvas.width, Array.from(data)]);
  }, { once: true });
  history.replaceState(null, "", `#${hash}`);
  dispatchEvent(new HashChangeEvent("hashchange"));
})"""


class Picture:
    """The large picture of a page."""

    def __init__(self, page: Page):
        self.page = page
        self.figure = page.locator(".xp-large")  # has the focus while it hears keys and the wheel
        self.canvas = page.locator(".xp-mid .xp-canvas")
        self.walk_button = page.locator(".xp-stroll")  # starts and ends a random walk, in any language
        self.save_enlarged = page.locator(".xp-save8")  # saves a PNG of 8 times the size, in any language
        self.live = self.figure.locator(".xp-badge").first  # says that the run still trains

    def spot(self, x: float, y: float) -> tuple[float, float]:
        """The place in the window, in pixels, of fractions of the picture's sides."""
        box = self.canvas.bounding_box()
        assert box, "it is hidden"
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag the mouse between two places, given as fractions of the picture's sides."""
        self.page.mouse.move(*self.spot(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.spot(*end), steps=4)
        self.page.mouse.up()

    def pixels(self) -> bytes:
        """What it shows, as a data URL, also while a view has a picture of its own."""
        return self.canvas.evaluate("(canvas) => canvas.toDataURL()").encode()

    def drawn_at(self, point: str) -> np.ndarray:
        """Go to a point, as URLs write it. Returns the sample (H, W, 3) that is drawn then."""
        width, data = self.page.evaluate(DRAWN_AT, point)
        return np.array(data).reshape(-1, width, 4)[:, :, :3]

    def label(self) -> str | None:
        """What a screen reader says of the sample."""
        return self.canvas.get_attribute("aria-label")

    def instructions(self) -> str | None:
        """What a screen reader says of the keys."""
        return self.figure.get_attribute("aria-label")

    def has_focus(self) -> bool:
        """Whether keys go to the picture."""
        return self.figure.evaluate("(figure) => figure === document.activeElement")

    def left_to_browser(self) -> str:
        """Which gestures of a finger the browser keeps for itself, as CSS says it: `none` or `pan-y`."""
        return self.figure.evaluate("(figure) => getComputedStyle(figure).touchAction")
