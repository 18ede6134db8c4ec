"""Some thousand samples of a generator, kept small: where searches begin, and what a map shows."""

import math
import threading
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

from gan.latent.perception import Perception
from gan.latent.sampling import mixed_label

COUNT = 2048  # samples of a whole bank
SIDE = 32  # pixels of a kept picture's side, at most
CHUNK = 16  # pictures that are drawn, or looked at, before the time is looked at
PROBES = 64  # samples that tell how far samples are from each other


class SampleBank:
    """The samples of the seeds from 0 on, of mixed classes. Every method may be called from any thread.

    `draw(seeds, labels)` gives pictures uint8 (N, C, H, W) and takes turns by itself; `eye` looks at those
    that are kept, within `turns`.
    """

    def __init__(
        self,
        draw: Callable[[list[int], list[int | None]], torch.Tensor],
        num_classes: int,
        eye: Callable[[], Perception],
        turns,
    ):
        self._draw, self._num_classes, self._open_eye, self._turns = draw, num_classes, eye, turns
        self._lock = threading.Lock()
        self._pictures: list[torch.Tensor] = []
        self._features: list[torch.Tensor] = []
        self._eye: Perception | None = None
        self.held = 0  # bytes of memory that the samples take

    def __len__(self) -> int:
        return len(self._pictures) * CHUNK

    def label(self, seed: int) -> int | None:
        """The class of a sample, None where the generator knows none."""
        return mixed_label(seed, self._num_classes) if self._num_classes else None

    def grow(self, count: int, seconds: float = math.inf) -> int:
        """Draw until there are `count` samples (rounded up to whole chunks) or the time is over, one chunk at
        least; how many there are.
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
        """The samples that there are, uint8 (N, C, h, w) with h = w <= SIDE."""
        return torch.cat(self._pictures)

    def extract_features(self, seconds: float = math.inf) -> int:
        """Look at the samples that there are until all are seen or the time is over; how many are seen."""
        end = time.monotonic() + seconds
        while len(self._features) < len(self._pictures):
            with self._lock:
                if len(self._features) < len(self._pictures):
                    self._eye = self._eye or self._open_eye()
                    with self._turns, torch.inference_mode():
                        self._features.append(self._eye(as_floats(self._pictures[len(self._features)])))
                    self.held += self._features[-1].nbytes
            if time.monotonic() > end:
                break
        return len(self._features) * CHUNK

    def features(self) -> torch.Tensor:
        """What the eye sees in the samples that were looked at, (N, F) float32."""
        return torch.cat(self._features)

    def spacing(self) -> float:
        """How far samples are from their nearest among the others, on average over PROBES of them: mean
        absolute difference of pixels in [0, 1].
        """
        pictures = as_floats(self.pictures()).flatten(1)
        probes = range(0, len(pictures), max(1, len(pictures) // PROBES))
        distances = torch.cdist(pictures[probes], pictures, p=1) / (2 * pictures.shape[1])
        distances[range(len(probes)), probes] = math.inf
        return distances.min(1).values.mean().item()

    def likeness(self) -> float:
        """How far what the eye sees in a sample is from what it sees in the nearest other, for nine of ten of
        those that were looked at: 1 - cosine, 0 to 2.
        """
        seen = F.normalize(self.features())
        return 1 - (seen @ seen.T).fill_diagonal_(-1).max(1).values.quantile(0.1).item()


def small(images: torch.Tensor) -> torch.Tensor:
    """Pictures uint8 (N, C, H, W) as a bank keeps them: areas averaged down to SIDE where they are larger."""
    if images.shape[2] <= SIDE:
        return images
    return F.adaptive_avg_pool2d(images.float(), SIDE).round().to(torch.uint8)


def as_floats(images: torch.Tensor) -> torch.Tensor:
    """uint8 pictures in [-1, 1]."""
    return images.float() / 127.5 - 1
