"""The web page of a generator, as GANarium exports it."""

from collections.abc import Callable

import numpy as np
from playwright.sync_api import Locator, Page

from tests.support.page.touch import lower_than

READY = "() => document.querySelector('gan-page')?.ready"
LISTEN = """() => {
  window.next = new Promise((done) => {
    document.querySelector("gan-page").addEventListener("gan:drawn", done, { once: true });
  });
}"""
NEXT = """async () => {
  await window.next;
  const canvas = document.querySelector(".xp-canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return [canvas.width, Array.from(data)];
}"""
SHEETS = "() => !document.querySelector('.xp-wall .is-locked, .xp-way .is-locked')"
SAMPLES = """() => {
  const { bitmap } = document.querySelector("gan-page").samples.sheet;
  const { data } = bitmap.getContext("2d").getImageData(0, 0, bitmap.width, bitmap.height);
  return [bitmap.width, Array.from(data)];
}"""
OTHER = "(pixels) => document.querySelector('.xp-canvas').toDataURL() !== pixels"


def rgb(width: int, data: list[int]) -> np.ndarray:
    """The colours (H, W, 3) of a canvas's data, in 0..255."""
    return np.array(data).reshape(-1, width, 4)[:, :, :3]


class WebPage:
    """The exported page in a browser."""

    def __init__(self, page: Page):
        self.page = page
        self.sliders = page.locator(".xp-sliders input[type=range]")
        self.slider_names = page.locator(".xp-sliders .xp-name")
        self.class_list = page.locator(".xp-classes select")  # only where names are too long for buttons
        self.canvas = page.locator(".xp-canvas")  # the large sample
        self.note = page.locator(".xp-note")

    def ready(self) -> None:
        """Wait until it can be used."""
        self.page.wait_for_function(READY)

    def slider(self, direction: str) -> Locator:
        """The slider of a direction, by the direction's id."""
        return self.page.locator(f".xp-sliders [data-id={direction}] input")

    def point(self) -> dict:
        """What the page holds of its point."""
        return self.page.evaluate("document.querySelector('gan-page').point")

    def draw(self) -> None:
        """Draw the point again."""
        self.page.evaluate("document.querySelector('gan-page').draw()")

    def drawn_by(self, act: Callable[[], object]) -> np.ndarray:
        """Call a function. Returns the large sample (H, W, 3) that is drawn then."""
        self.page.evaluate(LISTEN)
        act()
        return rgb(*self.page.evaluate(NEXT))

    def wait_for_sheets(self) -> None:
        """Wait until the samples and the interpolation are drawn."""
        self.page.wait_for_function(SHEETS)

    def samples(self) -> np.ndarray:
        """The sheet of samples without gaps (H, W, 3)."""
        return rgb(*self.page.evaluate(SAMPLES))

    def pixels(self) -> str:
        """What the large sample shows, as a data URL."""
        return self.canvas.evaluate("(canvas) => canvas.toDataURL()")

    def wait_for_other_pixels(self, pixels: str) -> None:
        """Wait until the large sample shows something else than this."""
        self.page.wait_for_function(OTHER, arg=pixels)

    def too_low(self) -> list[str]:
        """Buttons of the tools and of the facts that are lower than 40 pixels."""
        return lower_than(self.page.locator(".xp-tools button:visible, .xp-facts button:visible"), 40)
