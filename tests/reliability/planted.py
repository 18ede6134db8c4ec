"""Train with a planted fault, to prove that the tests detect it.

Usage: python -m tests.reliability.planted RUN

Networks look embeddings up by indexing. PyTorch accumulates the gradient of indexing with atomics, in the
order in which threads arrive. GANarium once had this fault. Tests with small batches or one thread missed it,
because one thread sums small gradients.
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import torch
from torch import nn

from gan.worker.worker import work


def _by_indexing(classes: torch.Tensor, table: torch.Tensor, *_: object) -> torch.Tensor:
    return table[classes]


@contextlib.contextmanager
def planted() -> Iterator[None]:
    """Plant the fault until the end of the block."""
    with mock.patch.object(nn.functional, "embedding", _by_indexing):
        yield


if __name__ == "__main__":
    with planted():
        work(Path(sys.argv[1]))
