"""The sheets of samples of the Explore tab: one sample a cell, and a button on each."""

import numpy as np
from playwright.sync_api import Page

UNLOCKED = "(place) => !document.querySelector(`${place} .is-locked`)"
DRAWN_HERE = """(name) => {
  const { sheet } = document.querySelector("gan-explorer")[name];
  return sheet.drawn === JSON.stringify(sheet.query()) && sheet.bitmap instanceof HTMLCanvasElement;
}"""
AT_OWN_Z = """() => {
  const { interpolation, point } = document.querySelector("gan-explorer");
  const { sheet } = interpolation, wanted = sheet.query();
  return point.at && sheet.drawn === JSON.stringify(wanted) && wanted.at === point.at;
}"""
BITMAP = """async (name) => {
  const { address } = await import("/gradio_api/gan/static/core/api.js");
  const { bitmap, path, query } = document.querySelector("gan-explorer")[name].sheet;
  const { data } = bitmap.getContext("2d").getImageData(0, 0, bitmap.width, bitmap.height);
  return [bitmap.width, Array.from(data), address(path, query())];
}"""


class Sheet:
    """A sheet of a page."""

    PLACE = NAME = ""

    def __init__(self, page: Page):
        self.page = page
        self.panel = page.locator(self.PLACE)
        self.cells = self.panel.locator(".xp-cell")
        self.current = self.panel.locator("[aria-current=true]")  # the cell of the current point

    def wait_for_samples(self) -> None:
        """Wait until its cells can be pressed."""
        self.page.wait_for_function(UNLOCKED, arg=self.PLACE)

    def pixels(self) -> bytes:
        """What it shows, as a data URL."""
        return self.panel.locator(".xp-mosaic canvas").evaluate("(c) => c.toDataURL()").encode()

    def wait_until_drawn_here(self) -> None:
        """Wait until the browser has drawn the sheet of the current point."""
        self.page.wait_for_function(DRAWN_HERE, arg=self.NAME)

    def drawn_and_source(self) -> tuple[np.ndarray, str]:
        """The drawn samples without gaps (H, W, 3), and the server's URL of the same sheet."""
        width, pixels, url = self.page.evaluate(BITMAP, self.NAME)
        return np.array(pixels).reshape(-1, width, 4)[:, :, :3], url


class Samples(Sheet):
    """The samples of consecutive seeds."""

    PLACE, NAME = ".xp-wall", "samples"


class Neighbours(Sheet):
    """The samples around the point, along two directions."""

    PLACE, NAME = ".xp-near", "neighbours"

    def show(self) -> None:
        """Scroll to the sheet, which is drawn only in sight."""
        self.panel.scroll_into_view_if_needed()


class Interpolation(Sheet):
    """The strip of samples from the point to another seed."""

    PLACE, NAME = ".xp-way", "interpolation"

    def wait_until_it_begins_at_own_z(self) -> None:
        """Wait until the point spells out its z, and the strip from there is drawn."""
        self.page.wait_for_function(AT_OWN_Z)
