"""Compute precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020).

All four scores put a ball around each feature. Its radius is the distance to the k-th nearest neighbour in
the feature's own set. The union of the balls approximates the manifold of the set.
"""

from typing import NamedTuple

import torch

from gan.metrics.distances import nearest, tiles


class ManifoldScores(NamedTuple):
    """Precision, recall, density and coverage.

    For two samples of one distribution, density is about 1. Coverage is about 1 - 2^-k, .97 for k = 5.
    Precision and recall depend on the features.

    A generator that copies one image can reach full precision and high density. Its recall and coverage then
    fall to about 0. Naeem et al. prefer density and coverage, because one outlier with its large ball spoils
    precision and recall.
    """

    precision: float  # share of fakes inside the ball of a real feature, 0 to 1
    recall: float  # share of reals inside the ball of a fake feature, 0 to 1
    density: float  # mean number of real balls around a fake, divided by k; 0 or more
    coverage: float  # share of reals with a fake in their ball, 0 to 1


def squared_radii(features: torch.Tensor, k: int) -> torch.Tensor:
    """Squared distance of each row of features (N, D) to its k-th nearest other row: (N,) float64.

    Raises ValueError unless N > k.
    """
    return nearest(features, features, k, skip_self=True).squared[:, -1]


def manifold_scores(real: torch.Tensor, fake: torch.Tensor, k: int = 5) -> ManifoldScores:
    """Compare fake (M, D) with real (N, D) features by the four scores; N and M > k, preferably equal.

    Balls are open, as in the authors' package prdc. Raises ValueError if a set is too small or not finite.
    """
    real_radii, fake_radii = squared_radii(real, k), squared_radii(fake, k)
    balls_about_fake = torch.zeros(len(fake), dtype=torch.int64, device=real.device)
    recalled = torch.zeros(len(real), dtype=torch.bool, device=real.device)
    covered = torch.zeros_like(recalled)
    for down, across, tile in tiles(real, fake):
        in_real_ball = tile < real_radii[down, None]
        balls_about_fake[across] += in_real_ball.sum(0)
        covered[down] |= in_real_ball.any(1)
        recalled[down] |= (tile < fake_radii[across]).any(1)
    return ManifoldScores(
        precision=(balls_about_fake > 0).double().mean().item(),
        recall=recalled.double().mean().item(),
        density=balls_about_fake.double().mean().item() / k,
        coverage=covered.double().mean().item(),
    )
