"""The view Layers of the Explore tab, where units of the generator are switched off or enlarged."""

from playwright.sync_api import Page

VIEW = "document.querySelector('gan-explorer').views.views.inside"
UNITS = f"{VIEW}.units.map(({{ unit }}) => unit)"
EFFECTS = f"{VIEW}.units.map(({{ effect }}) => effect)"
LOADED = f"() => {VIEW}.units.length"
COUNT = f"(count) => {VIEW}.units.length === count"
LAYER = f"([layer, count]) => {VIEW}.layer === layer && {VIEW}.units.length === count"
PAINTED = """() => {
  const canvas = document.querySelector(".xp-inside canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value, place) => place % 4 < 3 && value > 60);
}"""


class InsideView:
    """The view Layers of a page."""

    def __init__(self, page: Page):
        self.page = page
        self.places = page.locator(".xp-units .xp-cell")  # one for each unit shown, also before it is loaded
        self.units = page.locator(".xp-units .xp-cell:not(:disabled)")  # those that can be pressed
        self.off = page.locator(".xp-units .is-off")
        self.status = page.locator(".xp-inside > [role=status]")  # how many units are shown and changed
        self.more = page.locator(".xp-more")  # shows the next units
        self.cells = page.locator(".xp-inside .xp-cell")

    def names(self) -> list[str]:
        """What a screen reader says of each unit."""
        return self.units.evaluate_all("(all) => all.map((cell) => cell.ariaLabel)")

    def numbers(self) -> list[int]:
        """The numbers of the shown units, in their order."""
        return self.page.evaluate(UNITS)

    def effects(self) -> list[float]:
        """How strongly each shown unit changes the sample, in their order."""
        return self.page.evaluate(EFFECTS)

    def wait_for_units(self) -> None:
        """Wait until the units of a layer are loaded."""
        self.page.wait_for_function(LOADED)

    def wait_for_count(self, count: int) -> None:
        """Wait until this many units are loaded."""
        self.page.wait_for_function(COUNT, arg=count)

    def wait_for_layer(self, layer: int, count: int) -> None:
        """Wait until this many units of a layer are loaded, from 0."""
        self.page.wait_for_function(LAYER, arg=[layer, count])

    def wait_for_picture(self) -> None:
        """Wait until the first sheet of the view shows something brighter than black."""
        self.page.wait_for_function(PAINTED)
