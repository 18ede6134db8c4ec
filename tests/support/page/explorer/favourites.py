"""The tray of favourites on the Explore tab."""

from playwright.sync_api import Page

DRAWN = """(count) => {
  const canvases = [...document.querySelectorAll(".xp-tray canvas")];
  return canvases.filter((canvas) => canvas.width === 28).length === count;
}"""
NTH_DRAWN = "(nth) => document.querySelectorAll('.xp-tray canvas')[nth]?.width === 28"
COUNT = "document.querySelector('gan-explorer').favourites.all.length"


class Tray:
    """The tray of favourites, and the sums beneath it."""

    def __init__(self, page: Page):
        self.page = page
        self.heart = page.locator(".xp-heart")  # keeps the current sample or drops it, in any language
        self.entries = page.locator(".xp-tray li")
        self.other_models = page.locator(".xp-tray small")  # the model of an entry, where another is open
        self.terms = page.locator(".xp-term select")

    def kept(self) -> int:
        """How many favourites the page holds."""
        return self.page.evaluate(COUNT)

    def give(self, data: bytes, name: str = "f.json") -> None:
        """Import a file."""
        self.page.locator(".xp-moving input[type=file]").set_input_files(
            {"name": name, "mimeType": "application/json", "buffer": data}
        )

    def wait_for_picture(self, nth: int) -> None:
        """Wait until the entry at `nth`, from 0, shows its sample of 28 pixels."""
        self.page.wait_for_function(NTH_DRAWN, arg=nth)

    def wait_for_pictures(self, count: int) -> None:
        """Wait until exactly `count` entries show their samples of 28 pixels."""
        self.page.wait_for_function(DRAWN, arg=count)
