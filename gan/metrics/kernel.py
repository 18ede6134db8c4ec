"""Compute the kernel distance: unbiased squared MMD with a cubic kernel (Bińkowski et al. 2018).

Over Inception features it is KID, over others KD. Unlike the Fréchet distance, it is unbiased at any sample
size. So it can be negative if the sets are alike.
"""

from typing import NamedTuple

import torch

from gan.metrics.distances import check_features


class KernelDistance(NamedTuple):
    """Mean and standard deviation (divided by the number of subsets) over the subsets.

    The mean is about 0 for equal distributions.
    """

    mean: float
    sd: float


def mmd_squared(real: torch.Tensor, fake: torch.Tensor) -> float:
    """Unbiased squared MMD of features real (N, D) and fake (M, D) under the kernel (x·y / D + 1)³.

    It takes N x M float64 of memory. Raises ValueError if N or M is below 2 or the features are not finite.
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
    """Average `mmd_squared` over random subsets of real (N, D) and fake (M, D), drawn without replacement.

    Equal seeds draw equal subsets. The defaults are those of the paper's code: 100 subsets of 1000. Raises
    ValueError if a set is smaller than a subset.
    """
    if subset_size > min(len(real), len(fake)):
        raise ValueError(f"subsets of {subset_size} need as many features, not {len(real)} and {len(fake)}")
    generator = torch.Generator().manual_seed(seed)

    def draw(features: torch.Tensor) -> torch.Tensor:
        return features[torch.randperm(len(features), generator=generator)[:subset_size].to(features.device)]

    values = torch.tensor([mmd_squared(draw(real), draw(fake)) for _ in range(subsets)], dtype=torch.float64)
    return KernelDistance(values.mean().item(), values.std(correction=0).item())


def _cubic(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Evaluate the kernel (x·y / D + 1)³ for all rows of a (N, D) and b (M, D): (N, M)."""
    base = (a @ b.T).div_(a.shape[1]).add_(1)
    return base * base * base  # pow(3) is several times slower


def _mean_off_diagonal(matrix: torch.Tensor) -> torch.Tensor:
    """Average a square matrix (N, N) without its diagonal. Leaving out x = y makes the estimate unbiased."""
    return (matrix.sum() - matrix.trace()) / (len(matrix) * (len(matrix) - 1))
