"""The list of runs of the Train tab in browser tests, and what tests do to runs beside it."""

import re
import urllib.error
import urllib.request

import psutil
from playwright.sync_api import Frame, Locator, Page

from gan.runs.store import Store
from tests.fakes.runs import state, wait_until
from tests.support.page.browsing import SLOW


class RunsList:
    """The list of runs on a page. `page` stays at hand for everything else."""

    def __init__(self, page: Page | Frame):
        self.page = page
        self.summary = page.locator(".tr-list > summary")
        self.rows = page.locator(".tr-runs li")
        self.asking = page.locator(".tr-tool.is-asking")  # a button that waits for a second press
        self.new_name = page.get_by_label("Name of the run")
        self.told = page.locator(".tr-list .tr-told")

    def open(self) -> "RunsList":
        """Unfold the list."""
        self.summary.click()
        return self

    def row(self, name: str) -> Locator:
        """The row of a run, by the run's name with or without its number."""
        named = re.compile(rf"^{re.escape(name)}( #\d+)?$")
        return self.rows.filter(has=self.page.locator("b", has_text=named))

    def tool(self, row: str | Locator, words: str) -> Locator:
        """A button of a row, by its label. row: the run's name, or the row itself."""
        found = self.row(row) if isinstance(row, str) else row
        return found.locator("button", has_text=words)


def post(address: str, path: str) -> None:
    try:
        urllib.request.urlopen(
            urllib.request.Request(f"{address}gradio_api/gan/{path}", method="POST"), timeout=SLOW / 1000
        ).close()
    except urllib.error.HTTPError as refusal:
        raise AssertionError(refusal.read().decode()) from refusal


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
