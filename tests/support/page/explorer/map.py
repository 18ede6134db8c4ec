"""The view Map of the Explore tab."""

from playwright.sync_api import Page, expect

VIEW = "document.querySelector('gan-explorer').views.views.map"
READY = "document.querySelector('gan-explorer')?.views.views.map"  # for waits: there may be no map yet
WHOLE = f"() => {READY}?.samples?.count === 2048"
COARSE = f"() => {READY}?.sheet"
ZOOM = f"{VIEW}.plane.zoom"
ZOOMED = f"(zoom) => {READY}?.plane.zoom > zoom"
DEEPEST = f"() => {READY}?.plane.zoom === 64 && {READY}.plane.finest"
LEFT = f"{VIEW}.plane.x"
SIDES = f"{VIEW}.drawn.map(({{ side }}) => side)"
LABELS = f"{VIEW}.samples.labels"
VERSION = f"{VIEW}.version"
RENEWED = f"(before) => {{ const map = {READY}; return map && map.version !== before; }}"
SHOWN = f"""() => {{
  const {{ shown, plane, canvas }} = {VIEW};
  const box = canvas.getBoundingClientRect();
  return [...shown.values()].map(({{ index, column, row }}) => {{
    const [u, v] = plane.toCanvas((column + 0.5) / plane.cells, (row + 0.5) / plane.cells);
    return {{ index, x: box.left + u * box.width, y: box.top + v * box.height, u, v }};
  }});
}}"""


class MapView:
    """The map of a page."""

    def __init__(self, page: Page):
        self.page = page
        self.status = page.locator(".xp-map [role=status]")  # how many samples are in sight
        self.spoken = page.locator(".xp-map [aria-live]")  # what a screen reader says of the point
        self.canvas = page.locator(".xp-plane canvas")
        self.classes = page.locator(".xp-legend button")
        self.controls = page.locator(".xp-map button:not(.xp-help), .xp-map select")

    def whole(self) -> None:
        """Wait until all samples are there, in the best layout."""
        self.page.wait_for_function(WHOLE)
        expect(self.status).to_contain_text("2,048")
        self.page.wait_for_timeout(700)

    def wait_for_picture(self) -> None:
        """Wait until the map has something to draw."""
        self.page.wait_for_function(COARSE)

    def shown(self) -> list[dict]:
        """The drawn samples.

        index: the seed. x, y: the place in the window, in pixels. u, v: the place on the canvas, in 0..1
        where it is in sight.
        """
        return self.page.evaluate(SHOWN)

    def pixels(self) -> str:
        """What the canvas shows, as a data URL."""
        return self.canvas.evaluate("(canvas) => canvas.toDataURL()")

    def middle(self) -> tuple[float, float]:
        """The middle of the canvas in the window, in pixels."""
        box = self.canvas.bounding_box()
        assert box, "it is hidden"
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def zoom(self) -> float:
        """How far the map is zoomed in. 1 is the whole map."""
        return self.page.evaluate(ZOOM)

    def left(self) -> float:
        """Where the part in sight begins on the map, from the left."""
        return self.page.evaluate(LEFT)

    def wait_for_zoom_over(self, zoom: float) -> None:
        """Wait until the map is zoomed in further than this."""
        self.page.wait_for_function(ZOOMED, arg=zoom)

    def wait_for_deepest(self) -> None:
        """Wait until the map is zoomed in as far as it goes, on its finest level."""
        self.page.wait_for_function(DEEPEST)

    def sides(self) -> list[float]:
        """The side of each drawn picture, in pixels."""
        return self.page.evaluate(SIDES)

    def labels(self) -> list[int]:
        """The class of each sample, by its seed."""
        return self.page.evaluate(LABELS)

    def version(self) -> str:
        """The version of the weights that the map shows."""
        return self.page.evaluate(VERSION)

    def wait_for_newer(self, version: str) -> None:
        """Wait until the map shows another version than this."""
        self.page.wait_for_function(RENEWED, arg=version)
