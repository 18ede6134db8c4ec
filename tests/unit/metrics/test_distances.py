"""Test distances in tiles against scikit-learn's neighbours and plain differences."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from gan.metrics import distances
from gan.metrics.distances import nearest, squared_distances, tiles


@pytest.fixture
def small_tiles(monkeypatch):
    """Make the tiles divide neither set evenly, so that edges and merging take part."""
    monkeypatch.setattr(distances, "TILE", 7)


def features(count, seed=0, width=5):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_tiles_cover_all_pairs_once(small_tiles):
    rows, columns = features(17), features(23, seed=1)
    whole = torch.full((17, 23), torch.nan, dtype=torch.float64)
    for down, across, tile in tiles(rows, columns):
        assert whole[down, across].isnan().all()
        whole[down, across] = tile
    # 1e-13 is the float64 rounding of numbers of about 10.
    np.testing.assert_allclose(
        whole,
        torch.cdist(rows, columns, compute_mode="donot_use_mm_for_euclid_dist").square(),
        atol=1e-13,
        rtol=1e-13,
    )


@pytest.mark.parametrize("k", [1, 3, 9])
def test_nearest_agrees_with_scikit_learn(small_tiles, k):
    queries, references = features(17), features(23, seed=1)
    found = nearest(queries, references, k)
    expected, indices = (
        NearestNeighbors(n_neighbors=k, algorithm="brute").fit(references.numpy()).kneighbors(queries.numpy())
    )
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_allclose(found.squared.sqrt(), expected, rtol=1e-12)  # both float64, far from 0


def test_nearest_of_a_set_to_itself_leaves_out_the_row_but_not_its_twin(small_tiles):
    points = features(23)
    found = nearest(points, points, 4, skip_self=True)
    # without arguments, each row leaves itself out
    expected, indices = NearestNeighbors(n_neighbors=4, algorithm="brute").fit(points.numpy()).kneighbors()
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_allclose(found.squared.sqrt(), expected, rtol=1e-12)
    points[20] = points[2]
    twins = nearest(points, points, 1, skip_self=True)
    assert (twins.indices[2].item(), twins.indices[20].item()) == (20, 2)


def test_distances_of_half_precision_features_are_taken_in_float64():
    points = features(9).half()
    assert torch.equal(squared_distances(points, points), squared_distances(points.double(), points.double()))


def test_distances_are_never_negative():
    points = features(50) * 1e-9 + 1e3  # far from 0 and near each other: the worst cancellation
    assert (squared_distances(points, points) >= 0).all()


@pytest.mark.parametrize(
    "bad",
    [torch.zeros(4), torch.zeros(0, 3), torch.zeros(2, 3), torch.tensor([[0.0], [1.0], [2.0], [torch.nan]])],
)
def test_unusable_features_are_refused(bad):
    with pytest.raises(ValueError, match="features must be"):
        nearest(bad, bad, 2, skip_self=True)
