"""How long a slider's movement takes to the picture: `python -m tests.benchmarks.slider`.

Starts the app, drives the real page in headless Chromium, and prints the time from a slider's input event to the drawn picture (one movement at a time)
and the pictures a second of a drag at 60 Hz, first while nothing trains, then while a run trains on the same machine.
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
from tests.browsing import ROOT, chromium, serve
from tests.generators import write_run

# The sizes of the data sets that ship, with the default recipe.
MODELS = {
    "28x28 grey": ("20250101-000001-digits-modern", ModelSpec("modern", 28, 1, 64, 32, 10)),
    "64x64 colour": ("20250101-000002-faces-modern", ModelSpec("modern", 64, 3, 64, 32)),
}

SINGLE = """async (count) => {
  const page = document.querySelector("gan-explorer");
  const bar = document.querySelector(".xp-sliders input");
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

DRAG = """async (seconds) => {
  const bar = document.querySelector(".xp-sliders input");
  let drawn = 0;
  const count = () => { drawn += 1; };
  document.querySelector("gan-explorer").addEventListener("gan:drawn", count);
  const start = performance.now();
  for (let frame = 0; performance.now() - start < seconds * 1000; frame += 1) {
    bar.value = String(3 * Math.sin(frame / 20));
    bar.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise(requestAnimationFrame);
  }
  const fps = drawn / ((performance.now() - start) / 1000);
  document.querySelector("gan-explorer").removeEventListener("gan:drawn", count);
  return fps;
}"""


def measure(page: Page, address: str, run: str, count: int, seconds: float) -> tuple[float, float, float]:
    """(median ms, 95th percentile ms, pictures a second) of the first direction's slider."""
    page.goto("about:blank")
    page.goto(f"{address}#model=run:{run}")
    page.wait_for_selector(".xp-sliders input:enabled", timeout=60000)
    page.wait_for_timeout(2000)
    page.evaluate(SINGLE, 20)
    times = sorted(page.evaluate(SINGLE, count))
    return times[len(times) // 2], times[int(len(times) * 0.95)], page.evaluate(DRAG, seconds)


def train(folder: Path) -> subprocess.Popen:
    """A run on this machine as the page starts one; returns once it has taken its first steps."""
    command = ["nice", "-n", "10", sys.executable, "-m", "gan.train", "--data", "digits", "--minutes", "30", "--out", str(folder)]
    worker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (folder / "live.safetensors").exists():
        if worker.poll() is not None:
            raise RuntimeError(f"the training ended with status {worker.returncode}")
        time.sleep(0.5)
    time.sleep(3)
    return worker


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=at_least(1, int), default=200, help="single movements to time")
    parser.add_argument("--seconds", type=at_least(0.1), default=5, help="length of the drag")
    args = parser.parse_args()
    print("| machine | generator | median ms | p95 ms | drag, pictures/s |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary, chromium() as browser:
        runs = Path(temporary) / "runs"
        for run, spec in MODELS.values():
            write_run(runs, run, spec)
        with serve(runs) as address:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            for state in ("idle", "training"):
                worker = train(runs / "20250101-000003-digits-modern") if state == "training" else None
                for name, (run, _) in MODELS.items():
                    median, late, fps = measure(page, address, run, args.count, args.seconds)
                    print(f"| {state} | {name} | {median:.1f} | {late:.1f} | {fps:.0f} |", flush=True)
                if worker is not None:
                    worker.terminate()
                    worker.wait()


if __name__ == "__main__":
    main()
