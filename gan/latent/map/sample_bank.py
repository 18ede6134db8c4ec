"""Keep a few thousand small samples of a generator, for searches and the map."""

import math
import threading
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

from gan.latent.perception import Perception
from gan.latent.sampling import mixed_label

COUNT = 2048  # samples of a complete bank
SIDE = 32  # largest side of a stored image in pixels
CHUNK = 16  # images generated, or given features, between two looks at the clock
PROBES = 64  # samples whose nearest neighbours `spacing` averages over


class SampleBank:
    """The samples of the seeds 0, 1, 2, …, each with the class that its seed chooses. Thread-safe.

    `draw(seeds, labels)` returns uint8 images (N, C, H, W) and takes its own turns. `perception` opens the
    feature extractor, which the bank runs within `turns`.
    """

    def __init__(
        self,
        draw: Callable[[list[int], list[int | None]], torch.Tensor],
        num_classes: int,
        perception: Callable[[], Perception],
        turns,
    ):
        self._draw, self._num_classes, self._open_perception, self._turns = (
            draw,
            num_classes,
            perception,
            turns,
        )
        self._lock = threading.Lock()
        self._pictures: list[torch.Tensor] = []
        self._features: list[torch.Tensor] = []
        self._perceive: Perception | None = None
        self.held = 0  # bytes of memory that the samples take

    def __len__(self) -> int:
        return len(self._pictures) * CHUNK

    def label(self, seed: int) -> int | None:
        """The class of a sample, or None for an unconditional generator."""
        return mixed_label(seed, self._num_classes) if self._num_classes else None

    def grow(self, count: int, seconds: float = math.inf) -> int:
        """Generate samples until there are `count` or the time is over; returns how many there are.

        Each call generates at least one chunk. `count` is rounded up to whole chunks.
        """
        end = time.monotonic() + seconds
        while len(self) < count:
            with self._lock:
                if len(self) < count:
                    seeds = list(range(len(self), len(self) + CHUNK))
                    self._pictures.append(small(self._draw(seeds, [self.label(seed) for seed in seeds])))
                    self.held += self._pictures[-1].nbytes
            if time.monotonic() > end:
                break
        return len(self)

    def pictures(self) -> torch.Tensor:
        """All samples so far, uint8 (N, C, h, w) with h = w <= SIDE."""
        return torch.cat(self._pictures)

    def extract_features(self, seconds: float = math.inf) -> int:
        """Extract features until all samples have them or the time is over; returns how many have them."""
        end = time.monotonic() + seconds
        while len(self._features) < len(self._pictures):
            with self._lock:
                if len(self._features) < len(self._pictures):
                    self._perceive = self._perceive or self._open_perception()
                    with self._turns, torch.inference_mode():
                        self._features.append(self._perceive(as_floats(self._pictures[len(self._features)])))
                    self.held += self._features[-1].nbytes
            if time.monotonic() > end:
                break
        return len(self._features) * CHUNK

    def features(self) -> torch.Tensor:
        """Features (N, F) float32 of the first N samples."""
        return torch.cat(self._features)

    def spacing(self) -> float:
        """Mean distance from a sample to its nearest neighbour, over PROBES samples.

        The distance is the mean absolute difference of pixels in [0, 1].
        """
        pictures = as_floats(self.pictures()).flatten(1)
        probes = range(0, len(pictures), max(1, len(pictures) // PROBES))
        distances = torch.cdist(pictures[probes], pictures, p=1) / (2 * pictures.shape[1])
        distances[range(len(probes)), probes] = math.inf
        return distances.min(1).values.mean().item()

    def likeness(self) -> float:
        """90th percentile of the cosine distance from a sample's features to its nearest neighbour's, in [0,
        2].
        """
        seen = F.normalize(self.features())
        return 1 - (seen @ seen.T).fill_diagonal_(-1).max(1).values.quantile(0.1).item()


def small(images: torch.Tensor) -> torch.Tensor:
    """Images uint8 (N, C, H, W), reduced by area averaging to at most SIDE pixels."""
    if images.shape[2] <= SIDE:
        return images
    return F.adaptive_avg_pool2d(images.float(), SIDE).round().to(torch.uint8)


def as_floats(images: torch.Tensor) -> torch.Tensor:
    """uint8 images as floats in [-1, 1]."""
    return images.float() / 127.5 - 1
