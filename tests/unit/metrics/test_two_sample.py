"""Test the leave-one-out 1-nearest-neighbour test against scikit-learn's classifier and known values."""

import pytest
import torch
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from gan.metrics.two_sample import one_nearest_neighbour


def features(count, seed, shift=0.0, scale=1.0):
    return torch.randn(count, 6, generator=torch.Generator().manual_seed(seed)) * scale + shift


@pytest.mark.parametrize(("shift", "scale"), [(0, 1), (1, 1), (0, 0.4)])
def test_agrees_with_scikit_learn(shift, scale):
    real, fake = features(60, 0), features(60, 1, shift, scale)
    labels = [1] * 60 + [0] * 60
    predicted = cross_val_predict(
        KNeighborsClassifier(1), torch.cat([real, fake]).numpy(), labels, cv=LeaveOneOut()
    )
    right = (predicted == labels).astype(float)
    # Both count the same decisions, so only the division rounds.
    assert one_nearest_neighbour(real, fake) == pytest.approx(
        (right.mean(), right[:60].mean(), right[60:].mean()), abs=1e-12
    )


def test_one_distribution_can_not_be_told_apart():
    scores = one_nearest_neighbour(features(1000, 2), features(1000, 3))
    # about 3 standard errors: neighbours come in pairs, so 1000 votes at .016 each
    assert scores.accuracy == pytest.approx(0.5, abs=0.05)


def test_sets_far_apart_are_always_told_apart():
    assert one_nearest_neighbour(features(100, 4), features(100, 5, shift=30)) == (1, 1, 1)


def test_copies_are_always_told_wrong():
    real = features(100, 6)
    assert one_nearest_neighbour(real, real.clone()) == (0, 0, 0)


def test_a_collapsed_set_shows_in_the_halves():
    real = features(500, 7)
    scores = one_nearest_neighbour(real, real[:1] + 1e-3 * features(500, 8))
    assert scores.fake > 0.99
    assert scores.real > 0.9


def test_unequal_sets_are_refused():
    with pytest.raises(ValueError, match="equally many"):
        one_nearest_neighbour(features(10, 0), features(11, 1))
