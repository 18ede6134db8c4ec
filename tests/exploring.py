"""What the browser tests of the Explore tab share: going there, and reading what its canvases show."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import SLOW
from tests.generators import RUN


def visit(page: Page, address: str, model: str = f"run:{RUN}", rest: str = "") -> None:
    """Go to a model, and wait until its own picture is drawn."""
    page.goto(f"{address}#model={model}{rest}")
    expect(sliders(page).first).to_be_enabled(timeout=SLOW)
    page.wait_for_function("""(model) => {
      const { point, shown } = document.querySelector("gan-explorer");
      return shown && point.model === model;
    }""", arg=model, timeout=SLOW)


def sliders(page: Page):
    return page.locator(".xp-sliders input[type=range]")


def large(page: Page) -> bytes:
    """The pixels of the large picture."""
    return page.locator(".xp-canvas").evaluate("(canvas) => canvas.toDataURL()").encode()


def changes(page: Page, act: Callable[[], object], picture: Callable[[Page], bytes] = large) -> bytes:
    """Do something, and wait until the picture is another one."""
    before = picture(page)
    act()
    for _ in range(100):
        now = picture(page)
        if now != before:
            return now
        page.wait_for_timeout(50)
    pytest.fail("the picture stayed as it was")


def sheet(page: Page, place: str) -> bytes:
    """The pixels of a sheet, as the screen has them."""
    return page.locator(f".{place} .xp-mosaic canvas").evaluate("(c) => c.toDataURL()").encode()


def seed(page: Page) -> int:
    return int(page.get_by_label("Seed", exact=True).input_value())
