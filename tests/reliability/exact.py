"""Train twice, and check that every step gives the same bits:  python -m tests.reliability.exact --steps 300

Each run of shipped.py trains with its shipped settings on two threads. Other programs keep the cores busy, so
that sums in the order of thread arrival would differ. All tensors are compared after every step, and the
sample grid at the end.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

from gan import data
from gan.config import RunConfig
from gan.device import Device
from gan.train.autotune.measure import native_bf16
from gan.train.checkpoint import tensors_of
from gan.train.trainer import Trainer
from tests.reliability.shipped import RUNS, SLOW, THREADS, busy, config_of


def first_difference(config: RunConfig, device: Device, steps: int, times: int = 2) -> str | None:
    """Compare several trainings with the first one after each step, and their sample grids after the last.

    All take a step at the same time, so each is the others' load. Returns the first difference as a sentence,
    or None where all give the same bits.
    """
    dataset = data.load(config.data, config.size, config.channels)
    prepare_thread(device)
    trainers = [Trainer(config, dataset, device) for _ in range(times)]
    with ThreadPoolExecutor(times, initializer=prepare_thread, initargs=(device,)) as pool:
        for step in range(1, steps + 1):
            list(pool.map(lambda trainer: trainer.advance(1), trainers))
            if found := differing([tensors_of(trainer) for trainer in trainers]):
                return f"step {step}: {found}"
        grids = list(pool.map(lambda trainer: {"grid": trainer.sample_grid()}, trainers))
    found = differing(grids)
    return found and f"after step {steps}: {found}"


def prepare_thread(device: Device) -> None:
    """Give this thread the device's number of cores, and a worker's floating-point mode."""
    torch.set_num_threads(device.threads)
    torch.set_flush_denormal(True)


def differing(states: Sequence[dict[str, torch.Tensor]]) -> str | None:
    """Say which of these states' tensors (contiguous, by name) have other bits than the first one's."""
    first, *others = states
    for other in others:
        names = sorted(
            name for name in first.keys() | other.keys() if not same_bits(first.get(name), other.get(name))
        )
        if names:
            return f"{len(names)} tensors, {names[0]} first"
    return None


def same_bits(one: torch.Tensor | None, other: torch.Tensor | None) -> bool:
    """Compare type, shape and bytes: zeros of either sign differ, and a NaN equals itself."""
    return (
        one is not None
        and other is not None
        and (one.dtype, one.shape) == (other.dtype, other.shape)
        and torch.equal(one.reshape(-1).view(torch.uint8), other.reshape(-1).view(torch.uint8))
    )


def devices(precisions: Sequence[str]) -> Iterator[Device]:
    """Yield the CPU devices to compare: two threads in each precision, and one thread."""
    for precision in precisions:
        yield Device("cpu", f"{THREADS} threads, {precision}", THREADS, precision)
    yield Device("cpu", "1 thread", 1)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns 0 where every run gave the same bits each time."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--steps", type=int, default=20, help="of each training; dcgan and projected take a fifth"
    )
    parser.add_argument("--times", type=int, default=2, help="trainings that are compared")
    parser.add_argument("--runs", nargs="+", choices=RUNS, default=list(RUNS))
    options = parser.parse_args(words)
    different = 0
    with busy():
        for run in options.runs:
            steps = max(1, options.steps // 5) if run in SLOW else options.steps
            for device in devices(("float32", "bf16") if native_bf16("cpu") else ("float32",)):
                found = first_difference(config_of(run, steps), device, steps, options.times)
                different += found is not None
                print(f"{run:14} {steps:4} steps, {device.label}: {found or 'the same bits'}", flush=True)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
