"""Did the generator learn, or copy? Distances of generated pictures to the training pictures, beside those of
pictures it has never seen.
"""

from typing import NamedTuple

import torch

from gan.metrics.distances import nearest


class NearestTraining(NamedTuple):
    """The training picture nearest to each sample."""

    distances: torch.Tensor  # (N,) float64 >= 0, Euclidean; exactly 0 for a copy
    indices: torch.Tensor  # (N,) int64, rows of the training set


def nearest_training(samples: torch.Tensor, train: torch.Tensor) -> NearestTraining:
    """The nearest row of train (M, D) for each row of samples (N, D); raises ValueError if one is empty or
    not finite.
    """
    indices = nearest(samples, train, 1).indices[:, 0]
    # The search squares and cancels; differences are exact where it matters most, at copies.
    chunks = zip(samples.split(1024), indices.split(1024), strict=True)
    distances = [
        torch.linalg.vector_norm(rows.double() - train[found].double(), dim=1) for rows, found in chunks
    ]
    return NearestTraining(torch.cat(distances), indices)


def mann_whitney_z(first: torch.Tensor, second: torch.Tensor) -> float:
    """Standard score of the Mann-Whitney U of two samples, (N,) and (M,): negative where `first` tends to be
    smaller, about N(0, 1) if alike.

    Ties count half and narrow the expected spread, as in scipy.stats.mannwhitneyu without its continuity
    correction; 0 if all values are equal.
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
    """C_T of Meehan, Chaudhuri and Dasgupta 2020: are samples (N, D) nearer to train (T, D) than held-out
    reals (M, D) are?

    A standard score: below -3 copying, about 0 as it should be, above 3 underfitting (too far from the data);
    it grows with the root of the sample size. The paper also defines it over cells of the space, which show
    samples that copy in one corner; here it is that of the whole. Raises ValueError if a set is empty or not
    finite.
    """
    return mann_whitney_z(
        nearest_training(samples, train).distances, nearest_training(held_out, train).distances
    )


def share_of_copies(
    train: torch.Tensor, held_out: torch.Tensor, samples: torch.Tensor, rank: float = 0.01
) -> float:
    """Share, 0 to 1, of samples (N, D) that are nearer to a picture of train (T, D) than all but the `rank`
    nearest of held_out (M, D) are.

    About `rank` where samples are as far from the training pictures as new real ones. Where C_T judges the
    whole, this counts: a few copies among many good pictures show here and not there. Raises ValueError if a
    set is empty or not finite.
    """
    usual = nearest_training(held_out, train).distances.quantile(rank)
    return (nearest_training(samples, train).distances < usual).double().mean().item()
