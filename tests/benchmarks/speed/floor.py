"""Estimate the time that arithmetic alone would take for a training step.

The estimate divides what one step computes and moves by what this machine computes and moves in a second. It
counts the matrix operations (convolutions, products) of a real step. The backward passes and those of the
gradient penalty are included. A multiplication with its addition counts as two floating-point operations. The
bytes of operands and results count as read or written once, as if everything between them were free.

Adam reads weight, gradient and two moments, and writes three of them back: 7 floats a weight. The EMA reads
two floats and writes one: 3 floats for each weight of G. Computation and memory traffic can at best overlap,
so the floor is the larger of the two. The bandwidth is that of main memory. A step whose data fit into the
caches can therefore beat its memory floor.
"""

import functools
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch

from gan.train.autotune.cost import Tally

DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16}
# sides of the square matrices whose product is timed
SIDES = {"cpu": (512, 1024, 2048), "cuda": (4096, 8192)}
COPIED = 2**28  # bytes
SECONDS = 0.3  # seconds for each timed operation


class Cost(NamedTuple):
    """The cost of a step. Where steps differ, it is their mean."""

    flops: float
    bytes: float


def count(advance: Callable[[int], Any], steps: int, updated: int, averaged: int) -> Cost:
    """Measure the cost of a step, as the mean of `steps` real ones taken by advance(steps).

    Adam touches `updated` weights in a step, and the EMA `averaged` weights.
    """
    with Tally() as tally:
        advance(steps)
    return Cost(tally.flops / steps, tally.moved / steps + 4 * (7 * updated + 3 * averaged))


class Machine(NamedTuple):
    """Operations and bytes of a machine per second."""

    flops: float
    bytes: float


def floor_seconds(cost: Cost, machine: Machine) -> tuple[float, str]:
    """Return the least seconds of a step, and the bound that sets it: "FLOP" or "bytes"."""
    return max((cost.flops / machine.flops, "FLOP"), (cost.bytes / machine.bytes, "bytes"))


@functools.cache
def machine(device: str, precision: str, threads: int) -> Machine:
    """Measure the highest rates of a square matrix product and of a copy on this machine.

    The product uses this precision and so many CPU threads. The copy is in main memory or in the GPU's.
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
    """Return FLOP/s. On a GPU float32 may be TF32, because torch's convolutions use it there by default."""
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if device == "cuda" else before)
    try:
        return 2 * side**3 / _fastest(lambda: a @ b, device)
    finally:
        torch.set_float32_matmul_precision(before)


def _copy_rate(device: str) -> float:
    """Return the bytes read and written in a second."""
    source = torch.ones(COPIED, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * COPIED / _fastest(lambda: target.copy_(source), device)


def _fastest(work: Callable[[], Any], device: str) -> float:
    """Return the shortest time of `work` in seconds."""
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
    """Wait until the device has finished all queued work."""
    if device == "cuda":
        torch.cuda.synchronize()
