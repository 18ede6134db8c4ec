"""Test a run whose worker hangs, in a real browser."""

import re

import psutil
import pytest
from playwright.sync_api import expect

from gan.runs.store import Store
from tests.fakes.app import impatient
from tests.fakes.runs import state, wait_until
from tests.support.page.browsing import PHONE, serve
from tests.support.page.runs_list import press_twice, stop_and_delete

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("hanging") / "runs")


@pytest.fixture(scope="module")
def address(runs):
    with serve(runs.root, change=impatient) as address:
        yield address


def test_a_hanging_run_is_told_and_ended(visit, runs):
    page = visit(**PHONE)
    page.click("#train-button")
    page.wait_for_selector(".tr-bar[data-state=running]")
    run_id = runs.list()[0]["id"]
    expect(page.locator("[data-command=end]")).to_be_hidden()
    worker = psutil.Process(runs.status(run_id)["pid"])
    worker.suspend()
    verdict = page.locator(".tr-verdict")
    expect(verdict).to_have_text(re.compile(r"^Not responding for \d+ s: the training seems to hang\."))
    expect(verdict).to_have_attribute("data-level", "warn")
    expect(page.locator(".gan-pill")).to_have_text("Not responding")
    expect(page.locator(".gan-pill")).to_have_attribute("data-state", "silent")
    expect(page.locator(".tr-facts dd").nth(1)).to_have_text("–")
    expect(page.locator(".tr-facts dd").nth(2)).to_have_text("–")
    expect(page.locator(".tr-live")).not_to_have_class(re.compile("is-live"))
    expect(page.locator(".tr-runs small").first).to_have_text("Not responding", use_inner_text=False)
    button = page.locator("[data-command=end]")
    assert button.bounding_box()["height"] >= 40
    press_twice(button)
    expect(verdict).to_have_text(
        re.compile(
            r"^The training process did not respond for \d+ s and was stopped by force\. Resume the run"
        )
    )
    assert not worker.is_running()
    page.click("[data-command=resume]")
    wait_until(lambda: state(runs, run_id) == "running")
    expect(page.locator("[data-command=end]")).to_be_hidden()
    stop_and_delete(runs, run_id)
