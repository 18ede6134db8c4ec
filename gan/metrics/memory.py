"""Test whether a generator copies training images.

The tests compare two distances to the training images: that of generated images, and that of held-out ones.
"""

from typing import NamedTuple

import torch

from gan.metrics.distances import nearest


class NearestTraining(NamedTuple):
    """The training image nearest to each sample."""

    distances: torch.Tensor  # (N,) float64 >= 0, Euclidean; exactly 0 for a copy
    indices: torch.Tensor  # (N,) int64, rows of the training set


def nearest_training(samples: torch.Tensor, train: torch.Tensor) -> NearestTraining:
    """Find the nearest row of train (M, D) for each row of samples (N, D).

    Raises ValueError if a set is empty or not finite.
    """
    indices = nearest(samples, train, 1).indices[:, 0]
    # The search loses precision by cancellation. Differences are exact where it matters most, at copies.
    chunks = zip(samples.split(1024), indices.split(1024), strict=True)
    distances = [
        torch.linalg.vector_norm(rows.double() - train[found].double(), dim=1) for rows, found in chunks
    ]
    return NearestTraining(torch.cat(distances), indices)


def mann_whitney_z(first: torch.Tensor, second: torch.Tensor) -> float:
    """Standard score of the Mann-Whitney U of two samples (N,) and (M,).

    It is negative where `first` tends to be smaller, and about N(0, 1) for equal distributions. Ties count
    half and narrow the expected spread, as in scipy.stats.mannwhitneyu without continuity correction. It is 0
    if all values are equal.
    """
    first, second = first.double(), second.double().sort().values
    below, upto = torch.searchsorted(second, first), torch.searchsorted(second, first, right=True)
    u = (below + upto).sum().item() / 2
    n, m = len(first), len(second)
    ties = torch.cat([first, second]).unique(return_counts=True)[1].double()
    total = n + m
    variance = n * m / 12 * (total + 1 - (ties**3 - ties).sum().item() / (total * (total - 1)))
    return (u - n * m / 2) / variance**0.5 if variance > 0 else 0.0


def data_copying(train: torch.Tensor, held_out: torch.Tensor, samples: torch.Tensor) -> float:
    """C_T of Meehan, Chaudhuri and Dasgupta 2020: are samples nearer to train than held-out reals are?

    Takes features of train (T, D), held-out reals (M, D) and samples (N, D). Returns a standard score. Below
    -3 it means copying, and above 3 underfitting (too far from the data). About 0 is ideal. The score grows
    with the root of the sample size. The paper also computes it for cells of the space, to find copies in one
    region. Here it covers the whole space. Raises ValueError if a set is empty or not finite.
    """
    return mann_whitney_z(
        nearest_training(samples, train).distances, nearest_training(held_out, train).distances
    )


def share_of_copies(
    train: torch.Tensor, held_out: torch.Tensor, samples: torch.Tensor, rank: float = 0.01
) -> float:
    """Share, 0 to 1, of samples (N, D) that are closer to train (T, D) than new real images usually are.

    The threshold is the `rank` quantile of the distances from held_out (M, D) to train. So the share is about
    `rank` where samples are as far from train as new real images are. C_T judges the whole distribution. This
    share also reveals a few copies among many good images. Raises ValueError if a set is empty or not finite.
    """
    usual = nearest_training(held_out, train).distances.quantile(rank)
    return (nearest_training(samples, train).distances < usual).double().mean().item()
