"""Take the pictures of the page that the README shows:  python .github/pictures.py

The script starts the app in an empty folder, trains two runs, and writes to .github/:
    demo.webp      a film: sliders change a face, then a run learns digits
    explore.webp   the Explore tab
    train.webp     the Train tab with the run that learned digits
    points.webp    the Train tab with a run on points
    phone.webp     both tabs on a phone, side by side
It needs the packages of the extra `test` and Chromium. It takes 4 minutes on two quiet cores.
"""

import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from tests.support.page.browsing import PHONE, SLOW, chromium, serve  # noqa: E402

DESKTOP = {"viewport": {"width": 1280, "height": 800}, "locale": "en-US"}
FILM_WIDTH = 800  # pixels
FRAME_SECONDS = 0.12
LAST_SECONDS = 1.5  # that the film shows its last frame
MOST_BYTES = 1_500_000
MOVE = """(input, value) => {
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}"""
FACE = "#model=shipped:faces&seed=11"


def main() -> None:
    """Write all pictures."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "runs") as address,
        chromium() as browser,
    ):
        page = opened(browser, **DESKTOP)
        frames = [*moving_sliders(page, address)]
        save("explore", picture(page))
        frames += learning(page, address, "digits", "Digits", seconds=75)
        save("train", picture(page))
        learning(page, address, "grid25", "25 Gaussians", seconds=60)
        save("points", picture(page))
        save("phone", beside(*on_a_phone(browser, address)))
    save_film(frames)


def opened(browser: Browser, **options: object) -> Page:
    """Return a new visitor's page."""
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(4 * SLOW)
    return page


def picture(page: Page) -> Image.Image:
    """Return what the page shows."""
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def moving_sliders(page: Page, address: str) -> Iterator[Image.Image]:
    """Open a face, drag its first two sliders there and back, and yield a frame for each position."""
    page.goto(address + FACE)
    page.wait_for_function("() => document.querySelector('gan-explorer')?.shown")
    page.wait_for_timeout(8_000)  # until the browser draws by itself
    for slider in page.locator(".xp-sliders input[type=range]").all()[:2]:
        for value in (0.5, 1, 1.5, 2, 2.5, 2, 1, 0, -1, -2, -1.5, -1):
            slider.evaluate(MOVE, value)
            page.wait_for_timeout(150)
            yield picture(page)


def learning(page: Page, address: str, data: str, title: str, seconds: float) -> list[Image.Image]:
    """Train on a data set, and return a frame for every new sheet, at most 40."""
    page.goto("about:blank")
    page.goto(f"{address}#tab=train")
    page.wait_for_selector("gan-time input")  # a form that returns may have another time than those offered
    if data == "grid25":
        page.click("text=Points in the plane")
    page.locator("gan-data").get_by_role("radio", name=title).click()
    page.fill("gan-time input", f"{seconds / 60:g}")
    page.press("gan-time input", "Tab")
    page.click("#train-button")
    page.wait_for_function(f"() => document.querySelector('.tr-title').textContent.startsWith('{title}')")
    frames: dict[str, Image.Image] = {}
    while page.locator(".tr-bar").get_attribute("data-state") != "finished":
        sheets = page.locator(".tr-picture:not([hidden])")
        if sheets.count():
            frames[sheets.first.get_attribute("src") or ""] = picture(page)
        page.wait_for_timeout(200)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(1_000)
    frames["last"] = picture(page)
    every = max(1, len(frames) // 40)
    return [*frames.values()][::-every][::-1]


def on_a_phone(browser: Browser, address: str) -> Iterator[Image.Image]:
    """Yield the Explore tab and the Train tab as a phone shows them, in the dark theme."""
    for place in (FACE, "#tab=train"):
        page = opened(browser, **PHONE, locale="en-US", color_scheme="dark")
        page.goto(address + place)
        page.wait_for_timeout(8_000)
        yield picture(page)


def beside(*pictures: Image.Image) -> Image.Image:
    """Return pictures of the same size side by side."""
    width, height, gap = pictures[0].width, pictures[0].height, 24
    sheet = Image.new("RGB", (len(pictures) * (width + gap) - gap, height), "white")
    for place, one in enumerate(pictures):
        sheet.paste(one, (place * (width + gap), 0))
    return sheet


def save(name: str, image: Image.Image) -> None:
    """Write a picture."""
    image.save(HERE / f"{name}.webp", quality=80, method=6)
    checked(HERE / f"{name}.webp")


def save_film(frames: list[Image.Image]) -> None:
    """Write the film, FILM_WIDTH wide."""
    height = round(frames[0].height * FILM_WIDTH / frames[0].width)
    small = [frame.resize((FILM_WIDTH, height), Image.Resampling.LANCZOS) for frame in frames]
    times = [round(1000 * FRAME_SECONDS)] * (len(small) - 1) + [round(1000 * LAST_SECONDS)]
    place = HERE / "demo.webp"
    small[0].save(place, save_all=True, append_images=small[1:], duration=times, loop=0, quality=60, method=4)
    checked(place)


def checked(place: Path) -> None:
    """Report the size of a file. Raises SystemExit if it is too large for the README."""
    size = place.stat().st_size
    print(f"{place.name:14} {size / 1000:7.0f} kB")
    if size > MOST_BYTES:
        raise SystemExit(f"{place.name} has more than {MOST_BYTES} bytes")


if __name__ == "__main__":
    main()
