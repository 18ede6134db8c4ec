"""Measure the latency of a slider that the server draws for: `python -m tests.benchmarks.page.slider`.

It starts the app, drives the real page in headless Chromium, and lets the server draw. The table has the time
from a slider's input event to the drawn sample, one movement at a time. It also has the samples a second of a
drag at 60 Hz. It measures an idle machine first, and then one on which a run trains.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page

from gan.models import ModelSpec
from tests.benchmarks.options import at_least
from tests.support.inputs.generators import write_run
from tests.support.page.browsing import ROOT, chromium, serve_program
from tests.support.page.explorer.explorer import ELEMENT, SLIDERS

# Models of the bundled sets' sizes, with the default recipe.
MODELS = {
    "28x28 grey": ("20250101-000001-digits-modern", ModelSpec("modern", 28, 1, 64, 32, 10)),
    "64x64 colour": ("20250101-000002-faces-modern", ModelSpec("modern", 64, 3, 64, 32)),
}

# The script that makes a page let the server draw (tests.benchmarks.page.browser compares both).
NO_WASM = "delete window.WebAssembly"

# The element that fires gan:drawn after each drawn sample, and the first slider.
EXPLORE = (ELEMENT, SLIDERS)

SINGLE = """async ([place, slider, count]) => {
  const page = document.querySelector(place);
  const bar = document.querySelector(slider);
  const times = [];
  for (let i = 0; i < count; i += 1) {
    bar.value = String(((i * 0.35) % 6) - 3);
    const drawn = new Promise((done) => page.addEventListener("gan:drawn", done, { once: true }));
    const start = performance.now();
    bar.dispatchEvent(new Event("input", { bubbles: true }));
    await drawn;
    times.push(performance.now() - start);
    await new Promise((done) => setTimeout(done, 20));
  }
  return times;
}"""

DRAG = """async ([place, slider, seconds]) => {
  const [page, bar] = [place, slider].map((each) => document.querySelector(each));
  let drawn = 0;
  const count = () => { drawn += 1; };
  page.addEventListener("gan:drawn", count);
  const start = performance.now();
  for (let frame = 0; performance.now() - start < seconds * 1000; frame += 1) {
    bar.value = String(3 * Math.sin(frame / 20));
    bar.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise(requestAnimationFrame);
  }
  const fps = drawn / ((performance.now() - start) / 1000);
  page.removeEventListener("gan:drawn", count);
  return fps;
}"""


def visit(page: Page, address: str, model: str) -> None:
    """Open Explore on a model."""
    page.goto("about:blank")
    page.goto(f"{address}#model={model}")
    page.wait_for_selector(f"{SLIDERS}:enabled", timeout=60000)


def measure(
    page: Page, count: int, seconds: float, where: tuple[str, str] = EXPLORE
) -> tuple[float, float, float]:
    """Measure the first slider of an open page: median ms, 95th percentile ms, samples a second."""
    page.wait_for_timeout(2000)
    page.evaluate(SINGLE, [*where, 20])
    times = sorted(page.evaluate(SINGLE, [*where, count]))
    return times[len(times) // 2], times[int(len(times) * 0.95)], page.evaluate(DRAG, [*where, seconds])


def train(folder: Path) -> subprocess.Popen:
    """Start a run as the page does. Returns its process after its first steps."""
    command = [
        "nice",
        "-n",
        "10",
        sys.executable,
        "-m",
        "gan",
        "train",
        "--data",
        "digits",
        "--minutes",
        "30",
        "--out",
        str(folder),
    ]
    worker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (folder / "live.safetensors").exists():
        if worker.poll() is not None:
            raise RuntimeError(f"the training ended with status {worker.returncode}")
        time.sleep(0.5)
    time.sleep(3)
    return worker


def options(description: str) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=at_least(1, int), default=200, help="single movements to time")
    parser.add_argument("--seconds", type=at_least(0.1), default=5, help="length of the drag")
    return parser.parse_args()


def main() -> None:
    """Measure, and print the table."""
    args = options(__doc__)
    print("| machine | generator | median ms | p95 ms | drag, pictures/s |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary, chromium() as browser:
        runs = Path(temporary) / "runs"
        for run, spec in MODELS.values():
            write_run(runs, run, spec)
        with serve_program(runs) as address:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.add_init_script(NO_WASM)
            for state in ("idle", "training"):
                worker = train(runs / "20250101-000003-digits-modern") if state == "training" else None
                for name, (run, _) in MODELS.items():
                    visit(page, address, f"run:{run}")
                    median, late, fps = measure(page, args.count, args.seconds)
                    print(f"| {state} | {name} | {median:.1f} | {late:.1f} | {fps:.0f} |", flush=True)
                if worker is not None:
                    worker.terminate()
                    worker.wait()


if __name__ == "__main__":
    main()
