"""The view Match of the Explore tab, which finds a drawn or chosen picture."""

import base64
import io

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.support.page.touch import lower_than

VIEW = "document.querySelector('gan-explorer').views.views.find"
BYTES = f"{VIEW}.pad.blob().then((blob) => blob.size)"
STATE = f"{VIEW}.state"
SEARCHES = "document.querySelector('.xp-status').textContent.startsWith('Step')"


class FindView:
    """The view Match of a page: a pad to draw on, the search, and what it found."""

    def __init__(self, page: Page):
        self.page = page
        self.view = page.locator(".xp-find")
        self.pad = page.locator(".xp-sketch")
        self.colour = self.view.locator("input[type=color]")  # of the brush, for a model with colours
        self.progress = self.view.locator("progress")
        self.status = page.locator(".xp-status")  # how the search goes, and how it ended
        self.target = page.locator(".xp-target")  # the picture that was looked for
        self.curve = page.locator(".xp-curve")  # the distance at each step

    def button(self, name: str) -> Locator:
        """A button of the view, by its name."""
        return self.view.get_by_role("button", name=name, exact=True)

    def pixels(self) -> np.ndarray:
        """The pixels of the pad (H, W, 3), in 0..255."""
        picture = self.pad.evaluate("(c) => c.toDataURL()")
        data = base64.b64decode(picture.split(",")[1])
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)

    def draw(self) -> None:
        """Draw a line over the pad with the mouse."""
        self.pad.scroll_into_view_if_needed()
        box = self.pad.bounding_box()
        assert box, "it is hidden"
        places = [
            (box["x"] + part * box["width"], box["y"] + part * box["height"]) for part in (0.25, 0.5, 0.75)
        ]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place)
        self.page.mouse.up()

    def dot(self) -> None:
        """Draw a dot, always at the same place."""
        self.pad.click(position={"x": 60, "y": 60})

    def give(self, name: str, data: bytes) -> None:
        """Choose a file, with the type of a PNG."""
        self.view.locator("input[type=file]").set_input_files(
            {"name": name, "mimeType": "image/png", "buffer": data}
        )

    def bytes_to_send(self) -> int:
        """The size of the picture as the page would send it."""
        return self.page.evaluate(BYTES)

    def wait_for_search(self) -> None:
        """Wait until the view tells a step of the search."""
        self.page.wait_for_function(SEARCHES)

    def outcome(self) -> str:
        """What the view says once the search is over."""
        expect(self.progress).to_be_hidden()
        return self.status.inner_text()

    def found(self) -> dict:
        """The server's last answer."""
        return self.page.evaluate(STATE)

    def too_low(self) -> list[str]:
        """Buttons that are lower than 40 pixels."""
        return lower_than(self.view.locator("button:not(.xp-help)"), 39.5)
