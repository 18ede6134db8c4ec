"""Images per second of the recipes on this machine:  python -m tests.benchmarks.throughput

Each recipe trains on random pixels at the size that it has on digits and on landscapes. The recipes take turns, so that what else the machine does hits all of
them alike; printed are the median and the range over the rounds, and the ratio to the textbook DCGAN within each round.
"""

import argparse
import statistics
import time

import torch

from gan.config import make_config
from gan.data.dataset import Dataset
from gan.device import pick_device
from gan.models import count_parameters
from gan.train.trainer import Trainer

CASES = [("dcgan", "digits", 28, 1), ("dcgan", "landscapes", 64, 3), ("modern", "digits", 28, 1), ("modern", "landscapes", 64, 3)]


def trainer(recipe: str, data: str, size: int, channels: int) -> Trainer:
    config = make_config(data, recipe, size, channels)
    images = torch.randint(0, 256, (512, config.channels, config.size, config.size), dtype=torch.uint8)
    return Trainer(config, Dataset(data, images, None, (), {}), pick_device())


def rate(trainer: Trainer, seconds: float) -> float:
    """Images per second over about `seconds`."""
    start, before = time.perf_counter(), trainer.images_seen
    while time.perf_counter() - start < seconds:
        trainer.advance(2)
    return (trainer.images_seen - before) / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="time for each recipe in a round")
    options = parser.parse_args()
    device = pick_device()
    torch.set_num_threads(device.threads)
    torch.set_flush_denormal(True)
    trainers = {case: trainer(*case) for case in CASES}
    for each in trainers.values():
        each.advance(2)
    rounds = [{case: rate(each, options.seconds) for case, each in trainers.items()} for _ in range(options.rounds)]
    print(f"{device.label}, torch {torch.__version__}, {options.rounds} rounds of {options.seconds:g} s")
    print(f"{'recipe':8} {'data':11} {'shape':9} {'G + D parameters':>17} {'images/s':>9} {'range':>13} {'x dcgan':>8}")
    for case, each in trainers.items():
        rates = [r[case] for r in rounds]
        ratio = statistics.median(r[case] / r[("dcgan", *case[1:])] for r in rounds)
        size = count_parameters(each.G) + count_parameters(each.D)
        shape = f"{each.spec.size}x{each.spec.size}x{each.spec.channels}"
        print(f"{case[0]:8} {case[1]:11} {shape:9} {size:17,} {statistics.median(rates):9.1f} {min(rates):6.1f}-{max(rates):<6.1f} {ratio:8.2f}")


if __name__ == "__main__":
    main()
