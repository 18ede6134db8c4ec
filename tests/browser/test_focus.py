"""Test that the focused control stays visible in windows of every size.

The panel with the button sticks to the lower edge, and must not cover it.
"""

import pytest
from playwright.sync_api import expect

from tests.fakes.app import bare
from tests.support.browsing import serve

pytestmark = pytest.mark.browser
# The focused control, and whether something covers the middle of its visible part. Hidden radio buttons have
# a visible label.
COVERED = """() => {
  const focused = document.activeElement;
  if (!focused || focused === document.body) return null;
  const seen = focused.matches(".ow-choice input") ? focused.parentElement : focused;
  const box = seen.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const top = document.elementFromPoint(x, y);
  const covered = y < 0 || y > innerHeight || !(seen.contains(top) || top?.contains(seen));
  const name = focused.ariaLabel || focused.closest("[id^=field]")?.id || focused.textContent || focused.className;
  return { name: name.slice(0, 40), covered, by: covered && (top?.id || top?.className || top?.tagName), y, form: !!focused.closest("#train-form") };
}"""  # noqa: E501


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("focus") / "runs", change=bare) as address:
        yield address


def walk(page, key):
    """Press a key until the focus has left the form. Returns the controls that had it on the way."""
    met = []
    for _ in range(90):
        page.keyboard.press(key)
        for _ in range(300):  # the list of a field without focus takes a moment to fold away
            found = page.evaluate(COVERED)
            if not found or not found["covered"]:
                break
            page.wait_for_timeout(100)
        if not found or not found["form"]:
            break
        met.append(found)
    return met


@pytest.mark.parametrize(("width", "height"), [(960, 500), (1280, 1000), (853, 600), (390, 844)])
def test_nothing_that_has_the_focus_is_covered(browser, address, width, height):
    page = browser.new_context(viewport={"width": width, "height": height}, locale="en-US").new_page()
    page.goto(f"{address}#tab=train")
    page.wait_for_selector("gan-time [aria-checked=true]")
    page.click("gan-data .tr-own")
    page.click("#train-button")  # an error message makes the panel as high as it can be
    expect(page.locator("gan-answer .tr-error")).to_contain_text("no images yet")
    page.click("#train-advanced > button")
    page.wait_for_selector("#field-seed input")
    panel = page.locator("#train-go")
    share = panel.bounding_box()["height"] / height
    sticks = panel.evaluate("(one) => getComputedStyle(one).position") == "sticky"
    assert sticks == (share <= 1 / 3 and width > 860)
    page.focus("#train-button")
    back = walk(page, "Shift+Tab")
    page.evaluate("scrollTo(0, 0)")
    page.locator("gan-data [aria-checked=true]").focus()
    forth = walk(page, "Tab")
    assert len(back) > 30 < len(forth)
    assert [one for one in back + forth if one["covered"]] == []
    # the lists of fields without focus are shut
    expect(page.locator("[role=combobox][aria-expanded=true]")).to_have_count(0)
    page.context.close()
