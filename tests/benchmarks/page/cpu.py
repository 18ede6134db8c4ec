"""Measure what the page costs the processor:  python -m tests.benchmarks.page.cpu

It prints seconds of one core, of the server and of the browser: for a new visitor of each tab, for ten
seconds without a visitor, and for ten seconds of watching a run. The worker does not count.
"""

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page

from tests import ROOT
from tests.benchmarks.options import at_least
from tests.support.page.browsing import READY, chromium, serve_program, spare_is_ready

SECONDS, SETTLE = 10, 10


def cores() -> dict[str, float]:
    """Return the seconds of one core that server and browser have taken so far."""
    taken = {"server": 0.0, "browser": 0.0}
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            program, *words = process.cmdline() or [""]
            who = "browser" if "chrom" in program else "server" if str(ROOT / "app.py") in words else None
            if who:
                times = process.cpu_times()
                taken[who] += times.user + times.system
    return taken


def cost(act: Callable[[], object]) -> tuple[float, float]:
    """Return what server and browser take for `act`."""
    before = cores()
    act()
    after = cores()
    return after["server"] - before["server"], after["browser"] - before["browser"]


def new_visitor(browser: Browser, address: str, tab: str) -> Page:
    """Open a tab as a visitor who was never here. Returns the page 2 s after it is ready."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{address}#tab={tab}")
    page.wait_for_selector(READY[tab])
    time.sleep(2)
    return page


def train(page: Page) -> None:
    """Train digits for 10 minutes, and wait for the first grid."""
    page.fill("gan-time input", "10")
    page.press("gan-time input", "Tab")
    page.click("#train-button")
    page.wait_for_selector(".tr-picture[src]:not([hidden])")
    time.sleep(5)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=at_least(1, int), default=3)
    times = range(parser.parse_args().times)
    rest = lambda: time.sleep(SECONDS)  # noqa: E731
    with tempfile.TemporaryDirectory() as runs, serve_program(Path(runs)) as address, chromium() as browser:
        spare_is_ready(Path(runs))
        browser.new_page().goto(address)  # the first visitor lets the server prepare what later ones find
        time.sleep(SETTLE)
        for context in browser.contexts:
            context.close()
        figures = {f"{SECONDS} s without a visitor": [cost(rest) for _ in times]}
        for tab in READY:
            costs = figures[f"a new visitor of {tab}"] = []
            for _ in times:
                costs.append(cost(lambda tab=tab: new_visitor(browser, address, tab)))
                browser.contexts[-1].close()
                time.sleep(2)  # its processes end
        page = new_visitor(browser, address, "train")
        train(page)
        figures[f"{SECONDS} s of watching a run"] = [cost(rest) for _ in times]
    for what, costs in figures.items():
        for who, seconds in zip(("server", "browser"), zip(*costs, strict=True), strict=True):
            print(
                f"{what}, {who}: median {statistics.median(seconds):.2f} s, range {min(seconds):.2f}-"
                f"{max(seconds):.2f} s, n = {len(seconds)}"
            )


if __name__ == "__main__":
    main()
