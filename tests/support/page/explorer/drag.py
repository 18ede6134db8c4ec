"""The view Drag of the Explore tab, whose arrows on the large picture say which points shall go where."""

from playwright.sync_api import Locator, Page, expect

from tests.support.page.touch import lower_than

VIEW = "document.querySelector('gan-explorer').views.views.drag"
PAIRS = f"{VIEW}.arrows.pairs"
STATE = f"{VIEW}.state"


class DragView:
    """The view Drag of a page. Its arrows are drawn with the hands on `Picture`."""

    def __init__(self, page: Page):
        self.page = page
        self.view = page.locator(".xp-drag")
        self.status = self.view.locator(".xp-status")  # how the drag goes, and how it ended
        self.progress = self.view.locator("progress")
        self.lines = self.view.locator("li")  # what is said of each point
        self.example = self.view.locator(".xp-example")  # shown while there is no arrow
        self.overlay = page.locator(".xp-arrows")  # the arrows over the picture
        self.points = self.overlay.locator("circle")  # where dragged points are now
        self.pins = self.overlay.locator("rect")

    def button(self, name: str) -> Locator:
        """A button of the view, by its name."""
        return self.view.get_by_role("button", name=name, exact=True)

    def pairs(self) -> list[dict]:
        """What the page holds of each point.

        start, now, end: fractions of the picture's sides. stays: whether the point is pinned.
        """
        return self.page.evaluate(PAIRS)

    def outcome(self) -> str:
        """What the view says once the drag is over."""
        expect(self.progress).to_be_hidden()
        expect(self.status).not_to_be_empty()
        return self.status.inner_text()

    def result(self) -> dict:
        """The server's last answer."""
        return self.page.evaluate(STATE)

    def too_low(self) -> list[str]:
        """Buttons that are lower than 40 pixels."""
        return lower_than(self.view.locator("button:not(.xp-help)"), 39.5)
