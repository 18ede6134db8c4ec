"""Simulate a class at one server:  python -m tests.reliability.load --viewers 30 --dragging 10 --minutes 5

Starts the app with a run that trains, and viewers that send a page's requests. Each viewer loads the page
with its scripts and styles, polls at the server's interval, and fetches every new grid. Some drag a slider of
Explore without a pause. Their browsers fetch the generator once and draw the images themselves. --drawn-by
server simulates browsers that can't draw. Those request the next image as soon as the last one has arrived.

Before and after, one idle viewer measures the trainer alone. All viewers share one process on the same
machine, and so take cores that a class's own computers would not. The report lists their share beside those
of the server and the trainer.

With --minutes 60 --viewers 3 --dragging 1 it is the soak test.

Prints:
    the fraction of the trainer's images/s that is left
    the longest waits for new curves and for a new grid
    the latency of images
    the bytes received
    cores in use
    memory and open files of server and worker, before and after
The exit status is 1 where a request failed or an aim is missed.
"""

import argparse
import asyncio
import itertools
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin

import psutil

from gan.files import read_json
from gan.recipes import make_config
from gan.runs.store import Store
from gan.ui.server.requests.http import STATIC
from tests.benchmarks.options import at_least
from tests.reliability.attacker.keep_alive import Line, Reply
from tests.support.page.browsing import serve_program

API = "gradio_api/gan"
MODEL = "shipped:digits"
# A script or style that a page references, or that a script or style imports; dynamic imports don't count.
NAMED = re.compile(
    r"""(?:<(?:script|link)\b[^>]*?\b(?:src|href)=|\bimport\s*|\bfrom\s*|@import\s*(?:url\()?)["'](?![a-z]+:|//)([^"'?#]+\.(?:js|css))["']"""
)
RUNTIME = [
    f"vendor/{path.parent.name}/{path.name}"
    for path in sorted((STATIC / "vendor").glob("onnxruntime-web-*/ort*"))
]
IDLE = 60.0  # seconds at most that the idle viewer measures, before and after
WARM_UP = 20.0  # seconds of a run before the measurement
# Caches fill, and thread pools reach their size. Any further growth is a leak.
MAY_GROW = {"MB": 64, "files": 8, "threads": 8}
AIMS = {"curves": 2.0, "grids": 2.0, "picture": 0.3, "trainer": 0.9}


@dataclass
class Viewer:
    """The measurements of one page."""

    gaps_curves: list[float] = field(default_factory=list)  # seconds between answers with new points
    gaps_grids: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)  # latency in seconds
    failures: list[str] = field(default_factory=list)
    received: int = 0  # bytes on the wire
    first: int = 0  # of these, the page itself with its scripts and styles


class Crowd(NamedTuple):
    """The viewers: how many pages, how many of them drag, and who draws (a key of DRAWN_BY)."""

    viewers: int = 1
    dragging: int = 0
    drawn_by: str = "browser"

    @property
    def measured(self) -> str:
        """The aims that this crowd can measure, as a phrase."""
        pictures = self.drawn_by == "server" and self.dragging
        return "every aim" if pictures else "every aim but that of pictures, which was not measured,"


class Page:
    """A viewer's requests, over two of the six connections that a browser may open."""

    def __init__(self, address: str, number: int):
        self.number, self.seen = number, Viewer()
        self.line, self.slider = Line(address), Line(address)

    async def get(self, line: Line, path: str, **query: object) -> Reply | None:
        """Return the answer and count it, or None after a failure."""
        try:
            reply = await line.get(path, query)
        except (OSError, EOFError, ValueError) as error:
            self.seen.failures.append(f"{path}: {type(error).__name__}")
            return None
        self.seen.received += reply.wire
        if reply.status >= 400:
            self.seen.failures.append(f"{path}: {reply.status}")
            return None
        return reply

    async def open(self) -> None:
        """Load the page, and once each the scripts and styles that it references, with their imports."""
        to_come, known = [""], {""}
        while to_come:
            path = to_come.pop()
            reply = await self.get(self.line, path)
            named = (
                {
                    urljoin(f"/{path}", name).lstrip("/")
                    for name in NAMED.findall(reply.body.decode("utf-8", "replace"))
                }
                if reply
                else set()
            )
            to_come += sorted(named - known)
            known |= named
        self.seen.first = self.seen.received

    async def watch(self, end: float) -> None:
        """Poll and fetch grids until `end`."""
        held = {"run": "", "had": "", "since": 0, "list": "", "version": ""}
        points = grids = None
        shown, pause = None, 0.0
        while (start := time.monotonic()) < end:
            reply = await self.get(self.line, f"{API}/poll", **held)
            now, poll = time.monotonic(), reply.json() if reply else {}
            if poll.get("run"):
                held |= {
                    "had": poll["run"]["id"],
                    "since": poll["next"],
                    "last": poll["last"],
                    "list": poll["list"],
                    "version": poll["version"],
                }
                pause = poll["beat"] / 1000
                if poll["stats"]:
                    self.seen.gaps_curves += [now - points] if points else []
                    points = now
                steps = poll["run"]["samples"]
                if (
                    steps
                    and steps[-1] != shown
                    and await self.get(
                        self.line, f"{API}/runs/{poll['run']['id']}/samples/{steps[-1]:08d}.webp"
                    )
                ):
                    shown, now = steps[-1], time.monotonic()
                    self.seen.gaps_grids += [now - grids] if grids else []
                    grids = now
            await asyncio.sleep(max(0.0, pause - (time.monotonic() - start)))
        # The wait at the end counts too, where an answer never came.
        self.seen.gaps_curves += [time.monotonic() - points] if points else [time.monotonic()]
        self.seen.gaps_grids += [time.monotonic() - grids] if grids else [time.monotonic()]

    async def fetch_generator(self, end: float) -> None:
        """Fetch once what a browser needs to draw by itself. Its sliders then send no requests."""
        reply = await self.get(self.slider, f"{API}/model", id=MODEL)
        version = reply.json()["version"] if reply else ""
        for path in ("generator", "directions"):
            await self.get(self.slider, f"{API}/{path}", id=MODEL, v=version)
        for name in RUNTIME:
            await self.get(self.slider, f"{API}/static/{name}")

    async def drag(self, end: float) -> None:
        """Move a slider to and fro until `end`, with images from the server."""
        reply = await self.get(self.slider, f"{API}/model", id=MODEL)
        version = reply.json()["version"] if reply else ""
        for move in itertools.count(self.number):
            start = time.monotonic()
            if start >= end:
                return
            place = 3 * (move * 0.618 % 2 - 1)
            if await self.get(
                self.slider, f"{API}/image", id=MODEL, v=version, seed=self.number, d=f"{place:.3f}"
            ):
                self.seen.pictures.append(time.monotonic() - start)
            await asyncio.sleep(1 / 60)


DRAWN_BY = {"browser": Page.fetch_generator, "server": Page.drag}


async def attend(address: str, crowd: Crowd, seconds: float) -> list[Viewer]:
    """Open the crowd's pages and run them for so many seconds. Returns each page's measurements."""
    pages = [Page(address, number) for number in range(crowd.viewers)]
    await asyncio.gather(*(page.open() for page in pages))
    end = time.monotonic() + seconds
    await asyncio.gather(
        *(page.watch(end) for page in pages),
        *(DRAWN_BY[crowd.drawn_by](page, end) for page in pages[: crowd.dragging]),
    )
    for page in pages:
        for line in (page.line, page.slider):
            line.close()
    return [page.seen for page in pages]


class Phase(NamedTuple):
    """The measurements while pages were open."""

    rate: float  # images/s of the trainer
    cores: dict[str, float]  # cores that each process kept busy
    seen: list[Viewer]


def phase(
    address: str, run: Path, processes: dict[str, psutil.Process], crowd: Crowd, seconds: float
) -> Phase:
    """Measure the processes while a crowd views the page for so many seconds."""
    everybody = {**processes, "viewers": psutil.Process()}
    first, before, start = (
        read_json(run / "status.json"),
        {name: _worked(process) for name, process in everybody.items()},
        time.monotonic(),
    )
    seen = asyncio.run(attend(address, crowd, seconds))
    last, passed = read_json(run / "status.json"), time.monotonic() - start
    cores = {name: (_worked(process) - before[name]) / passed for name, process in everybody.items()}
    return Phase((last["images"] - first["images"]) / (last["heartbeat"] - first["heartbeat"]), cores, seen)


def _worked(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def footprint(process: psutil.Process) -> dict[str, int]:
    """Return the resident memory, open files and threads of a process."""
    return {
        "MB": round(process.memory_info().rss / 2**20),
        "files": process.num_fds(),
        "threads": process.num_threads(),
    }


def grown(name: str, before: dict[str, int], after: dict[str, int]) -> list[str]:
    """Print a process's resources before and after. Returns those that grew beyond MAY_GROW, as sentences."""
    print(f"{name}: " + ", ".join(f"{before[what]} -> {after[what]} {what}" for what in before))
    return [
        f"{name} grew by {after[what] - before[what]} {what}"
        for what, most in MAY_GROW.items()
        if after[what] - before[what] > most
    ]


def rank(values: Sequence[float], share: float) -> float:
    """Return the quantile `share` of the values; 0 for none."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def report(alone: Sequence[Phase], busy: Phase, minutes: float) -> list[str]:
    """Print the measurements. Returns the aims that were missed."""
    curves, grids, pictures = (
        [value for viewer in busy.seen for value in getattr(viewer, name)]
        for name in ("gaps_curves", "gaps_grids", "pictures")
    )
    part = busy.rate / statistics.mean(each.rate for each in alone)
    print(
        f"trainer: {busy.rate:.0f} images/s, alone {' and '.join(f'{each.rate:.0f}' for each in alone)}: "
        f"{part:.0%}"
    )
    for title, each in (("alone", alone[0]), ("with all", busy)):
        print(
            f"cores in use {title}: " + ", ".join(f"{name} {cores:.2f}" for name, cores in each.cores.items())
        )
    print(
        f"seconds between new curves: median {statistics.median(curves):.2f}, 99 % {rank(curves, 0.99):.2f}, "
        f"longest {max(curves):.2f}"
    )
    print(
        f"seconds between new grids: median {statistics.median(grids):.2f}, 99 % {rank(grids, 0.99):.2f}, "
        f"longest {max(grids):.2f}"
    )
    if pictures:
        print(
            f"slider to picture: median {1000 * statistics.median(pictures):.0f} ms, "
            f"95 % {1000 * rank(pictures, 0.95):.0f} ms, "
            f"{len(pictures) / 60 / minutes:.0f} pictures/s in all"
        )
    else:
        print("pictures: drawn by the viewers' own browsers, not measured here")
    first = statistics.mean(viewer.first for viewer in busy.seen)
    print(
        f"the first visit brings {first / 1000:.0f} kB: the page, its styles, and its scripts with all "
        f"that these import at once"
    )
    later = [(viewer.received - viewer.first) / minutes / 1000 for viewer in busy.seen if not viewer.pictures]
    print(
        (
            f"after that a viewer who lets the server draw nothing receives {statistics.mean(later):.0f} kB "
            f"a minute"
        )
        if later
        else ""
    )
    failures = [failure for viewer in busy.seen for failure in viewer.failures]
    print(f"failures: {len(failures)} {failures[:5]}")
    measured = {"curves": max(curves), "grids": max(grids)} | (
        {"picture": rank(pictures, 0.95)} if pictures else {}
    )
    missed = [
        f"{name}: {value:.2f} s, asked {AIMS[name]}" for name, value in measured.items() if value > AIMS[name]
    ]
    return (
        missed
        + ([f"trainer: {part:.0%}, asked {AIMS['trainer']:.0%}"] if part < AIMS["trainer"] else [])
        + failures[:5]
    )


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--viewers", type=at_least(1, int), default=30)
    parser.add_argument("--dragging", type=at_least(0, int), default=10)
    parser.add_argument(
        "--drawn-by",
        nargs="+",
        choices=list(DRAWN_BY),
        default=["browser"],
        help="of several, each in turn",
    )
    parser.add_argument("--minutes", type=at_least(0.1), default=5.0)
    parser.add_argument("--data", choices=["digits", "landscapes"], default="digits")
    options = parser.parse_args(words)
    missed = measure([Crowd(options.viewers, options.dragging, by) for by in options.drawn_by], options)
    return 1 if missed else 0


def measure(crowds: Sequence[Crowd], options: argparse.Namespace) -> list[str]:
    """Let each crowd in turn view one server's page. Prints the measurements; returns what was missed."""
    with tempfile.TemporaryDirectory() as place:
        store = Store(Path(place))
        size, channels = {"digits": (28, 1), "landscapes": (64, 3)}[options.data]
        run = store.path(store.create(make_config(options.data, "modern", size, channels, minutes=120.0)))
        with serve_program(Path(place)) as address:
            while read_json(run / "status.json")["state"] != "running":
                time.sleep(0.2)
            # The first viewer makes the server load torch and a model.
            for crowd in crowds:
                asyncio.run(attend(address, Crowd(1, min(1, crowd.dragging), crowd.drawn_by), WARM_UP))
            server = next(
                child for child in psutil.Process().children() if place in " ".join(child.cmdline())
            )
            processes = {"server": server, "worker": psutil.Process(read_json(run / "status.json")["pid"])}
            idle, seconds = min(IDLE, 60 * options.minutes), 60 * options.minutes
            alone = [phase(address, run, processes, Crowd(), idle)]
            before = {name: footprint(process) for name, process in processes.items()}
            busy = [phase(address, run, processes, crowd, seconds) for crowd in crowds]
            alone.append(phase(address, run, processes, Crowd(), idle))
            missed = [
                each
                for name, process in processes.items()
                for each in grown(name, before[name], footprint(process))
            ]
    for crowd, each in zip(crowds, busy, strict=True):
        print(f"samples drawn by the {crowd.drawn_by}:")
        wrong = missed + report(alone, each, options.minutes)
        print("missed: " + "; ".join(wrong) if wrong else f"{crowd.measured} is reached")
        missed = wrong
    return missed


if __name__ == "__main__":
    sys.exit(main())
