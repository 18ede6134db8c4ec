"""Test distances to training images, and C_T.

The references are scikit-learn, scipy, the authors' formula and known values.
"""

import numpy as np
import pytest
import scipy.stats
import torch
from sklearn.neighbors import NearestNeighbors

from gan.metrics.memory import data_copying, mann_whitney_z, nearest_training


def features(count, seed, shift=0.0, scale=1.0, width=6):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed)) * scale + shift


def test_nearest_training_agrees_with_scikit_learn():
    train, samples = features(300, 0), features(1100, 1)
    distances, indices = (
        NearestNeighbors(n_neighbors=1).fit(train.double().numpy()).kneighbors(samples.double().numpy())
    )
    found = nearest_training(samples, train)
    np.testing.assert_array_equal(found.indices, indices[:, 0])
    np.testing.assert_allclose(found.distances, distances[:, 0], rtol=1e-12)  # float64 on both sides


def test_a_copy_is_at_distance_zero_exactly_and_a_near_copy_is_not():
    train = features(200, 2, shift=100)
    samples = torch.cat([train[[17]], train[[5]] + 1e-4])
    found = nearest_training(samples, train)
    assert found.indices.tolist() == [17, 5]
    assert found.distances[0] == 0
    assert found.distances[1] == pytest.approx(1e-4 * 6**0.5, rel=0.1)  # float32 holds 100.0001 to 4e-6


@pytest.mark.parametrize(("digits", "shift"), [(9, 0.1), (0, 0.1), (0, -1.0), (9, 0)])
def test_z_agrees_with_scipy(digits, shift):
    """With `digits` 0 most values are tied."""
    first, second = (
        features(80, 3, shift, width=1)[:, 0].double().round(decimals=digits),
        features(60, 4, width=1)[:, 0].double().round(decimals=digits),
    )
    expected = scipy.stats.mannwhitneyu(
        first, second, use_continuity=False, alternative="less", method="asymptotic"
    )
    # closed forms in float64
    assert scipy.stats.norm.cdf(mann_whitney_z(first, second)) == pytest.approx(expected.pvalue, rel=1e-9)


def test_z_without_ties_is_the_formula_of_the_paper():
    first, second = features(80, 5, width=1)[:, 0], features(60, 6, width=1)[:, 0]
    u = (first[:, None] > second).sum().item()
    assert mann_whitney_z(first, second) == pytest.approx(
        (u - 80 * 60 / 2) / (80 * 60 * 141 / 12) ** 0.5, rel=1e-12
    )


def test_z_of_values_that_are_all_equal_is_zero():
    assert mann_whitney_z(torch.ones(5), torch.ones(6)) == 0


def test_c_t_agrees_with_the_definition():
    train, held_out, samples = (
        each.double() for each in (features(600, 7), features(400, 8), features(500, 9, scale=0.8))
    )
    index = NearestNeighbors(n_neighbors=1).fit(train.numpy())
    far_samples, far_held_out = (index.kneighbors(each.numpy())[0][:, 0] for each in (samples, held_out))
    u = scipy.stats.mannwhitneyu(far_samples, far_held_out).statistic
    assert data_copying(train, held_out, samples) == pytest.approx(
        (u - 500 * 400 / 2) / (500 * 400 * 901 / 12) ** 0.5, rel=1e-9
    )


def test_known_signs():
    train, held_out = features(1000, 10), features(500, 11)
    assert abs(data_copying(train, held_out, features(500, 12))) < 3  # N(0, 1)
    assert data_copying(train, held_out, train[:500] + 0.1 * features(500, 13)) < -5
    assert data_copying(train, held_out, features(500, 14, scale=1.7)) > 3


def test_an_empty_or_broken_set_is_refused():
    train, held_out = features(100, 15), features(50, 16)
    for samples in (features(0, 17), features(20, 17) * torch.nan):
        with pytest.raises(ValueError, match=r"features must be|finite"):
            data_copying(train, held_out, samples)
