"""Test a page whose server is overloaded for a moment: it asks again, and shows no error."""

import json

import pytest
from playwright.sync_api import expect

from gan.errors import UserError
from gan.ui.server.http import refusal

pytestmark = pytest.mark.browser
BUSY = json.loads(refusal(UserError("ui.busy")).body)


@pytest.fixture(scope="module")
def runs(runs_folder):
    """No runs, because the shipped models are enough."""
    return runs_folder


@pytest.fixture
def busy(browser, address):
    """Open a tab of a page whose server is busy at the first two requests to a path.

    Returns the page, and the list of those requests.
    """
    contexts = []

    def visit(tab: str, path: str):
        context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
        contexts.append(context)
        page, asked = context.new_page(), []

        def answer(route):
            asked.append(route.request.url)
            if len(asked) <= 2:
                route.fulfill(status=503, json=BUSY)
            else:
                route.continue_()

        page.route(f"**/gradio_api/gan/{path}?*", answer)
        page.goto(f"{address}#tab={tab}")
        return page, asked

    yield visit
    for context in contexts:
        context.close()


def test_the_cost_is_asked_for_again(busy):
    page, asked = busy("train", "cost")
    expect(page.locator("gan-cost p").first).not_to_be_empty()
    expect(page.locator("gan-cost.is-refused")).to_have_count(0)
    assert len(asked) == 3


def test_the_picture_is_asked_for_again(busy):
    page, asked = busy("explore", "image")
    expect(page.locator(".xp-sliders input[type=range]").first).to_be_enabled()
    page.wait_for_function("() => document.querySelector('gan-explorer').shown")
    expect(page.locator(".xp-note")).to_be_hidden()
    assert len(asked) >= 3


COUNT = """
window.frames_asked = 0;
const request = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (callback) => { window.frames_asked += 1; return request(callback); };
"""


def test_a_page_that_rests_asks_for_no_frames(browser, address):
    """Gradio's loading indicator would ask for 60 a second, for ever."""
    with browser.new_context(locale="en-US") as context:
        context.add_init_script(COUNT)
        page = context.new_page()
        page.goto(f"{address}#tab=train")
        expect(page.locator("gan-cost p").first).not_to_be_empty()
        page.wait_for_function(
            "() => { const n = frames_asked; frames_asked = 0; return n < 5; }", polling=1000
        )
