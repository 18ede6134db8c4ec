"""Test that the focused control stays visible in windows of every size.

The panel with the button sticks to the lower edge, and must not cover it.
"""

import pytest
from playwright.sync_api import expect

from tests.support.page.train_form import TrainForm

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
def runs(runs_folder):
    """No runs, because nothing is trained."""
    return runs_folder


@pytest.fixture(scope="module")
def page(browser, address):
    """The form with open settings, and with an error message that makes the panel as high as it can be."""
    page = browser.new_context(locale="en-US").new_page()
    form = TrainForm(page).visit(address).choose_own()
    page.click("#train-button")
    expect(form.answer).to_contain_text("no images yet")
    form.open_settings()
    yield page
    page.context.close()


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
def test_nothing_that_has_the_focus_is_covered(page, width, height):
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("() => new Promise(requestAnimationFrame)")
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
