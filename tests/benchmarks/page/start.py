"""Measure a visitor's waiting times:  python -m tests.benchmarks.page.start

It measures each time repeatedly. The first is from `python app.py` to the first answered page. The others are
on the real page in headless Chromium. They run from the click on Train to the first visible grid, and to the
first visible loss points. The spare worker is ready then, as it is some seconds after the start.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page

from tests.benchmarks.options import at_least
from tests.support.page.browsing import chromium, serve_program

SETTLE = 15  # seconds for the spare worker to import torch
SEEN = """() => new Promise((done) => {
  const start = performance.now(), seen = {};
  document.querySelector("#train-button").click();
  const look = () => {
    const stage = document.querySelector("gan-stage"), picture = stage.querySelector(".tr-picture[src]:not([hidden])");
    const running = stage.querySelector(".tr-bar")?.dataset.state === "running";
    if (!seen.grid && running && picture?.complete && picture.naturalWidth) seen.grid = performance.now() - start;
    if (!seen.points && running && stage.charts?.losses?.x?.length) seen.points = performance.now() - start;
    if (seen.grid && seen.points) done(seen); else requestAnimationFrame(look);
  };
  look();
})"""  # noqa: E501


def click_to_first(page: Page, address: str, recipe: int) -> dict[str, float]:
    """Return the milliseconds from the click to the first grid and to the first loss points.

    `recipe` is the number of a recipe card.
    """
    page.goto(f"{address}#tab=train")
    page.reload()
    page.wait_for_selector("gan-time [aria-checked=true]")
    page.click(f"gan-recipe [role=radio] >> nth={recipe}")
    time.sleep(1)
    seen = page.evaluate(SEEN)
    page.wait_for_selector("[data-command=stop]:visible")
    page.click("[data-command=stop]")
    page.click("[data-command=stop]")
    page.wait_for_function("() => document.querySelector('.tr-bar').dataset.state === 'stopped'")
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=at_least(1, int), default=5)
    options = parser.parse_args()
    starts = []
    for _ in range(options.times):
        with tempfile.TemporaryDirectory() as runs:
            begin = time.perf_counter()
            with serve_program(Path(runs)):
                starts.append(time.perf_counter() - begin)
    print(
        (
            f"start to first page: median {statistics.median(starts):.1f} s, range "
            f"{min(starts):.1f}-{max(starts):.1f} s, n = {len(starts)}"
        ),
        flush=True,
    )
    with tempfile.TemporaryDirectory() as runs, serve_program(Path(runs)) as address, chromium() as browser:
        page = browser.new_page()
        for recipe, name in enumerate(("modern", "dcgan")):
            times = []
            for _ in range(options.times):
                time.sleep(SETTLE)
                times.append(click_to_first(page, address, recipe))
            for what in ("grid", "points"):
                ms = [each[what] for each in times]
                print(
                    (
                        f"{name}: click to first {what}: median {statistics.median(ms):.0f} ms, range "
                        f"{min(ms):.0f}-{max(ms):.0f} ms, n = {len(ms)}"
                    ),
                    flush=True,
                )


if __name__ == "__main__":
    main()
