"""Measure the frame rate of Explore's animations and drags, and the seconds to export a loop: `python -m
tests.benchmarks.page.moving`.

It drives the page in headless Chromium on a shipped model of 28 px and one of 64 px. The browser runs both
generators itself. The table has the frame rate of the large canvas:
    while the mouse drags the pad
    while the random walk plays
    while a loop of four key frames plays at 30 frames a second

For each format it also has the seconds from Save to that loop's finished file, and the file's size. The loop
has 96 frames of about 256 pixels.
"""

import os
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.benchmarks.page.browser import MODELS
from tests.benchmarks.page.slider import options, visit
from tests.support.page.browsing import chromium, serve_program
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.explorer.loop import LoopView
from tests.support.page.explorer.walk import WalkView
from tests.support.page.moving import view

FORMS = ("gif", "webp", "mp4")
KEYS, FRAMES = 4, 24  # the loop's key frames, and the frames from each to the next


def rate(page: Page, seconds: float) -> float:
    """Count the frames a second of the large canvas, from now on."""
    Explorer(page).forget_times()
    page.wait_for_timeout(1000 * seconds)
    return Explorer(page).rate()


def dragged(page: Page, seconds: float) -> float:
    """Count the frames a second while the mouse drags the pad as fast as the browser accepts."""
    box = WalkView(page).pad.bounding_box()
    place = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    page.mouse.move(*place)
    page.mouse.down()
    Explorer(page).forget_times()
    end, turn = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        turn += 1
        page.mouse.move(place[0] + 0.4 * box["width"] * ((turn % 100) / 50 - 1), place[1])
    page.mouse.up()
    return Explorer(page).rate()


def played(page: Page, seconds: float) -> float:
    """Count the frames a second while the open view plays."""
    button = page.get_by_role("tabpanel").get_by_role("button", name="Play", exact=True)
    button.click()
    page.wait_for_timeout(500)
    found = rate(page, seconds)
    page.get_by_role("tabpanel").get_by_role("button", name="Pause", exact=True).click()
    return found


def saved(page: Page, form: str) -> tuple[float, int]:
    """Return the seconds from Save to the file, and the file's bytes."""
    page.get_by_label("File format").select_option(form)
    start = time.monotonic()
    with page.expect_download(timeout=120_000) as info:
        page.get_by_role("button", name="Save", exact=True).click()
    size = info.value.path().stat().st_size
    return time.monotonic() - start, size


def measured(page: Page, seconds: float) -> list[str]:
    """Return the cells of a row."""
    Explorer(page).record_times()
    view(page, "Walk")
    found = [dragged(page, seconds), played(page, seconds)]
    view(page, "Loop")
    for count in range(KEYS):
        page.get_by_role("button", name="Add random").click()
        expect(LoopView(page).frames).to_have_count(count + 1)
    page.get_by_label("Frames between keys").fill(str(FRAMES))
    page.get_by_label("Frames per second", exact=True).fill("30")
    found.append(played(page, seconds))
    return [f"{value:.0f}" for value in found] + [
        f"{spent:.1f} s, {size / 1000:.0f} kB" for spent, size in (saved(page, form) for form in FORMS)
    ]


def main() -> None:
    """Measure, and print the table."""
    args = options(__doc__)
    print(
        f"| generator | pad | walk | loop | {' | '.join(FORMS)} | load |\n|---|---|---|---|---|---|---|---|"
    )
    with (
        tempfile.TemporaryDirectory() as temporary,
        chromium() as browser,
        serve_program(Path(temporary) / "runs") as address,
    ):
        for size, name in MODELS.items():
            page = browser.new_page(viewport={"width": 1440, "height": 900}, accept_downloads=True)
            visit(page, address, f"shipped:{name}")
            Explorer(page).drawn_here.wait_for(timeout=60000)
            print(
                f"| {size} | {' | '.join(measured(page, args.seconds))} | {os.getloadavg()[0]:.1f} |",
                flush=True,
            )
            page.close()


if __name__ == "__main__":
    main()
