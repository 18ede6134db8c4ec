"""Test class histograms and their divergence against numpy, scipy and known values."""

import math

import numpy as np
import pytest
import scipy.stats
import torch

from gan.metrics.modes import class_histogram, mode_divergence, modes_covered


def test_histogram_agrees_with_numpy():
    classes = torch.randint(7, (500,), generator=torch.Generator().manual_seed(0))
    np.testing.assert_array_equal(class_histogram(classes, 9), np.histogram(classes, bins=range(10))[0])


@pytest.mark.parametrize("classes", [[0, 3], [-1, 2]])
def test_a_class_that_does_not_exist_is_refused(classes):
    with pytest.raises((ValueError, RuntimeError)):
        class_histogram(torch.tensor(classes), 3)


@pytest.mark.parametrize("seed", range(3))
def test_divergence_agrees_with_scipy(seed):
    counts = torch.randint(0, 50, (2, 20), generator=torch.Generator().manual_seed(seed))
    real, fake = counts[0] + 1, counts[1]
    # the same sum in float64
    assert mode_divergence(real, fake) == pytest.approx(scipy.stats.entropy(fake, real), rel=1e-12)


def test_known_values():
    even = torch.full((1000,), 26)
    assert mode_divergence(even, even * 3) == 0
    collapsed = torch.zeros(1000, dtype=torch.int64)
    collapsed[7] = 26000
    assert mode_divergence(even, collapsed) == pytest.approx(math.log(1000), rel=1e-12)
    assert modes_covered(even, collapsed) == 1
    half = even.clone()
    half[:500] = 0
    assert mode_divergence(even, half) == pytest.approx(math.log(2), rel=1e-12)
    assert modes_covered(even, half) == 500


def test_a_class_that_no_real_picture_has():
    real, fake = torch.tensor([5, 5, 0]), torch.tensor([5, 4, 1])
    assert mode_divergence(real, fake) == math.inf
    assert modes_covered(real, fake) == 2


def test_an_ideal_sample_has_the_divergence_of_chance():
    """2 M KL is about chi-squared with K - 1 degrees of freedom.

    So the mean of KL is (K - 1) / 2M, and no generator gets below it.
    """
    generator = torch.Generator().manual_seed(1)
    even = torch.ones(10)
    values = [
        mode_divergence(even, class_histogram(torch.randint(10, (2000,), generator=generator), 10))
        for _ in range(200)
    ]
    # 4.5 standard errors of the mean: sqrt(2 / 9 / 200) = .033
    assert np.mean(values) == pytest.approx(9 / 4000, rel=0.15)
