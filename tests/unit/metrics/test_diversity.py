"""Test the mean difference between images."""

import pytest
import torch
from scipy.spatial.distance import pdist

from gan.metrics.distances import pairwise_diversity, relative_diversity


def test_it_is_the_mean_distance_of_all_pairs_shrunk_to_8_pixels():
    images = torch.rand(9, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    small = images.numpy().reshape(9, 3, 8, 2, 8, 2).mean((3, 5)).reshape(9, -1)
    # float32 sums of 192 numbers
    assert pairwise_diversity(images) == pytest.approx(pdist(small.astype("f8")).mean(), rel=1e-5)


def test_equal_pictures_have_none_and_fine_noise_hardly_any():
    same = torch.full((5, 1, 32, 32), 0.25)
    noisy = same + 0.5 * (-1.0) ** torch.arange(32)  # stripes of one pixel
    assert pairwise_diversity(same) == 0
    assert pairwise_diversity(noisy) == pytest.approx(0, abs=1e-5)


def test_it_is_relative_to_real_pictures_where_these_differ():
    fakes = torch.rand(16, 3, 16, 16) * 2 - 1
    real = pairwise_diversity(fakes)
    assert relative_diversity(fakes, real) == 1
    assert relative_diversity(fakes, 2 * real) == 0.5
    assert relative_diversity(fakes, pairwise_diversity(torch.ones(16, 3, 16, 16))) is None, (
        "of copies there is no share"
    )
