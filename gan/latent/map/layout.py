"""Lay out samples in a plane so that similar samples are neighbours: PCA, t-SNE or UMAP.

t-SNE (van der Maaten and Hinton 2008) comes from scikit-learn, UMAP (McInnes, Healy and Melville 2018) from
umap-learn. Both packages are optional; PCA always works. On one machine the same features always give the
same positions.
"""

import importlib.util
from collections.abc import Callable

import numpy as np

DIMENSIONS = 32  # t-SNE and UMAP read this many principal components: less noise, less time
SEED = 2008
ROUNDS = 500  # iterations of t-SNE
MARGIN = 0.02  # empty margin at each edge, as a share of the square
# Share of the samples at each end that is clipped to the edge: outliers would squeeze all other samples.
TRIMMED = 0.005


def methods() -> list[str]:
    """The available methods of `lay_out`, best first."""
    return [
        name for name, (package, _) in METHODS.items() if package is None or importlib.util.find_spec(package)
    ]


def lay_out(features: np.ndarray, method: str) -> np.ndarray:
    """Positions (N, 2) float32 in the unit square for features (N, F), N >= 2, by one of `methods()`."""
    reduced = principal(features, DIMENSIONS)
    return squared(METHODS[method][1](reduced) if len(reduced) > 3 else reduced[:, :2])


def principal(features: np.ndarray, count: int) -> np.ndarray:
    """The leading principal components (N, count) float64 of features (N, F), padded with zeros.

    The entry of largest magnitude on each axis is positive.
    """
    centred = features.astype(np.float64) - features.mean(0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :count]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(0)[None], 0)
    found = centred @ (axes * np.where(largest < 0, -1.0, 1.0))
    return np.pad(found, ((0, 0), (0, count - found.shape[1])))


def squared(positions: np.ndarray) -> np.ndarray:
    """Positions (N, 2) float32, shifted and scaled on each axis to fill the unit square."""
    low, high = np.quantile(positions, [TRIMMED, 1 - TRIMMED], axis=0)
    scaled = (positions - low) / np.maximum(high - low, 1e-12)
    return (MARGIN + (1 - 2 * MARGIN) * scaled.clip(0, 1)).astype(np.float32)


def _tsne(reduced: np.ndarray) -> np.ndarray:
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(reduced) - 1) / 3)
    start = reduced[:, :2] / max(reduced[:, 0].std(), 1e-12) * 1e-4
    return TSNE(
        2, perplexity=perplexity, init=start.astype(np.float32), max_iter=ROUNDS, random_state=SEED, n_jobs=1
    ).fit_transform(reduced.astype(np.float32))


def _umap(reduced: np.ndarray) -> np.ndarray:
    from umap import UMAP

    return UMAP(n_neighbors=min(15, len(reduced) - 1), random_state=SEED, n_jobs=1).fit_transform(reduced)


# Name -> the optional package, and the function: principal components (N, DIMENSIONS) -> positions (N, 2).
METHODS: dict[str, tuple[str | None, Callable[[np.ndarray], np.ndarray]]] = {
    "umap": ("umap", _umap), "tsne": ("sklearn", _tsne), "pca": (None, lambda reduced: reduced[:, :2]),
}  # fmt: skip
