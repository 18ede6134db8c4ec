"""The form of the Train tab in browser tests."""

import io
import json
import urllib.request
import zipfile

from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.page.touch import lower_than

FRAMES = """() => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50)));
})"""
HEIC = b"\0\0\0\x18ftypheic" + bytes(80)  # the head of an image that nothing here can read


class TrainForm:
    """The form on a page. `page` stays at hand for everything else."""

    def __init__(self, page: Page):
        self.page = page
        self.found = page.locator("gan-own .ow-found")  # what the server says of somebody's own images
        self.count = page.locator("gan-own .ow-count")
        self.zone = page.locator("gan-own .ow-zone")
        self.refusal = page.locator("gan-own .tr-error")
        self.answer = page.locator("gan-answer .tr-error")

    def visit(self, address: str) -> "TrainForm":
        """Open the Train tab, and wait until its form can be used."""
        self.page.goto(f"{address}#tab=train")
        self.page.wait_for_selector("gan-time [aria-checked=true]")
        return self

    def choose_own(self) -> "TrainForm":
        """Choose own images as the data set."""
        self.page.click("gan-data .tr-own")
        expect(self.page.locator("gan-own .ow-limits")).not_to_be_empty()
        return self

    def add(self, *files: tuple[str, bytes]) -> None:
        """Choose own images (name, content)."""
        self.page.set_input_files(
            "gan-own input[type=file]",
            [
                {"name": name, "mimeType": "application/octet-stream", "buffer": content}
                for name, content in files
            ],
        )

    def remove(self) -> None:
        """Take the own images out again."""
        self.page.click("gan-own .ow-row .ow-tool >> nth=1")
        expect(self.zone).to_be_visible()

    def open_settings(self) -> None:
        """Open the advanced settings, unless they are open.

        Gradio sets the fields again one frame after they appear. No person types that early.
        """
        seed = self.page.locator("[id^=field-][id$=seed] input:visible")
        if not seed.count():
            self.page.click("#train-advanced > button")
        seed.wait_for()
        self.page.evaluate(FRAMES)

    def field(self, name: str):
        """The input of a setting. Those of points begin with `points-`."""
        return self.page.locator(f"#field-{name} input")

    def set(self, name: str, value: object) -> None:
        """Type a setting, and leave its field."""
        self.field(name).fill(str(value))
        self.field(name).press("Tab")

    def too_low(self) -> list[str]:
        """Buttons of the tab and of the header that are lower than 32 pixels.

        A "?" looks small, but takes touches 10 pixels around it.
        """
        return lower_than(self.page.locator("#train button:not(.xp-help), gan-header button"), 32)

    def press_train(self) -> dict:
        """Press Train. Returns the server's answer."""
        with self.page.expect_response("**/gradio_api/gan/runs") as answer:
            self.page.click("#train-button")
        return answer.value.json()

    def train_and_stop(self) -> dict:
        """Press Train, and stop the run. Returns its settings."""
        return self.stopped(self.press_train())

    def stopped(self, run: dict) -> dict:
        """Stop the run of an answer. Returns its settings."""
        address = self.page.url.split("#")[0]
        poll = f"{address}gradio_api/gan/poll?run={run['run']}"
        with urllib.request.urlopen(poll, timeout=60) as reply:
            config = json.load(reply)["run"]["config"]
        self.page.request.post(f"{address}gradio_api/gan/runs/{run['run']}/stop")
        return config


def picture(number: int, mode: str = "RGB", side: int = 24) -> bytes:
    """A PNG file of one colour."""
    colours = {"L": number, "RGB": (number, 90, 40), "RGBA": (number, 90, 40, 99)}
    out = io.BytesIO()
    Image.new(mode, (side, side), colours[mode]).save(out, "PNG")
    return out.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def pets(each: int = 8, **more: bytes) -> bytes:
    """A zip with images of two classes, and more members."""
    images = {
        f"{name}/{n}.png": picture(20 * n + at) for at, name in enumerate(("cat", "dog")) for n in range(each)
    }
    return zipped({**images, **more})


def loose(count: int) -> list[tuple[str, bytes]]:
    return [(f"photo {n}.png", picture(9 * n)) for n in range(count)]
