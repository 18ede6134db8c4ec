"""Fingers in browser tests: what they do, and which targets are too small for them."""

from playwright.sync_api import Locator, Page

LOWER = """(all, pixels) => all
  .filter((one) => one.getClientRects().length && one.getBoundingClientRect().height < pixels)
  .map((one) => one.className)"""


def swipe(page: Page, start: tuple[float, float], end: tuple[float, float], steps: int = 10) -> None:
    """Send the touch events of a finger that goes down, moves and lifts, as the browser itself does."""
    client = page.context.new_cdp_session(page)
    for step in range(steps + 1):
        x, y = (a + (b - a) * step / steps for a, b in zip(start, end, strict=True))
        client.send(
            "Input.dispatchTouchEvent",
            {"type": "touchStart" if step == 0 else "touchMove", "touchPoints": [{"x": x, "y": y}]},
        )
        page.wait_for_timeout(20)
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def lower_than(targets: Locator, pixels: float) -> list[str]:
    """The classes of the rendered targets that are lower than this."""
    return targets.evaluate_all(LOWER, pixels)
