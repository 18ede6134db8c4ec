"""Distances to training pictures and C_T against scikit-learn, scipy and the authors' formula, and known values."""

import numpy as np
import pytest
import scipy.stats
import torch
from sklearn.neighbors import NearestNeighbors

from gan.metrics.distances import nearest
from gan.metrics.memory import data_copying, kmeans, mann_whitney_z, nearest_training


def features(count, seed, shift=0.0, scale=1.0, width=6):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed)) * scale + shift


def test_nearest_training_agrees_with_scikit_learn():
    train, samples = features(300, 0), features(1100, 1)
    distances, indices = NearestNeighbors(n_neighbors=1).fit(train.double().numpy()).kneighbors(samples.double().numpy())
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
    first, second = features(80, 3, shift, width=1)[:, 0].double().round(decimals=digits), features(60, 4, width=1)[:, 0].double().round(decimals=digits)
    expected = scipy.stats.mannwhitneyu(first, second, use_continuity=False, alternative="less", method="asymptotic")
    assert scipy.stats.norm.cdf(mann_whitney_z(first, second)) == pytest.approx(expected.pvalue, rel=1e-9)  # closed forms in float64


def test_z_without_ties_is_the_formula_of_the_paper():
    first, second = features(80, 5, width=1)[:, 0], features(60, 6, width=1)[:, 0]
    u = (first[:, None] > second).sum().item()
    assert mann_whitney_z(first, second) == pytest.approx((u - 80 * 60 / 2) / (80 * 60 * 141 / 12) ** 0.5, rel=1e-12)


def test_z_of_values_that_are_all_equal_is_zero():
    assert mann_whitney_z(torch.ones(5), torch.ones(6)) == 0


def test_c_t_in_cells_agrees_with_the_definition():
    train, held_out, samples = features(600, 7), features(400, 8), features(500, 9, scale=0.8)
    centres = kmeans(train, 4, seed=1)
    cell_of = {name: nearest(rows, centres, 1).indices[:, 0].numpy() for name, rows in {"train": train, "held": held_out, "fake": samples}.items()}
    scores, weights = [], []
    for cell in range(4):
        inside, held, fake = (rows[cell_of[name] == cell].double().numpy() for name, rows in [("train", train), ("held", held_out), ("fake", samples)])
        index = NearestNeighbors(n_neighbors=1).fit(inside)
        far_fake, far_held = index.kneighbors(fake)[0][:, 0], index.kneighbors(held)[0][:, 0]
        u = scipy.stats.mannwhitneyu(far_fake, far_held).statistic
        n, m = len(far_held), len(far_fake)
        scores.append((u - n * m / 2) / (n * m * (n + m + 1) / 12) ** 0.5)
        weights.append(n / 400)
    assert data_copying(train, held_out, samples, cells=4, seed=1) == pytest.approx(np.average(scores, weights=weights), rel=1e-9)


@pytest.mark.parametrize("cells", [1, 5])
def test_known_signs(cells):
    train, held_out = features(1000, 10), features(500, 11)
    assert abs(data_copying(train, held_out, features(500, 12), cells)) < 3  # N(0, 1) for one cell, narrower for several
    assert data_copying(train, held_out, train[:500] + 0.1 * features(500, 13), cells) < -5
    assert data_copying(train, held_out, features(500, 14, scale=1.7), cells) > 3


def test_cells_find_copying_that_the_whole_hides():
    """A quarter of the samples are copies in one corner, the rest lie too far out: over all they cancel, by cell they do not."""
    far, near = features(300, 15, shift=20), features(900, 16)
    train = torch.cat([far, near])
    held_out = torch.cat([features(300, 17, shift=20), features(900, 18)])
    samples = torch.cat([far + 1e-3, features(900, 19, scale=1.25)])
    whole = data_copying(train, held_out, samples)
    corner = data_copying(far, held_out[:300], samples[:300])
    assert corner < -15
    assert whole > -3
    centres = kmeans(train, 2)
    assert {round(value) for value in centres.mean(1).tolist()} == {0, 20}
    both = data_copying(train, held_out, samples, cells=2)
    apart = data_copying(near, held_out[300:], samples[300:])
    assert both == pytest.approx((300 * corner + 900 * apart) / 1200, rel=1e-9)  # the same scores, weighted by held-out reals


def test_cells_that_are_too_thin_are_left_out():
    train, held_out, samples = features(100, 20), features(50, 21), features(19, 22)
    with pytest.raises(ValueError, match="no cell has 20"):
        data_copying(train, held_out, samples)
    thin = torch.cat([samples, features(60, 23, shift=40)])
    wide_train, wide_held_out = torch.cat([train, features(100, 24, shift=40)]), torch.cat([held_out, features(50, 25, shift=40)])
    alone = data_copying(wide_train[100:], wide_held_out[50:], thin[19:])
    assert data_copying(wide_train, wide_held_out, thin, cells=2) == pytest.approx(alone, rel=1e-9)


def test_kmeans_is_seeded_and_finds_separate_clusters():
    points = torch.cat([features(50, 26, shift=10 * corner, scale=0.1) for corner in range(3)])
    centres = kmeans(points, 3, seed=2)
    assert torch.equal(centres, kmeans(points, 3, seed=2))
    assert sorted(centres.mean(1).round().tolist()) == [0, 10, 20]
    assert not torch.equal(centres, kmeans(points, 3, seed=3))  # at least in their order
    with pytest.raises(ValueError, match="can't be cut"):
        kmeans(points, 151)
