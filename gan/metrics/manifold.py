"""Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020).

All four draw a ball about each feature, out to its k-th nearest neighbour in its own set. The union of the
balls stands for the set's manifold.
"""

from typing import NamedTuple

import torch

from gan.metrics.distances import nearest, tiles


class ManifoldScores(NamedTuple):
    """For two samples of one distribution density is about 1, coverage about 1 - 2^-k (.97 for k = 5),
    precision and recall depend on the features.

    A generator that copies one picture can have full precision and a high density; recall and coverage then
    fall to about 0. The paper of density and coverage explains why they are to be preferred: one outlier with
    its large ball spoils precision and recall.
    """

    precision: float  # share of fakes inside some ball of a real one, 0 to 1
    recall: float  # share of reals inside some ball of a fake one, 0 to 1
    density: float  # balls of reals that a fake lies in, divided by k, mean: 0 or more
    coverage: float  # share of reals with a fake in their ball, 0 to 1


def squared_radii(features: torch.Tensor, k: int) -> torch.Tensor:
    """Squared distance of each row of features (N, D) to its k-th nearest other row: (N,) float64. Raises
    ValueError unless N > k.
    """
    return nearest(features, features, k, skip_self=True).squared[:, -1]


def manifold_scores(real: torch.Tensor, fake: torch.Tensor, k: int = 5) -> ManifoldScores:
    """Precision, recall, density and coverage of fake (M, D) against real (N, D) features, N and M > k, best
    equally many.

    Balls are open, as in the authors' code (the package prdc). Raises ValueError if the sets are too small or
    not finite.
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
