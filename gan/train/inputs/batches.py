"""Give each step its real images: from the training device where they fit, else from the host.

On a device, images take up to a quarter of its memory. Beyond that, threads gather the next batches from the
host's memory, or from a mapped file, while the device computes. Both ways give the same bytes in the same
layout, so a run does not depend on which one it uses.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch

from gan.data.pixels import held

THREADS = 2  # that gather batches
AHEAD, AHEAD_BYTES = 4, 2**28  # batches gathered ahead, and the most bytes that these may take


class Batches(Protocol):
    """The real images of a step: one batch for each of its updates of D."""

    def place(self, turn: int, index: int) -> None:
        """Prepare batch number `index` of the run for the update of D number `turn`, before the step."""

    def batch(self, turn: int, rows: torch.Tensor) -> torch.Tensor:
        """Return the images that were placed, within the step: uint8 (batch, C, H, W) on the device.

        rows: their indices (batch,) int64, on the device.
        """

    def look(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the images at these rows (K,) int64: uint8 (K, C, H, W), on the host. No step calls this."""

    def forget(self) -> None:
        """Drop what was gathered ahead."""


class OnDevice:
    """All images on the training device."""

    def __init__(self, images: torch.Tensor, device: torch.device, layout: torch.memory_format):
        """images: uint8 (N, C, H, W)."""
        self.images = images.to(device, memory_format=layout)

    def place(self, turn: int, index: int) -> None:
        pass

    def batch(self, turn: int, rows: torch.Tensor) -> torch.Tensor:
        return self.images[rows]

    def look(self, rows: torch.Tensor) -> torch.Tensor:
        return self.images[rows.to(self.images.device)].contiguous().cpu()

    def forget(self) -> None:
        pass


class FromHost:
    """Images on the host. Threads gather the next batches, and a step reads them from the device."""

    def __init__(
        self,
        images: torch.Tensor,
        device: torch.device,
        layout: torch.memory_format,
        shape: tuple[int, int],
        rows_of: Callable[[int], torch.Tensor],
    ):
        """images: uint8 (N, C, H, W). shape: (d_steps, batch). rows_of: a batch's number -> rows (batch,)."""
        self.images, self.rows_of, self.pinned = images.numpy(), rows_of, device.type == "cuda"
        self.shape = (shape[1], *images.shape[1:])
        empty = torch.empty(self.shape, dtype=torch.uint8, device=device).to(memory_format=layout)
        self.placed = [torch.empty_like(empty) for _ in range(shape[0])]
        self.ahead = max(1, min(AHEAD, AHEAD_BYTES // empty.nbytes))
        self.threads = ThreadPoolExecutor(THREADS, "gather")
        self.gathered: dict[int, Future[torch.Tensor]] = {}

    def place(self, turn: int, index: int) -> None:
        wanted = range(index, index + 1 + self.ahead)
        self.gathered = {each: job for each, job in self.gathered.items() if each in wanted}
        for each in wanted:
            if each not in self.gathered:
                self.gathered[each] = self.threads.submit(self._gather, self.rows_of(each))
        # from pinned memory the copy runs beside the host, and torch keeps that memory until it is done
        self.placed[turn].copy_(self.gathered.pop(index).result(), non_blocking=True)

    def batch(self, turn: int, rows: torch.Tensor) -> torch.Tensor:
        return self.placed[turn]

    def look(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(self.images[rows.numpy()])

    def forget(self) -> None:
        self.gathered.clear()

    def _gather(self, rows: torch.Tensor) -> torch.Tensor:
        batch = torch.empty(self.shape, dtype=torch.uint8, pin_memory=self.pinned)
        # "clip" writes into `out` without a copy of it; torch would start threads in this thread
        np.take(self.images, rows.numpy(), 0, batch.numpy(), "clip")
        return batch


def memory(device: torch.device) -> int | None:
    """Return the bytes of a GPU's memory; None for the CPU, which shares the computer's."""
    return torch.cuda.get_device_properties(device).total_memory if device.type == "cuda" else None


def make_batches(
    images: torch.Tensor,
    device: torch.device,
    layout: torch.memory_format,
    shape: tuple[int, int],
    rows_of: Callable[[int], torch.Tensor],
) -> Batches:
    """Return the batches of a run: from the device if the images fit there, else from the host.

    images: uint8 (N, C, H, W). shape: (d_steps, batch). rows_of: number of a batch in the run -> its rows
    (batch,) int64 on the host.
    """
    if held(images.nbytes, memory(device)):
        return OnDevice(images, device, layout)
    return FromHost(images, device, layout, shape, rows_of)
