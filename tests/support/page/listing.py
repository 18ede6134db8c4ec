"""Actions of browser tests in the run list of the Train tab."""

import re
import urllib.error
import urllib.request

import psutil
from playwright.sync_api import Page

from gan.runs.store import Store
from tests.fakes.runs import state, wait_until
from tests.support.page.browsing import SLOW


def post(address: str, path: str) -> None:
    try:
        urllib.request.urlopen(
            urllib.request.Request(f"{address}gradio_api/gan/{path}", method="POST"), timeout=SLOW / 1000
        ).close()
    except urllib.error.HTTPError as refusal:
        raise AssertionError(refusal.read().decode()) from refusal


def open_list(page: Page) -> None:
    page.click(".tr-list > summary")


def row(page: Page, name: str):
    """The row of a run in the list, by the run's name with or without its number."""
    named = re.compile(rf"^{re.escape(name)}( #\d+)?$")
    return page.locator(".tr-runs li", has=page.locator("b", has_text=named))


def tool(where, words: str):
    """A button of a row, by its label."""
    return where.locator("button", has_text=words)


def press_twice(button) -> None:
    """Press twice at once, because the confirmation lasts a few seconds only."""
    button.evaluate("(button) => { button.click(); button.click(); }")


def stop_and_delete(runs: Store, run_id: str) -> None:
    """Stop a run, and delete all runs."""
    runs.send(run_id, "stop")
    wait_until(lambda: state(runs, run_id) == "stopped")
    wait_until(lambda: not psutil.pid_exists(runs.status(run_id)["pid"] or 0))
    for run in runs.list():
        runs.hide(run["id"])
    runs.sweep()
