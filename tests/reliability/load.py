"""A class room at one server:  python -m tests.reliability.load --viewers 30 --dragging 10 --minutes 5

Starts the app with a run that trains, and viewers that ask it what the page asks: each loads the page, keeps Gradio's heartbeat open, polls for curves twice a
second and fetches every new grid; some drag a slider of Explore without a pause, asking for the next picture as soon as the last one has come. Before and
after, a single idle viewer shows what the trainer does alone. The viewers are one process on the same machine and take their part of it, which a class room's
own computers would not.

With --minutes 60 --viewers 3 --dragging 1 it is the soak test.

Printed: what fraction of the trainer's images/s is left, how long the longest wait for new curves and for a new grid was, how long pictures took, what went
over the wire, memory and open files of server and worker before and after. Exits with 1 where something failed or an aim is missed.
"""

import argparse
import asyncio
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from gan.config import make_config
from gan.files import read_json
from gan.runs.store import Store
from tests.benchmarks.options import at_least
from tests.browsing import serve

API = "gradio_api/gan"
POLL_SECONDS = 0.5  # as gan/ui/static/live.js after the first seconds
MODEL = "shipped:digits"
WARM_UP = 20.0  # seconds of a run that are not counted
MAY_GROW = {"MB": 64, "files": 8, "threads": 8}  # caches fill and pools of threads reach their size; anything more is a leak
AIMS = {"curves": 2.0, "grids": 2.0, "picture": 0.3, "trainer": 0.9}


@dataclass
class Viewer:
    """What one page has seen."""

    gaps_curves: list[float] = field(default_factory=list)  # seconds between answers with new points
    gaps_grids: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)  # seconds from asking to having
    failures: list[str] = field(default_factory=list)
    received: int = 0  # bytes of bodies, as they came over the wire


class Page:
    """A viewer's requests."""

    def __init__(self, client: httpx.AsyncClient, number: int):
        self.client, self.number, self.seen = client, number, Viewer()

    async def get(self, path: str, **query: object) -> httpx.Response | None:
        """The answer, counted; None where it was none."""
        try:
            reply = await self.client.get(path, params=query, timeout=30)
        except httpx.HTTPError as error:
            self.seen.failures.append(f"{path}: {type(error).__name__}")
            return None
        self.seen.received += reply.num_bytes_downloaded
        if reply.status_code >= 400:
            self.seen.failures.append(f"{path}: {reply.status_code}")
            return None
        return reply

    async def watch(self, end: float) -> None:
        """Poll and fetch grids until `end`."""
        await self.get("")
        held = {"run": "", "had": "", "since": 0, "list": "", "version": ""}
        points = grids = None
        shown = None
        while (start := time.monotonic()) < end:
            reply = await self.get(f"{API}/poll", **held)
            now, poll = time.monotonic(), reply.json() if reply else {}
            if poll.get("run"):
                held |= {"had": poll["run"]["id"], "since": poll["next"], "list": poll["list"], "version": poll["version"]}
                if poll["stats"]:
                    self.seen.gaps_curves += [now - points] if points else []
                    points = now
                steps = poll["run"]["samples"]
                if steps and steps[-1] != shown and await self.get(f"{API}/runs/{poll['run']['id']}/samples/{steps[-1]}.webp"):
                    shown, now = steps[-1], time.monotonic()
                    self.seen.gaps_grids += [now - grids] if grids else []
                    grids = now
            await asyncio.sleep(max(0.0, POLL_SECONDS - (time.monotonic() - start)))
        self.seen.gaps_curves += [time.monotonic() - points] if points else [time.monotonic()]  # what never came is a long wait too
        self.seen.gaps_grids += [time.monotonic() - grids] if grids else [time.monotonic()]

    async def drag(self, end: float) -> None:
        """Move a slider to and fro until `end`."""
        reply = await self.get(f"{API}/model", id=MODEL)
        version = reply.json()["version"] if reply else ""
        for move in itertools.count(self.number):
            start = time.monotonic()
            if start >= end:
                return
            place = 3 * (move * 0.618 % 2 - 1)
            if await self.get(f"{API}/image", id=MODEL, v=version, seed=self.number, d=f"{place:.3f}"):
                self.seen.pictures.append(time.monotonic() - start)
            await asyncio.sleep(1 / 60)

    async def heartbeat(self, end: float) -> None:
        """Keep open what Gradio's page keeps open."""
        try:
            async with self.client.stream("GET", f"gradio_api/heartbeat/load-{self.number}", timeout=60) as stream:
                async for _ in stream.aiter_raw():
                    if time.monotonic() >= end:
                        return
        except httpx.HTTPError as error:
            self.seen.failures.append(f"heartbeat: {type(error).__name__}")


async def attend(address: str, viewers: int, dragging: int, seconds: float) -> list[Viewer]:
    """So many pages for so long; what each has seen."""
    end = time.monotonic() + seconds
    pages, tasks = [], []
    for number in range(viewers):
        client = httpx.AsyncClient(base_url=address, limits=httpx.Limits(max_connections=6))  # as many as a browser opens
        pages.append(Page(client, number))
        tasks += [pages[-1].watch(end), pages[-1].heartbeat(end)] + ([pages[-1].drag(end)] if number < dragging else [])
    await asyncio.gather(*tasks)
    for page in pages:
        await page.client.aclose()
    return [page.seen for page in pages]


def phase(address: str, run: Path, viewers: int, dragging: int, seconds: float) -> tuple[float, list[Viewer]]:
    """Images/s of the trainer meanwhile, and what the viewers saw."""
    first = read_json(run / "status.json")
    seen = asyncio.run(attend(address, viewers, dragging, seconds))
    last = read_json(run / "status.json")
    return (last["images"] - first["images"]) / (last["heartbeat"] - first["heartbeat"]), seen


def footprint(process: psutil.Process) -> dict[str, int]:
    """What a process holds: resident memory, open files, threads."""
    return {"MB": round(process.memory_info().rss / 2**20), "files": process.num_fds(), "threads": process.num_threads()}


def grown(name: str, before: dict[str, int], after: dict[str, int]) -> list[str]:
    """Print what a process held before and holds after; what has grown by more than it may."""
    print(f"{name}: " + ", ".join(f"{before[what]} -> {after[what]} {what}" for what in before))
    return [f"{name} grew by {after[what] - before[what]} {what}" for what, most in MAY_GROW.items() if after[what] - before[what] > most]


def rank(values: Sequence[float], share: float) -> float:
    """The value that this share of all do not exceed; 0 for none."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def report(alone: Sequence[float], busy: float, seen: Sequence[Viewer], minutes: float) -> list[str]:
    """Print what was measured; the aims that were missed."""
    curves, grids, pictures = ([value for viewer in seen for value in getattr(viewer, name)] for name in ("gaps_curves", "gaps_grids", "pictures"))
    part = busy / statistics.mean(alone)
    print(f"trainer: {busy:.0f} images/s, alone {' and '.join(f'{rate:.0f}' for rate in alone)}: {part:.0%}")
    print(f"seconds between new curves: median {statistics.median(curves):.2f}, 99 % {rank(curves, 0.99):.2f}, longest {max(curves):.2f}")
    print(f"seconds between new grids: median {statistics.median(grids):.2f}, 99 % {rank(grids, 0.99):.2f}, longest {max(grids):.2f}")
    if pictures:
        print(f"slider to picture: median {1000 * statistics.median(pictures):.0f} ms, 95 % {1000 * rank(pictures, 0.95):.0f} ms, "
              f"{len(pictures) / 60 / minutes:.0f} pictures/s in all")  # fmt: skip
    watching = [viewer.received / minutes / 1000 for viewer in seen if not viewer.pictures]
    print(f"a viewer who only watches receives {statistics.mean(watching):.0f} kB a minute" if watching else "")
    failures = [failure for viewer in seen for failure in viewer.failures]
    print(f"failures: {len(failures)} {failures[:5]}")
    measured = {"curves": max(curves), "grids": max(grids), "picture": rank(pictures, 0.95)}
    missed = [f"{name}: {value:.2f} s, asked {AIMS[name]}" for name, value in measured.items() if value > AIMS[name]]
    return missed + ([f"trainer: {part:.0%}, asked {AIMS['trainer']:.0%}"] if part < AIMS["trainer"] else []) + failures[:5]


def main(words: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=at_least(1, int), default=30)
    parser.add_argument("--dragging", type=at_least(0, int), default=10)
    parser.add_argument("--minutes", type=at_least(0.1), default=5.0)
    parser.add_argument("--data", choices=["digits", "landscapes"], default="digits")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as place:
        store = Store(Path(place))
        size, channels = {"digits": (28, 1), "landscapes": (64, 3)}[options.data]
        run = store.path(store.create(make_config(options.data, "modern", size, channels, minutes=120.0)))
        with serve(Path(place)) as address:
            while read_json(run / "status.json")["state"] != "running":
                time.sleep(0.2)
            time.sleep(WARM_UP)
            server = next(child for child in psutil.Process().children() if "app.py" in " ".join(child.cmdline()))
            processes = {"server": server, "worker": psutil.Process(read_json(run / "status.json")["pid"])}
            idle = min(60.0, 60 * options.minutes)
            alone = [phase(address, run, 1, 0, idle)[0]]
            before = {name: footprint(process) for name, process in processes.items()}
            busy, seen = phase(address, run, options.viewers, options.dragging, 60 * options.minutes)
            alone.append(phase(address, run, 1, 0, idle)[0])
            missed = [each for name, process in processes.items() for each in grown(name, before[name], footprint(process))]
    missed += report(alone, busy, seen, options.minutes)
    print("missed: " + "; ".join(missed) if missed else "every aim is reached")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
