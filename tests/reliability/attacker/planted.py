"""Train with a planted fault, to prove that the tests detect it.

Networks look embeddings up by indexing. PyTorch accumulates the gradient of indexing with atomics, in the
order in which threads arrive. GANarium once had this fault. Tests with small batches or one thread missed it,
because one thread sums small gradients.
"""

import contextlib
from collections.abc import Iterator
from unittest import mock

import torch
from torch import nn


def _by_indexing(classes: torch.Tensor, table: torch.Tensor, *_: object) -> torch.Tensor:
    return table[classes]


@contextlib.contextmanager
def planted() -> Iterator[None]:
    """Plant the fault until the end of the block."""
    with mock.patch.object(nn.functional, "embedding", _by_indexing):
        yield
