"""The time that arithmetic alone would take: what one training step calculates and moves, over what this
machine can calculate and move in a second.

The model is simple. Counted are the matrix operations (convolutions, products) of a real step, the backward
passes and those of the gradient penalty included: their floating-point operations, two for a multiplication
with its addition, and the bytes of their operands and results, each read or written once, as if everything
between them were free. Adam reads weight, gradient and two moments and writes three of them back, 7 floats a
weight; the average reads two and writes one, 3 floats a weight of G. Calculation and memory can at best
overlap, so the floor is the larger of the two. The bandwidth is that of main memory, so that a step whose
data fit into the caches can be faster than its memory floor.
"""

import functools
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch

from gan.train.autotune.cost import Tally

DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16}
SIDES = {"cpu": (512, 1024, 2048), "cuda": (4096, 8192)}  # of the square matrices whose product is timed
COPIED = 2**28  # bytes
SECONDS = 0.3  # for each thing that is timed


class Cost(NamedTuple):
    """What a step takes, on average where steps differ."""

    flops: float
    bytes: float


def count(advance: Callable[[int], Any], steps: int, updated: int, averaged: int) -> Cost:
    """The cost of a step, from `steps` real ones taken by advance(steps); `updated` weights are touched by
    Adam in a step, `averaged` by the EMA.
    """
    with Tally() as tally:
        advance(steps)
    return Cost(tally.flops / steps, tally.moved / steps + 4 * (7 * updated + 3 * averaged))


class Machine(NamedTuple):
    """What a machine can do in a second."""

    flops: float
    bytes: float


def floor_seconds(cost: Cost, machine: Machine) -> tuple[float, str]:
    """The least time of a step, and which of "FLOP" and "bytes" takes it."""
    return max((cost.flops / machine.flops, "FLOP"), (cost.bytes / machine.bytes, "bytes"))


@functools.cache
def machine(device: str, precision: str, threads: int) -> Machine:
    """The largest rate of a square matrix product in a precision with so many CPU threads, and of a copy in
    main or GPU memory, both measured now.
    """
    with _threads(threads):
        return Machine(
            max(_matrix_rate(device, DTYPES[precision], side) for side in SIDES[device]), _copy_rate(device)
        )


@contextmanager
def _threads(count: int):
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _matrix_rate(device: str, dtype: torch.dtype, side: int) -> float:
    """FLOP/s. On a GPU float32 may be TF32, because convolutions there are by torch's default."""
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if device == "cuda" else before)
    try:
        return 2 * side**3 / _fastest(lambda: a @ b, device)
    finally:
        torch.set_float32_matmul_precision(before)


def _copy_rate(device: str) -> float:
    """Bytes read and written in a second."""
    source = torch.ones(COPIED, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * COPIED / _fastest(lambda: target.copy_(source), device)


def _fastest(work: Callable[[], Any], device: str) -> float:
    """The shortest time of `work` in seconds."""
    best, end = float("inf"), time.perf_counter() + SECONDS
    work()
    while True:
        synchronise(device)
        start = time.perf_counter()
        work()
        synchronise(device)
        now = time.perf_counter()
        best = min(best, now - start)
        if now > end:
            return best


def synchronise(device: str) -> None:
    """Wait until the device has done all that it was asked to."""
    if device == "cuda":
        torch.cuda.synchronize()
