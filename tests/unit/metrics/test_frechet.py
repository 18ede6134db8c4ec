"""Test the Fréchet distance against scipy.linalg.sqrtm and closed forms."""

import numpy as np
import pytest
import scipy.linalg
import torch

from gan.metrics.frechet import Gaussian, fit_gaussian, frechet_distance


def features(count, width, seed):
    """Return correlated features with spreads from 1 to 10."""
    generator = torch.Generator().manual_seed(seed)
    mix = torch.randn(width, width, generator=generator, dtype=torch.float64) * torch.logspace(
        0, 1, width, dtype=torch.float64
    )
    return torch.randn(count, width, generator=generator, dtype=torch.float64) @ mix + torch.randn(
        width, generator=generator
    )


def by_sqrtm(real, fake):
    """Compute the paper's formula, with the root of the product by Schur decomposition."""
    root = scipy.linalg.sqrtm((real.covariance @ fake.covariance).numpy())
    gap = (real.mean - fake.mean).square().sum().item()
    return gap + np.trace(real.covariance.numpy() + fake.covariance.numpy() - 2 * root.real)


def test_statistics_agree_with_numpy():
    rows = features(200, 16, seed=0)
    fitted = fit_gaussian(rows.float())
    rows = rows.float().double().numpy()
    np.testing.assert_allclose(fitted.mean, rows.mean(0), rtol=1e-12, atol=1e-12)  # float64 on both sides
    np.testing.assert_allclose(fitted.covariance, np.cov(rows, rowvar=False), rtol=1e-12, atol=1e-10)
    assert fitted.rows == 200


@pytest.mark.parametrize("width", [1, 8, 64])
def test_agrees_with_sqrtm_on_full_rank(width):
    real, fake = fit_gaussian(features(500, width, seed=1)), fit_gaussian(features(400, width, seed=2))
    # Two float64 algorithms on well-conditioned matrices agree to this.
    assert frechet_distance(real, fake) == pytest.approx(by_sqrtm(real, fake), rel=1e-9)


@pytest.mark.filterwarnings("ignore:Matrix is singular")
def test_agrees_with_sqrtm_on_singular_covariances():
    """There are fewer images than features, and some features are dead."""
    rows = features(40, 64, seed=3), features(30, 64, seed=4)
    for each in rows:
        each[:, :9] = 0
    real, fake = map(fit_gaussian, rows)
    # sqrtm is inexact on singular matrices. It takes roots of eigenvalues that are rounding errors:
    # sqrt(1e-16) of the largest, times 64.
    assert frechet_distance(real, fake) == pytest.approx(by_sqrtm(real, fake), rel=1e-5)


@pytest.mark.parametrize(
    ("first", "second", "width"), [(40, 30, 64), (20, 20, 256), (300, 10, 128), (500, 400, 64)]
)
def test_agrees_with_the_nuclear_norm_of_the_features_themselves(first, second, width):
    """For centred X and Y, Tr (S1 S2)^½ is the sum of the singular values of X Yᵀ.

    This needs no covariance and no root. It is exact where S1 and S2 are singular.
    """
    one, two = features(first, width, seed=10), features(second, width, seed=11)
    x, y = ((each - each.mean(0)) / (len(each) - 1) ** 0.5 for each in (one, two))
    spread = (x.square().sum() + y.square().sum()).item()
    expected = (
        (one.mean(0) - two.mean(0)).square().sum().item()
        + spread
        - 2 * torch.linalg.svdvals(x @ y.T).sum().item()
    )
    # 1e-10 of the variance: in float64 the root costs some digits. Roots of rounding errors would give 1e-8.
    assert frechet_distance(fit_gaussian(one), fit_gaussian(two)) == pytest.approx(
        expected, abs=1e-10 * spread
    )


def test_a_shifted_copy_is_as_far_as_the_shift():
    rows = features(300, 32, seed=5)
    shift = torch.linspace(-1, 1, 32, dtype=torch.float64)
    distance = frechet_distance(fit_gaussian(rows), fit_gaussian(rows + shift))
    # the two traces of about 1e5 cancel to 1e-16 of them
    assert distance == pytest.approx(shift.square().sum().item(), rel=1e-8)


def test_closed_form_of_commuting_covariances():
    """With diagonal covariances the distance is |m1 - m2|² + the sum of (s1 - s2)²."""
    first, second = (
        torch.linspace(0, 2, 20, dtype=torch.float64),
        torch.linspace(3, 1, 20, dtype=torch.float64),
    )
    real = Gaussian(torch.zeros(20, dtype=torch.float64), first.square().diag(), 100)
    fake = Gaussian(torch.full((20,), 0.5, dtype=torch.float64), second.square().diag(), 100)
    expected = 20 * 0.25 + (first - second).square().sum().item()
    assert frechet_distance(real, fake) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("count", [10, 500])
def test_identical_sets_are_at_distance_zero(count):
    fitted = fit_gaussian(features(count, 64, seed=6))
    # 1e-7 of the trace: the code drops eigenvalues below 64 roundings of the largest, and with them their
    # roots.
    assert 0 <= frechet_distance(fitted, fitted) < 1e-7 * fitted.covariance.trace()


def test_a_collapsed_set_loses_all_its_variance():
    real = fit_gaussian(features(300, 32, seed=7))
    fake = fit_gaussian(real.mean.expand(300, -1))
    assert frechet_distance(real, fake) == pytest.approx(real.covariance.trace().item(), rel=1e-9)
    # the square of a zero variance's rounding differs between processors
    assert frechet_distance(fake, fake) == pytest.approx(0, abs=1e-20)


def test_order_does_not_matter():
    real, fake = fit_gaussian(features(100, 64, seed=8)), fit_gaussian(features(50, 64, seed=9))
    # one of the two is singular, see above
    assert frechet_distance(real, fake) == pytest.approx(frechet_distance(fake, real), rel=1e-6)


@pytest.mark.parametrize("bad", [torch.zeros(1, 3), torch.tensor([[0.0], [torch.inf]])])
def test_unusable_features_are_refused(bad):
    with pytest.raises(ValueError, match="features must be"):
        fit_gaussian(bad)
