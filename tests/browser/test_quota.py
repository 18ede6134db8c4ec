"""Test the page with a full quota in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from gan.runs.store import Store
from tests.fakes.app import bare
from tests.fakes.runs import tiny
from tests.support.page.browsing import serve
from tests.support.page.runs_list import RunsList

pytestmark = pytest.mark.browser


def test_a_full_quota_is_told_beside_the_button_and_below_the_list(browser, tmp_path):
    runs = Store(tmp_path / "runs")
    run_id = runs.create(tiny())
    runs.update_status(run_id, state="finished")
    (runs.path(run_id) / "large").write_bytes(bytes(200_000))
    with serve(runs.root, "--quota", "0.0001", change=bare) as address:
        page = browser.new_context(locale="en-US").new_page()
        page.goto(f"{address}#tab=train")
        page.click("#train-button")
        expect(page.locator("gan-answer .tr-error")).to_have_text(
            re.compile(r"^The runs take 0\.0002\d* GB of the 0\.0001 GB that they may\. Delete some")
        )
        RunsList(page).open()
        expect(page.locator(".tr-storage.is-full")).to_have_text(re.compile(r"^20\d kB of 100 kB used$"))
        page.close()
