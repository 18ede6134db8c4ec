"""The view Timeline of the Explore tab, which shows a point through the snapshots of a run."""

from playwright.sync_api import Page

from tests.support.page.explorer.explorer import Explorer
from tests.support.page.touch import lower_than

SETTLED = """() => {
  const view = document.querySelector("gan-explorer").views.views.time;
  const drawn = (sheet) => sheet.drawn && sheet.drawn === JSON.stringify(sheet.query());
  return view?.mosaic && view.sheets().every(drawn);
}"""
AMOUNT = "(text) => document.querySelector('.xp-scrub .xp-value').textContent === text"
FILM = "(pixels) => document.querySelector('.xp-time .xp-canvas').toDataURL() !== pixels"


class TimeView:
    """The view Timeline of a page: a film of the snapshots, and a grid of them."""

    def __init__(self, page: Page):
        self.page = page
        self.view = page.locator(".xp-time")
        self.canvas = self.view.locator(".xp-canvas")
        self.grid = page.locator(".xp-past")
        self.moments = page.locator(".xp-down span")  # the images seen, beside each row of the grid
        self.axes = page.locator(".xp-grid > p")  # the titles of both axes of the grid
        self.nothing = page.locator(".xp-nothing")  # what is said where there are no snapshots

    def watch(self, model: str) -> None:
        """Open the view of a model by its address, and wait for the large image. model: such as run:NAME."""
        self.page.evaluate(f"location.hash = 'model={model}&view=time'")
        Explorer(self.page).wait_for_image_of(model)

    def settled(self) -> None:
        """Wait until film and grid are drawn."""
        self.page.wait_for_function(SETTLED)

    def film(self) -> bytes:
        """What the film shows, as a data URL."""
        return self.canvas.evaluate("(canvas) => canvas.toDataURL()").encode()

    def wait_for_other_film(self, pixels: bytes) -> None:
        """Wait until the film shows something else than this, which `film` returned."""
        self.page.wait_for_function(FILM, arg=pixels.decode())

    def wait_for_amount(self, text: str) -> None:
        """Wait until this stands beside the slider."""
        self.page.wait_for_function(AMOUNT, arg=text)

    def too_low(self) -> list[str]:
        """Buttons that are lower than 40 pixels, beside the samples."""
        return lower_than(self.view.locator("button:visible:not(.xp-cell, .xp-help)"), 40)
