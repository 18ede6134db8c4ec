"""Compute the Fréchet distance between Gaussians fitted to features (Heusel et al. 2017, TTUR).

The formula is from Dowson and Landau 1982. Over Inception features the distance is FID. Over others it is FD,
which needs the name of the feature extractor. Small samples bias it upwards (Bińkowski et al. 2018), so
compare only scores of equal numbers of images.
"""

from typing import NamedTuple

import torch

from gan.metrics.distances import check_features


class Gaussian(NamedTuple):
    """Mean and covariance of a feature set. Those of the real images are worth storing."""

    mean: torch.Tensor  # (D,) float64
    covariance: torch.Tensor  # (D, D) float64, unbiased (divided by rows - 1)
    rows: int  # number of feature vectors


def fit_gaussian(features: torch.Tensor) -> Gaussian:
    """Compute mean and covariance of features (N, D) in float64.

    Raises ValueError if N < 2 or the features are not finite.
    """
    check_features(features, least=2)
    features = features.double()
    mean = features.mean(0)
    centred = features - mean
    return Gaussian(mean, centred.T @ centred / (len(features) - 1), len(features))


def frechet_distance(real: Gaussian, fake: Gaussian) -> float:
    """|m1 - m2|² + Tr S1 + Tr S2 - 2 Tr (S1 S2)^½, >= 0, in squared feature units; 0 for equal Gaussians.

    (S1 S2)^½ has the trace of (S1^½ S2 S1^½)^½, the root of a symmetric matrix. The eigenvalues of the
    symmetric matrix stay real, while rounding would turn those of the product complex. So singular
    covariances need no ridge. They arise from fewer images than features, constant features, or copies of one
    image.
    """
    half = _square_root(real.covariance)
    middle = half @ fake.covariance @ half
    overlap = _eigenvalues_without_noise(torch.linalg.eigvalsh((middle + middle.T) / 2)).sqrt().sum()
    spread = real.covariance.trace() + fake.covariance.trace()
    return max(0.0, ((real.mean - fake.mean).square().sum() + spread - 2 * overlap).item())


def _square_root(covariance: torch.Tensor) -> torch.Tensor:
    """Return the symmetric root of a positive semi-definite matrix (D, D)."""
    values, vectors = torch.linalg.eigh(covariance)
    return (vectors * _eigenvalues_without_noise(values).sqrt()) @ vectors.T


def _eigenvalues_without_noise(values: torch.Tensor) -> torch.Tensor:
    """Set eigenvalues (D,) within rounding error of 0 to 0.

    Otherwise the root would turn 1e-16 of the largest eigenvalue into 1e-8.
    """
    noise = values.abs().max() * len(values) * torch.finfo(values.dtype).eps
    return torch.where(values > noise, values, 0.0)
