"""The view Loop of the Explore tab."""

from playwright.sync_api import Page, expect

from tests.support.page.moving import view

KEYS = "document.querySelector('gan-explorer').views.views.loop.keys"


class LoopView:
    """The view Loop of a page."""

    def __init__(self, page: Page):
        self.page = page
        self.frames = page.locator(".xp-key")
        self.add_random = page.locator(".xp-moving .xp-row button").nth(2)  # in any language

    def key(self, nth: int):
        """The key frame at `nth`, from 0."""
        return self.frames.nth(nth)

    def key_frames(self) -> list[dict]:
        """What the page holds of each key frame."""
        return self.page.evaluate(KEYS)

    def add_three(self) -> None:
        """Open the view, and add the current sample and two random ones."""
        view(self.page, "Loop")
        self.page.get_by_role("button", name="Add this sample").click()
        for _ in range(2):
            self.page.get_by_role("button", name="Add random").click()
        expect(self.frames).to_have_count(3)
