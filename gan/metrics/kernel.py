"""Kernel distance (KID over Inception features, KD over any other): unbiased squared MMD with a cubic kernel
(Bińkowski et al. 2018).

Unlike the Fréchet distance it has no bias that depends on the sample size, so it can be negative where the
sets are alike.
"""

from typing import NamedTuple

import torch

from gan.metrics.distances import check_features


class KernelDistance(NamedTuple):
    """Mean and standard deviation (divided by the number of subsets) over the subsets; the mean is about 0
    for equal distributions.
    """

    mean: float
    sd: float


def mmd_squared(real: torch.Tensor, fake: torch.Tensor) -> float:
    """Unbiased squared maximum mean discrepancy of real (N, D) and fake (M, D) features under the kernel (x·y
    / D + 1)³; N, M >= 2.

    Takes N x M float64 of memory. Raises ValueError if features are too few or not finite.
    """
    check_features(real, least=2)
    check_features(fake, least=2)
    real, fake = real.double(), fake.double()
    return (
        _mean_off_diagonal(_cubic(real, real))
        + _mean_off_diagonal(_cubic(fake, fake))
        - 2 * _cubic(real, fake).mean()
    ).item()


def kernel_distance(
    real: torch.Tensor, fake: torch.Tensor, subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> KernelDistance:
    """`mmd_squared` on random subsets, drawn without replacement from real (N, D) and fake (M, D), the same
    for the same seed.

    The defaults are those of the paper's code (100 subsets of 1000). Raises ValueError if a set is smaller
    than a subset.
    """
    if subset_size > min(len(real), len(fake)):
        raise ValueError(f"subsets of {subset_size} need as many features, not {len(real)} and {len(fake)}")
    generator = torch.Generator().manual_seed(seed)

    def draw(features: torch.Tensor) -> torch.Tensor:
        return features[torch.randperm(len(features), generator=generator)[:subset_size].to(features.device)]

    values = torch.tensor([mmd_squared(draw(real), draw(fake)) for _ in range(subsets)], dtype=torch.float64)
    return KernelDistance(values.mean().item(), values.std(correction=0).item())


def _cubic(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The kernel (x·y / D + 1)³ of all rows of a (N, D) with all of b (M, D): (N, M)."""
    base = (a @ b.T).div_(a.shape[1]).add_(1)
    return base * base * base  # pow(3) is several times slower


def _mean_off_diagonal(matrix: torch.Tensor) -> torch.Tensor:
    """Mean of a square matrix (N, N) without its diagonal: leaving out x = y is what makes the estimate
    unbiased.
    """
    return (matrix.sum() - matrix.trace()) / (len(matrix) * (len(matrix) - 1))
