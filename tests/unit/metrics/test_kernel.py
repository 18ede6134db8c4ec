"""Test the kernel distance against scikit-learn's polynomial kernel and sums over pairs."""

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import polynomial_kernel

from gan.metrics.kernel import kernel_distance, mmd_squared


def features(count, seed, shift=0.0, width=24):
    return (
        torch.randn(count, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift
    )


def by_scikit_learn(real, fake):
    within = []
    for each in (real, fake):
        kernel = polynomial_kernel(each, degree=3, coef0=1)  # gamma defaults to 1 / D
        within.append(kernel[~np.eye(len(each), dtype=bool)].mean())
    return sum(within) - 2 * polynomial_kernel(real, fake, degree=3, coef0=1).mean()


@pytest.mark.parametrize(("real", "fake"), [(50, 50), (60, 45)])
def test_agrees_with_scikit_learn(real, fake):
    real, fake = features(real, 0), features(fake, 1, shift=0.3)
    # Both sides are float64. The terms are about 1, and their difference is about 0.1.
    assert mmd_squared(real, fake) == pytest.approx(by_scikit_learn(real.numpy(), fake.numpy()), abs=1e-12)


def test_single_precision_features_lose_nothing_more():
    real, fake = features(50, 0).float(), features(50, 1).float()
    assert mmd_squared(real, fake) == mmd_squared(real.double(), fake.double())


def test_one_subset_of_everything_is_the_whole():
    real, fake = features(80, 0), features(80, 1, shift=0.3)
    once = kernel_distance(real, fake, subsets=1, subset_size=80)
    assert once.mean == pytest.approx(mmd_squared(real, fake), abs=1e-12)  # the same sums in another order
    assert once.sd == 0


def test_subsets_estimate_the_whole_without_bias():
    real, fake = features(400, 0), features(400, 1, shift=0.2)
    whole, parts = mmd_squared(real, fake), kernel_distance(real, fake, subsets=200, subset_size=60)
    assert whole > 0.05
    # four standard errors of the mean, with a fixed seed
    assert abs(parts.mean - whole) < 4 * parts.sd / 200**0.5


def test_mean_is_about_zero_for_one_distribution_and_can_be_negative():
    values = [
        kernel_distance(features(200, seed), features(200, seed + 100), subsets=5, subset_size=100).mean
        for seed in range(10)
    ]
    assert min(values) < 0 < max(values)
    assert abs(np.mean(values)) < 4 * np.std(values) / 10**0.5  # four standard errors


def test_a_collapsed_set_is_far():
    real = features(200, 0)
    alike = kernel_distance(real, features(200, 1), 10, 100)
    collapsed = kernel_distance(real, real[:1].expand(200, -1), 10, 100)
    assert collapsed.mean > 1 > 10 * abs(alike.mean)


def test_seed_decides():
    real, fake = features(200, 0), features(200, 1)
    first, again, other = (kernel_distance(real, fake, 5, 50, seed) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_subsets_larger_than_a_set_are_refused():
    with pytest.raises(ValueError, match="subsets of 100"):
        kernel_distance(features(100, 0), features(99, 1), subset_size=100)
