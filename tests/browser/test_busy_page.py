"""Test a page whose server is overloaded for a moment: it asks again, and shows no error."""

import json
import re

import pytest
from playwright.sync_api import expect

from gan.errors import UserError
from gan.runs.store import Store
from gan.ui.server.requests.http import refusal
from tests.fakes.runs import past, tiny
from tests.support.inputs.parcels import write_state
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.explorer.panels.models import ModelPanel

pytestmark = pytest.mark.browser
BUSY = json.loads(refusal(UserError("ui.busy")).body)


@pytest.fixture(scope="module")
def runs(runs_folder):
    """One paused run."""
    past(Store(runs_folder), tiny(), write_state, state="paused", step=3, images=24)
    return runs_folder


@pytest.fixture
def busy(browser, address):
    """Open a tab of a page whose server is busy at the first two requests to a path (a pattern).

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

        page.route(re.compile(rf"/gradio_api/gan/{path}(\?.*)?$"), answer)
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
    expect(Explorer(page).sliders.first).to_be_enabled()
    Explorer(page).ready()
    expect(Explorer(page).note).to_be_hidden()
    assert len(asked) >= 3


WAITS = "The server is busy. Waiting…"


def test_a_download_and_what_is_added_wait_for_their_turn(busy, tmp_path):
    """A whole run leaves one page, and comes back at another."""
    page, asked = busy("train", "runs/[^/]+/file")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download this run").click()
        expect(page.get_by_role("button", name=WAITS)).to_be_disabled()
    download.value.save_as(tmp_path / "run.zip")
    expect(page.get_by_role("button", name="Download this run")).to_be_enabled()
    assert len(asked) == 3
    page, asked = busy("train", "runs/arrive")
    page.get_by_text("Runs (1)").click()
    page.get_by_label("Add a run from a file").set_input_files(tmp_path / "run.zip")
    expect(page.get_by_role("button", name=WAITS)).to_be_disabled()
    expect(page.get_by_text("Added. It arrived as it was.")).to_be_visible()
    assert len(asked) == 3


def test_a_pull_and_an_export_wait_for_their_turn(busy):
    page, asked = busy("explore", "pull")
    page.get_by_role("button", name="Hub", exact=True).click()
    page.get_by_label("Model on the Hugging Face Hub").fill("ada/digits")
    page.get_by_role("button", name="Pull").click()
    expect(ModelPanel(page).pull.get_by_role("button", name=WAITS)).to_be_disabled()
    expect(Explorer(page).note).to_contain_text("The Hub")  # there is no such model
    assert len(asked) == 3
    page, asked = busy("explore", "take/onnx")
    with page.expect_download():
        page.get_by_role("button", name="ONNX", exact=True).click()
        expect(ModelPanel(page).take.get_by_role("button", name=WAITS)).to_be_disabled()
    assert len(asked) == 3


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
