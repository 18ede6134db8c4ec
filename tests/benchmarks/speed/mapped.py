"""Compare training on a data set in a mapped file with one in memory: python -m tests.benchmarks.speed.mapped

Two processes train the same networks on generated pictures of 64 x 64 pixels in colour, and take turns. One
has a small set, which it holds in memory. The other has a large set, which lies in a file on disk. Each does
what a run does before its first step: it identifies the pictures and clusters them. `--cold` drops the file's
pages from memory before each turn, as far as the system allows.

Columns:
    pictures, GB    of the set
    images/s        shown to D: the median over the rounds, and the range
    of memory's     the rate over that of the set in memory: the median of the ratios within rounds
    anonymous GiB   the largest amount of memory that the process had beside mapped files
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gan.config import RunConfig
from gan.data import pixels
from gan.data.dataset import Dataset
from gan.device import pick_device
from gan.kinds.images.engine import ImagesTrainer
from gan.kinds.images.identity import identify
from gan.recipes import make_config
from tests.benchmarks.options import at_least
from tests.benchmarks.tables import markdown

SIDE, CHANNELS = 64, 3
PICTURE = CHANNELS * SIDE * SIDE  # bytes
BLOCK = 4096  # pictures generated at a time
HEADER = ("set", "pictures", "GB", "images/s", "range", "of memory's", "anonymous GiB")


def generate(count: int) -> Dataset:
    """Return pictures of smooth colours, each different, in the room that a loader would use."""
    room, rng = pixels.make_room(count, CHANNELS, SIDE), np.random.default_rng(0)
    for start in range(0, count, BLOCK):
        part = room[start : start + BLOCK]
        coarse = rng.integers(0, 256, (len(part), CHANNELS, 8, 8), np.uint8)
        part[:] = coarse.repeat(SIDE // 8, 2).repeat(SIDE // 8, 3)
    return Dataset("generated", torch.from_numpy(room))


def config(**settings: Any) -> RunConfig:
    """Return the default settings of somebody's own pictures, with clusters."""
    return make_config("generated", "modern", SIDE, CHANNELS, **{"clusters": 20, "kimg": 1000.0, **settings})


def anonymous() -> float:
    """Return the memory of this process that no file backs, in GiB. Linux alone tells."""
    found = re.search(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 2**20 if found else float("nan")


def train(size: int, memory: int | None, settings: dict[str, Any]) -> None:
    """Train in this process, as long as each line of standard input says in seconds, and answer with JSON.

    size: bytes of the pictures. memory: bytes that the computer is said to have.
    """
    if memory is not None:
        pixels.memory_limit = lambda: memory
    peak, device = 0.0, pick_device()
    torch.set_flush_denormal(True)
    torch.set_num_threads(device.threads)
    dataset = generate(size // PICTURE)
    mapped = not pixels.held(dataset.images.nbytes)
    record = identify(dataset, conditional=False)
    trainer = ImagesTrainer(config(**settings), dataset, device)
    for line in sys.stdin:
        order = json.loads(line)
        if order["cold"] and mapped:
            dataset.images.numpy().base._mmap.madvise(21)  # MADV_PAGEOUT
        before, start = trainer.images_seen, time.perf_counter()
        while trainer.images_seen == before or time.perf_counter() - start < order["seconds"]:
            trainer.advance(4)
            peak = max(peak, anonymous())
        rate = (trainer.images_seen - before) / (time.perf_counter() - start)
        answer = {"rate": rate, "anonymous": peak, "mapped": mapped, "count": record.count}
        print(json.dumps(answer), flush=True)


class Entrant:
    """A process that trains on a set of so many bytes."""

    def __init__(self, size: int, memory: int | None, settings: dict[str, Any]):
        command = [
            sys.executable,
            "-m",
            "tests.benchmarks.speed.mapped",
            "--child",
            json.dumps([size, memory, settings]),
        ]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self.answers: list[dict[str, Any]] = []

    def turn(self, seconds: float, cold: bool = False) -> None:
        """Let it train for so long."""
        print(json.dumps({"seconds": seconds, "cold": cold}), file=self.stdin, flush=True)
        self.answers.append(json.loads(self.stdout.readline()))

    def end(self) -> None:
        """End the process."""
        self.stdin.close()
        self.process.wait()


def compare(
    sizes: tuple[int, int],
    rounds: int,
    seconds: float,
    cold: bool,
    memory: int | None,
    settings: dict[str, Any],
) -> list[Entrant]:
    """Train on sets of both sizes in turns, and return the two entrants. The first turn is a warm-up."""
    entrants = [Entrant(size, memory, settings) for size in sizes]
    for turn in range(rounds + 1):
        for entrant in entrants if turn % 2 else entrants[::-1]:
            entrant.turn(seconds if turn else 0.0, cold)
    for entrant in entrants:
        entrant.end()
        del entrant.answers[0]
    return entrants


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--memory-mb", type=at_least(1, int), default=1024, help="of the set in memory")
    parser.add_argument("--file-mb", type=at_least(1, int), default=8192, help="of the set in a file")
    parser.add_argument("--rounds", type=at_least(1, int), default=7)
    parser.add_argument("--seconds", type=at_least(1), default=20, help="of a turn")
    parser.add_argument("--limit-mb", type=at_least(1, int), help="memory that the computer is said to have")
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        train(*json.loads(asked.child))
        return
    sizes = (asked.memory_mb * 2**20, asked.file_mb * 2**20)
    limit = asked.limit_mb and asked.limit_mb * 2**20
    entrants = compare(sizes, asked.rounds, asked.seconds, asked.cold, limit, {})
    rates = [[answer["rate"] for answer in entrant.answers] for entrant in entrants]
    rows = []
    for size, entrant, mine in zip(sizes, entrants, rates, strict=True):
        ratios = [one / other for one, other in zip(mine, rates[0], strict=True)]
        last = entrant.answers[-1]
        rows.append(
            (
                "in a file" if last["mapped"] else "in memory",
                str(last["count"]),
                f"{size / 1e9:.2f}",
                f"{statistics.median(mine):.1f}",
                f"{min(mine):.1f} to {max(mine):.1f}",
                f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})",
                f"{last['anonymous']:.2f}",
            )
        )
    print(markdown(HEADER, rows))


if __name__ == "__main__":
    main()
