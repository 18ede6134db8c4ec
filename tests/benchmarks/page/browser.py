"""Measure how fast the browser, the server and a stock Gradio page draw a moved slider's sample: `python -m
tests.benchmarks.page.browser`.

It drives three pages in headless Chromium, one after the other: Explore, Explore without WebAssembly, and
gr.Slider beside gr.Image (stock.py). Without WebAssembly the server draws. Each page shows a shipped model of
28 px and one of 64 px.

The table has the time from a slider's input event to the drawn sample, one movement at a time. It also has
the samples a second of a drag at 60 Hz, and the load of the machine. Only the rows of one run are comparable.
"""

import os
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from tests.benchmarks.page import stock
from tests.benchmarks.page.slider import EXPLORE, NO_WASM, measure, options, visit
from tests.support.page.browsing import chromium, serve_program
from tests.support.page.explorer.explorer import Explorer

MODELS = {"28x28 grey": "digits", "64x64 colour": "landscapes"}


def explored(
    browser: Browser, address: str, name: str, count: int, seconds: float, here: bool
) -> tuple[float, float, float]:
    """Measure Explore, where the browser (`here`) or the server draws."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    if not here:
        page.add_init_script(NO_WASM)
    visit(page, address, f"shipped:{name}")
    if here:
        Explorer(page).drawn_here.wait_for(timeout=60000)
    measured = measure(page, count, seconds, EXPLORE)
    page.close()
    return measured


def stocked(
    browser: Browser, runs: Path, name: str, count: int, seconds: float
) -> tuple[float, float, float]:
    """Measure the stock page."""
    with serve_program(runs, "--model", name, program=("-m", stock.__name__)) as address:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(address)
        page.wait_for_selector(stock.SLIDER, timeout=60000)
        page.evaluate(stock.TELL)
        measured = measure(page, count, seconds, ("body", stock.SLIDER))
        page.close()
    return measured


def main() -> None:
    """Measure, and print the table."""
    args = options(__doc__)
    print(
        "| generator | drawn by | median ms | p95 ms | drag, pictures/s | load |\n|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as temporary, chromium() as browser:
        runs = Path(temporary) / "runs"
        for size, name in MODELS.items():
            with serve_program(runs) as address:
                tell(size, "browser", explored(browser, address, name, args.count, args.seconds, here=True))
                tell(size, "server", explored(browser, address, name, args.count, args.seconds, here=False))
            tell(size, "gr.Slider + gr.Image", stocked(browser, runs, name, args.count, args.seconds))


def tell(size: str, renderer: str, measured: tuple[float, float, float]) -> None:
    """Print a row."""
    median, late, fps = measured
    print(
        f"| {size} | {renderer} | {median:.1f} | {late:.1f} | {fps:.0f} | {os.getloadavg()[0]:.1f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
