"""Measure how well samples match a set of points. All functions are pure.

Distances are Euclidean, in the units of the networks. Definitions follow the published code of PacGAN (Lin et
al. 2018), which follows VEEGAN (Srivastava et al. 2017). A sample belongs to its nearest mode. It is of high
quality if it lies within three standard deviations of that mode's centre. A mode is covered if at least one
high-quality sample belongs to it. Both papers draw SAMPLES samples.
"""

import math
from typing import NamedTuple

import torch

from gan.kinds.points.data import Modes, PointSet
from gan.metrics.manifold import manifold_scores
from gan.metrics.modes import class_histogram, mode_divergence

SAMPLES = 2_500
SIGMAS = 3.0


class Scores(NamedTuple):
    """The metrics of samples; the first three are None for a set without modes.

    modes: modes covered, 0 to K.
    high_quality: share of high-quality samples, 0 to 1; a perfect generator reaches 1 - exp(-9/2) = .989.
    kl: KL in nats of the high-quality samples' histogram over modes against the uniform one, 0 to log K;
        log K too where there is no high-quality sample.
    precision, coverage: see gan/metrics/manifold.py, with k = 5 and SAMPLES real points, 0 to 1; equal sets
        of points reach a coverage of .97.
    """

    modes: int | None
    high_quality: float | None
    kl: float | None
    precision: float
    coverage: float


def score(points: PointSet, samples: torch.Tensor) -> Scores:
    """All metrics of samples (N, 2) in the units of the networks, at best SAMPLES of them."""
    manifold = manifold_scores(points.points[:SAMPLES], samples)
    modes, good, kl = (None, None, None) if points.modes is None else mode_scores(samples, points.modes)
    return Scores(modes, good, kl, manifold.precision, manifold.coverage)


def diversity(samples: torch.Tensor, real: torch.Tensor) -> float | None:
    """Return the mean distance between samples (N, 2) divided by that between real points (M, 2).

    It compares each point with the next one. Far below 1 the samples lie in too few places (mode collapse).
    None if all real points are equal.
    """
    spread, natural = (
        (points[1:] - points[:-1]).norm(dim=1).mean().item() for points in (samples[:SAMPLES], real[:SAMPLES])
    )
    return spread / natural if natural else None


def mode_histogram(samples: torch.Tensor, modes: Modes) -> torch.Tensor:
    """High-quality samples of each mode, for samples (N, 2): (K,) int64."""
    distance, nearest = torch.cdist(samples, modes.centres).min(1)
    return class_histogram(nearest[distance < SIGMAS * modes.sd], len(modes.centres))


def mode_scores(samples: torch.Tensor, modes: Modes) -> tuple[int, float, float]:
    """Modes covered, high-quality share and KL (nats) of samples (N, 2), as in Scores."""
    histogram = mode_histogram(samples, modes)
    good, count = int(histogram.sum()), len(histogram)
    kl = mode_divergence(torch.ones(count), histogram) if good else math.log(count)
    return int((histogram > 0).sum()), good / len(samples), kl
