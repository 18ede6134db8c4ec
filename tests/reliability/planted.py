"""A training with a fault in it, to prove that the tests see such faults: python -m tests.reliability.planted
RUN

Networks take their embeddings by indexing, whose gradient PyTorch adds up by atomics where threads share the
work: in whichever order they come. It was in GANarium once, and no test with small batches or one thread
could see it, because small gradients are added up by one thread.
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
    """The fault, for as long as this lasts."""
    with mock.patch.object(nn.functional, "embedding", _by_indexing):
        yield


if __name__ == "__main__":
    with planted():
        work(Path(sys.argv[1]))
