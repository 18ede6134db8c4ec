"""Compare training with glibc's own settings and with GANarium's: python -m tests.benchmarks.speed.allocation

gan/train/autotune/allocator.py tells glibc to keep freed memory, in large pages. In each launch two processes
train `modern` on the same random pixels, one with each setting, and take turns. Where a process's tensors lie
decides a few percent of its rate, so several launches count.

Columns:
    steps/s             of each setting: the median over all turns
    ratio, range        GANarium's setting over glibc's: the median of the launches' medians, and their range
    faults a step       page faults of the process in one step: the median over all turns
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

from gan.device import pick_device
from gan.recipes import make_config
from gan.train.autotune import allocator
from gan.train.trainer import Trainer
from tests.benchmarks.options import at_least
from tests.benchmarks.speed.throughput import SHAPES, pictures
from tests.benchmarks.tables import markdown

PICTURES = 4096
WARM_UP = 8  # steps
HEADER = ("data", "glibc's steps/s", "GANarium's", "ratio", "range", "glibc's faults a step", "GANarium's")
TRAINEE = "--trainee"  # the option of the processes that the benchmark starts


class Turn(NamedTuple):
    """A turn of one process."""

    rate: float  # steps a second
    faults: float  # page faults a step


def trainee(data: str) -> None:
    """Train for as many seconds as each line of standard input says, and print the turn."""
    _, size, channels = SHAPES[data]
    config = make_config(data, "modern", size, channels)
    trainer = Trainer(config, pictures(PICTURES, size, channels), pick_device())
    trainer.advance(WARM_UP)
    print("ready", flush=True)
    for line in sys.stdin:
        steps, start = 0, time.perf_counter()
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        while time.perf_counter() < start + float(line):
            trainer.advance(config.penalty_every)
            steps += config.penalty_every
        seconds = time.perf_counter() - start
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
        print(steps / seconds, faults / steps, flush=True)


def launch(data: str, rounds: int, seconds: float) -> tuple[list[Turn], list[Turn]]:
    """Return the turns of one launch: with glibc's settings, and with GANarium's."""
    plain = {name: value for name, value in os.environ.items() if name != allocator.VARIABLE}
    ours = {**plain, **allocator.environment()}
    command = [sys.executable, "-m", __spec__.name, TRAINEE, "--data", data]
    both = [
        subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for env in (plain, ours)
    ]
    turns: tuple[list[Turn], list[Turn]] = ([], [])
    for child in both:
        _told(child)
    for place in range(rounds):
        for which in (0, 1) if place % 2 else (1, 0):
            pipe = both[which].stdin
            assert pipe is not None, "a pipe was asked for"
            print(seconds, file=pipe, flush=True)
            turns[which].append(Turn(*map(float, _told(both[which]).split())))
    for child in both:
        child.communicate()
    return turns


def _told(child: subprocess.Popen) -> str:
    line = child.stdout.readline() if child.stdout else ""
    if not line:
        raise SystemExit(f"a process ended with exit status {child.wait()}")
    return line


def row(data: str, launches: int, rounds: int, seconds: float) -> list[str]:
    """Return the row of a data set's shape."""
    plain, ours, ratios = [], [], []
    for _ in range(launches):
        one, other = launch(data, rounds, seconds)
        plain += one
        ours += other
        ratios.append(statistics.median(new.rate / old.rate for old, new in zip(one, other, strict=True)))
    rates = [f"{statistics.median(turn.rate for turn in turns):.2f}" for turns in (plain, ours)]
    faults = [f"{statistics.median(turn.faults for turn in turns):,.0f}" for turns in (plain, ours)]
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    return [data, *rates, f"{statistics.median(ratios):.2f}", spread, *faults]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.speed.allocation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", nargs="+", choices=SHAPES, default=["digits", "landscapes"])
    parser.add_argument("--launches", type=at_least(1, int), default=5)
    parser.add_argument("--rounds", type=at_least(2, int), default=4, help="turns of each process")
    parser.add_argument("--seconds", type=at_least(0.1, float), default=2.0, help="of a turn")
    parser.add_argument(TRAINEE, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.trainee:
        trainee(*options.data)
        return
    rows = [row(data, options.launches, options.rounds, options.seconds) for data in options.data]
    print(markdown(HEADER, rows))


if __name__ == "__main__":
    main()
