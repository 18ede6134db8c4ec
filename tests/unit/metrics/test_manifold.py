"""Test precision, recall, density and coverage against scikit-learn's neighbours, and known values."""

import numpy as np
import pytest
import torch
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors

from gan.metrics import distances
from gan.metrics.manifold import manifold_scores, squared_radii


def features(count, seed, width=8, shift=0.0, scale=1.0):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed)) * scale + shift


def by_definition(real, fake, k):
    real_radii, fake_radii = (
        NearestNeighbors(n_neighbors=k).fit(each).kneighbors()[0][:, -1] for each in (real, fake)
    )
    between = pairwise_distances(real, fake)
    inside = between < real_radii[:, None]
    recalled = (between < fake_radii).any(1)
    return inside.any(0).mean(), recalled.mean(), inside.sum(0).mean() / k, inside.any(1).mean()


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize(("shift", "scale"), [(0, 1), (0.8, 1), (0, 0.5), (0, 2)])
def test_agrees_with_the_definitions(monkeypatch, k, shift, scale):
    monkeypatch.setattr(distances, "TILE", 64)  # several tiles a side, the last one short
    real, fake = features(150, 0), features(170, 1, shift=shift, scale=scale)
    # Shares are counts over totals. No pair lies within rounding of a radius, so the counts are equal, and
    # only the division rounds.
    assert manifold_scores(real, fake, k) == pytest.approx(
        by_definition(real.double().numpy(), fake.double().numpy(), k), abs=1e-12
    )


def test_radii_agree_with_scikit_learn():
    points = features(100, 2).double()
    expected = NearestNeighbors(n_neighbors=5).fit(points.numpy()).kneighbors()[0][:, -1]
    np.testing.assert_allclose(squared_radii(points, 5).sqrt(), expected, rtol=1e-12)  # float64 on both sides


def test_two_samples_of_one_distribution():
    """The expectation of coverage is 1 - 1/2 · 1/2 ... (k times) = .969, and that of density is 1.

    Both hold for any distribution (Naeem et al. 2020, lemma 2).
    """
    scores = manifold_scores(features(2000, 3), features(2000, 4))
    assert scores.coverage == pytest.approx(0.969, abs=0.015)  # the spread is about sqrt(.03 / 2000) = .004
    assert scores.density == pytest.approx(1, abs=0.05)
    assert scores.precision > 0.9
    assert scores.recall > 0.9


def test_a_set_against_itself():
    real = features(500, 5)
    scores = manifold_scores(real, real.clone())
    assert scores[:2] == (1, 1)
    assert scores.coverage == 1
    # Each open ball holds its centre and k - 1 others. Ties at its rim may round either way.
    assert scores.density == pytest.approx(1, abs=0.01)


def test_a_collapsed_set_is_precise_and_covers_nothing():
    real = features(500, 6)
    scores = manifold_scores(real, real[:1] + 1e-3 * features(500, 7))
    assert scores.precision == 1
    assert scores.recall < 0.01
    assert scores.coverage < 0.1


def test_a_set_of_one_repeated_picture_covers_nothing():
    real = features(300, 8)
    scores = manifold_scores(real, torch.full((300, 8), 50.0))
    assert scores == (0, 0, 0, 0)


def test_half_of_the_modes_gives_half_of_the_coverage():
    left, right = features(400, 9, shift=-20), features(400, 10, shift=20)
    scores = manifold_scores(torch.cat([left, right]), features(800, 11, shift=20))
    assert scores.recall == pytest.approx(0.5, abs=0.05)
    # 800 fakes on 400 reals leave almost none uncovered
    assert scores.coverage == pytest.approx(0.5, abs=0.01)
    assert scores.precision > 0.9


def test_an_outlier_spoils_precision_but_not_density():
    """This is the reason for density: one outlier among the real images has a ball over everything."""
    real, fake = features(500, 12), features(500, 13, shift=4)
    real[0] = 30
    scores = manifold_scores(real, fake)
    assert scores.precision == 1
    assert scores.density < 0.3


def test_too_few_features_are_refused():
    with pytest.raises(ValueError, match="N >= 6"):
        manifold_scores(features(5, 0), features(100, 1))
