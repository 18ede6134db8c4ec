"""Test the metrics of points against values by hand, and on samples with known scores."""

import math

import pytest
import torch
from scipy.stats import chi2, entropy

from gan.kinds.points import data
from gan.kinds.points.metrics import SAMPLES, mode_histogram, mode_scores, score

TWO = data.Modes(torch.tensor([[0.0, 0.0], [1.0, 0.0]]), 0.1)


def test_a_sample_counts_for_its_nearest_mode_within_three_standard_deviations():
    samples = torch.tensor([[0.0, 0.29], [0.0, 0.31], [0.2, 0.2], [0.9, 0.0], [0.5, 0.0], [5.0, 5.0]])
    assert mode_histogram(samples, TWO).tolist() == [2, 1]
    modes, high_quality, kl = mode_scores(samples, TWO)
    assert (modes, high_quality) == (2, 3 / 6)
    assert kl == pytest.approx(entropy([2 / 3, 1 / 3], [0.5, 0.5]))


def test_one_mode_has_the_largest_divergence_and_so_has_none():
    assert mode_scores(torch.zeros(9, 2), TWO) == (1, 1.0, pytest.approx(math.log(2)))
    assert mode_scores(torch.full((9, 2), 7.0), TWO) == (0, 0.0, pytest.approx(math.log(2)))


@pytest.mark.parametrize("name", data.MIXTURES)
def test_other_points_of_the_same_mixture_score_as_a_perfect_generator_would(name):
    points = data.load(name)
    scores = score(points, points.points[-SAMPLES:])
    assert scores.modes == len(points.modes.centres)
    assert scores.high_quality == pytest.approx(chi2.cdf(9, 2), abs=0.01)
    assert 0 < scores.kl < 0.02
    assert scores.coverage == pytest.approx(1 - 2**-5, abs=0.02)
    assert scores.precision > 0.95


def test_a_set_without_modes_has_precision_and_coverage_only():
    points = data.load("moons")
    good, bad = score(points, points.points[-SAMPLES:]), score(points, 2 * points.points[-SAMPLES:])
    assert good[:3] == bad[:3] == (None, None, None)
    assert good.precision > 0.9 > 0.3 > bad.precision
    assert good.coverage == pytest.approx(1 - 2**-5, abs=0.02)
