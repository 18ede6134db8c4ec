"""How much of the throughput the signals of a run take: two trainers take turns, one is measured.

    python -m tests.benchmarks.speed.signals [--data digits] [--threads 2] [--rounds 5] [--seconds 40]

Both have the same settings and seed. A turn of the measured one begins with its first measurement due, as at
the start of a run, so the opening of the referee's net counts in the first round.
"""

import argparse
import statistics
import time

import torch

from gan import data
from gan.device import Device
from gan.kinds.images.engine import ImagesTrainer
from gan.recipes import make_config
from gan.train.throttle import CHUNK_SECONDS
from gan.worker.watch import LEAST_IMAGES, Watch


def turn(trainer: ImagesTrainer, watch: Watch | None, seconds: float) -> tuple[float, int]:
    """Train for so many seconds. Returns images/s, and how often the signals were measured."""
    begin, seen, measured, steps = time.perf_counter(), trainer.images_seen, 0, 1
    while (passed := time.perf_counter() - begin) < seconds:
        start = time.perf_counter()
        trainer.advance(steps)
        steps = max(1, min(2 * steps, round(steps * CHUNK_SECONDS / (time.perf_counter() - start))))
        if watch and watch.measure(trainer):
            measured += trainer.eyes() is not None
    return (trainer.images_seen - seen) / passed, measured


def main() -> None:
    """Run the rounds and print a line for each, and the median."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", default="digits")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=40.0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    info = data.info(options.data)
    config = make_config(options.data, "modern", info.size, info.channels)
    images = data.load(options.data, config.size, config.channels)
    device = Device("cpu", "CPU", options.threads)
    alone, watched = (ImagesTrainer(config, images, device) for _ in range(2))
    for trainer in (alone, watched):
        trainer.advance(LEAST_IMAGES // config.batch + 1)
        trainer.sample_sheet()  # whose samples D then judges
    watch, ratios = Watch(), []
    for number in range(options.rounds):
        without, _ = turn(alone, None, options.seconds)
        with_it, measured = turn(watched, watch, options.seconds)
        ratios.append(with_it / without)
        print(f"{number}: {without:.0f} and {with_it:.0f} images/s, {measured} measured: {ratios[-1]:.3f}")
    print(f"median {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
