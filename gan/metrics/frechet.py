"""Fréchet distance between Gaussians fitted to features (Heusel et al. 2017, TTUR; the formula is from Dowson
and Landau 1982).

Over Inception features this is FID; over any other it is FD, and belongs with the name of the feature net. It
is biased upwards for small samples (Bińkowski et al. 2018): compare only scores of equally many pictures.
"""

from typing import NamedTuple

import torch

from gan.metrics.distances import check_features


class Gaussian(NamedTuple):
    """What the Fréchet distance needs of a feature set; worth storing for the real one."""

    mean: torch.Tensor  # (D,) float64
    covariance: torch.Tensor  # (D, D) float64, unbiased (divided by count - 1)
    count: int  # rows that it was fitted to


def fit_gaussian(features: torch.Tensor) -> Gaussian:
    """Mean and covariance, in float64, of features (N, D), N >= 2. Raises ValueError if they are fewer or not
    finite.
    """
    check_features(features, least=2)
    features = features.double()
    mean = features.mean(0)
    centred = features - mean
    return Gaussian(mean, centred.T @ centred / (len(features) - 1), len(features))


def frechet_distance(real: Gaussian, fake: Gaussian) -> float:
    """|m1 - m2|² + Tr S1 + Tr S2 - 2 Tr (S1 S2)^½, >= 0, in squared units of the features; 0 for equal
    Gaussians.

    (S1 S2)^½ has the trace of (S1^½ S2 S1^½)^½, a root of a symmetric matrix. Its eigenvalues stay real where
    the product's would turn complex by rounding, so singular covariances (fewer pictures than features, dead
    features, one picture over and over) need no ridge.
    """
    half = _square_root(real.covariance)
    middle = half @ fake.covariance @ half
    overlap = _eigenvalues_without_noise(torch.linalg.eigvalsh((middle + middle.T) / 2)).sqrt().sum()
    spread = real.covariance.trace() + fake.covariance.trace()
    return max(0.0, ((real.mean - fake.mean).square().sum() + spread - 2 * overlap).item())


def _square_root(covariance: torch.Tensor) -> torch.Tensor:
    """The symmetric root of a positive semi-definite matrix (D, D)."""
    values, vectors = torch.linalg.eigh(covariance)
    return (vectors * _eigenvalues_without_noise(values).sqrt()) @ vectors.T


def _eigenvalues_without_noise(values: torch.Tensor) -> torch.Tensor:
    """Eigenvalues (D,) with those that rounding alone explains set to 0: left in, a root would make 1e-16 of
    the largest into 1e-8.
    """
    noise = values.abs().max() * len(values) * torch.finfo(values.dtype).eps
    return torch.where(values > noise, values, 0.0)
