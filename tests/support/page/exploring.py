"""Open the Explore tab in browser tests, and read the pixels of its canvases."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect

from tests.support.inputs.generators import RUN
from tests.support.page.browsing import SLOW

HERE = "Generated in your browser"


def visit(page: Page, address: str, model: str = f"run:{RUN}", rest: str = "") -> None:
    """Open a model, and wait until its image is drawn."""
    page.goto(f"{address}#model={model}{rest}")
    expect(sliders(page).first).to_be_enabled()
    page.wait_for_function(
        """(model) => {
      const { point, shown } = document.querySelector("gan-explorer");
      return shown && point.model === model;
    }""",
        arg=model,
    )


@contextmanager
def opened(browser: Browser, address: str, view: str) -> Iterator[Page]:
    """Open a view at desktop size, as a new visitor."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    page = context.new_page()
    visit(page, address, rest=f"&view={view}")
    yield page
    context.close()


def here(page: Page) -> None:
    """Wait until the browser draws the images itself."""
    expect(page.locator(".xp-path [role=status]")).to_have_text(HERE)


def sliders(page: Page):
    return page.locator(".xp-sliders input[type=range]")


def bar(page: Page, name: str):
    """The slider of a direction, by the direction's id."""
    return page.locator(f'.xp-sliders [data-id="{name}"] input')


def large(page: Page) -> bytes:
    """Return the pixels of the large image."""
    return page.locator(".xp-canvas").evaluate("(canvas) => canvas.toDataURL()").encode()


def until(page: Page, condition: Callable[[], object]) -> None:
    """Let the page go on until `condition()` is true."""
    end = time.monotonic() + SLOW / 1000
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        page.wait_for_timeout(20)


def changes(page: Page, act: Callable[[], object], picture: Callable[[Page], bytes] = large) -> bytes:
    """Call `act`, and wait until the image changes. Returns the new pixels."""
    before = now = picture(page)

    def changed() -> bool:
        nonlocal now
        now = picture(page)
        return now != before

    act()
    until(page, changed)
    return now


WORDS = """async () => { window.words = await import("/gradio_api/gan/static/latent/encoding.js"); }"""
SETTLED = """() => {
  const { point, shown } = document.querySelector("gan-explorer");
  const hash = new URLSearchParams(location.hash.slice(1));
  const told = Object.entries(words.written(point)).every(([key, text]) => hash.get(key) === text);
  return told && shown && JSON.stringify(words.query(shown)) === JSON.stringify(words.query(point));
}"""


def still(page: Page) -> bytes:
    """Return the pixels of the large image, once it and the URL match the current point."""
    page.evaluate(WORDS)
    page.wait_for_function(SETTLED)
    return large(page)


def seed(page: Page) -> int:
    return int(page.get_by_label("Seed", exact=True).input_value())
