"""Compute distances between all rows of two feature sets, tile by tile.

So 10,000 x 10,000 distances never fill the memory at once.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch

# A tile of float64 distances takes 8 MB. Larger tiles were no faster.
TILE = 1024


class Nearest(NamedTuple):
    """The k nearest references of each query, nearest first."""

    squared: torch.Tensor  # (N, k) float64, squared Euclidean distances
    indices: torch.Tensor  # (N, k) int64, rows of the references


def check_features(features: torch.Tensor, least: int = 1) -> None:
    """Raise ValueError unless `features` is (N, D) with N >= `least` and all values finite."""
    if features.ndim != 2 or len(features) < least:
        raise ValueError(f"features must be (N, D) with N >= {least}, not {tuple(features.shape)}")
    if not features.isfinite().all():
        raise ValueError("features must be finite")


def squared_distances(rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Squared Euclidean distances (N, M) float64 >= 0 between rows (N, D) and columns (M, D).

    It computes |a|² + |b|² - 2 ab, because a matrix product is many times faster than differences. The terms
    cancel where points nearly coincide. In float64 the error is about 1e-15 |a|², so distances below 1e-7 |a|
    are noise. In float32 it would be 1e-3 |a|, too coarse to tell a copy from a neighbour.
    """
    rows, columns = rows.double(), columns.double()
    distances = (rows @ columns.T).mul_(-2)
    distances += rows.square().sum(1)[:, None]
    distances += columns.square().sum(1)
    return distances.clamp_(min=0)


def tiles(rows: torch.Tensor, columns: torch.Tensor) -> Iterator[tuple[slice, slice, torch.Tensor]]:
    """Iterate over `squared_distances` of rows (N, D) and columns (M, D) by tiles, row after row.

    Yields (row slice, column slice, tile).
    """
    for top in range(0, len(rows), TILE):
        down = slice(top, min(top + TILE, len(rows)))
        for left in range(0, len(columns), TILE):
            across = slice(left, min(left + TILE, len(columns)))
            yield down, across, squared_distances(rows[down], columns[across])


def nearest(queries: torch.Tensor, references: torch.Tensor, k: int, skip_self: bool = False) -> Nearest:
    """Find the k nearest rows of references (M, D) for each row of queries (N, D).

    With `skip_self`, queries and references are the same set, and no row is its own neighbour. An identical
    row still is. Raises ValueError if there are fewer than k references or the features are not finite.
    """
    check_features(queries)
    check_features(references, least=k + skip_self)
    device = queries.device
    squared = torch.full((len(queries), k), torch.inf, dtype=torch.float64, device=device)
    indices = torch.zeros((len(queries), k), dtype=torch.int64, device=device)
    for down, across, tile in tiles(queries, references):
        columns = torch.arange(across.start, across.stop, device=device)
        if skip_self:
            tile[torch.arange(down.start, down.stop, device=device)[:, None] == columns] = torch.inf
        best = torch.cat([squared[down], tile], 1).topk(k, largest=False)
        squared[down] = best.values
        indices[down] = torch.cat([indices[down], columns.expand(len(tile), -1)], 1).gather(1, best.indices)
    return Nearest(squared, indices)


def pairwise_diversity(images: torch.Tensor) -> float:
    """Mean Euclidean distance between all pairs of images (N, C, H, W), N >= 2, in pixel units.

    Each image is first averaged down to 8x8 pixels. That keeps the coarse content and removes noise, which
    would count as diversity.
    """
    small = torch.nn.functional.adaptive_avg_pool2d(images.float(), 8).flatten(1)
    return torch.pdist(small).mean().item()


# If real images differ less than this, the ratio would be noise. Ten images of one kind differ by about 1.
ALIKE = 0.05


def relative_diversity(fakes: torch.Tensor, real: float) -> float | None:
    """Divide the diversity of fakes (N, C, H, W) in [-1, 1] by that of the real images.

    1 means equal diversity. Returns None if the real images do not differ.
    """
    return round(pairwise_diversity(fakes) / real, 3) if real >= ALIKE else None
