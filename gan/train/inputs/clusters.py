"""Cluster the images of each class, so that G and D can be conditioned on the clusters.

Conditioning a GAN on clusters as if they were labels makes it cover more of the data (Self-Conditioned GANs,
Liu et al. 2020). That paper clusters D's features again and again. For small images, one k-means (Lloyd 1982)
on the pixels of each class suffices. See gan/models/conditioning.py.
"""

import warnings

import numpy as np
import torch
import torch.nn.functional as F
from scipy.cluster.vq import kmeans2, vq

SIDE = 14  # pixels: images are compared at this size
MIN_MEMBERS = 20  # images of a class per cluster: a smaller class gets fewer clusters
SAMPLE = 200  # images per cluster that k-means runs on
ROUNDS = 30  # iterations of k-means
CHUNK = 2**26  # bytes of pixels converted at a time
ROWS = 65_536  # images assigned to their clusters at a time


def find_clusters(
    images: torch.Tensor, labels: torch.Tensor | None, classes: int, clusters: int, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the group of each image, (N,) int64, and the share of each cluster in its class.

    A group is class * clusters + cluster; the shares are (classes, clusters) float64. images: uint8 (N, C, H,
    W). labels: int64 (N,), or None for one class.

    Clusters of a class are sorted along the first principal axis of their centres, so that neighbours look
    alike. A small class has fewer clusters, and its others are empty. The same seed gives the same clusters.
    """
    labels = torch.zeros(len(images), dtype=torch.int64) if labels is None else labels
    groups, shares = torch.empty_like(labels), torch.zeros(max(1, classes), clusters, dtype=torch.float64)
    shares[:, 0] = 1  # for a class without images
    for label in labels.unique().tolist():
        rows = (labels == label).nonzero().squeeze(1)
        count = max(1, min(clusters, len(rows) // MIN_MEMBERS))
        found = torch.from_numpy(_cluster(images, rows, count, np.random.default_rng([seed, label])))
        groups[rows] = label * clusters + found
        shares[label] = torch.bincount(found, minlength=clusters) / len(rows)
    return groups, shares


def _see(images: torch.Tensor, rows: torch.Tensor) -> np.ndarray:
    """Return the pixels of these images at SIDE x SIDE, (len(rows), K) float64 in [0, 1]."""
    step = max(1, CHUNK // images[0].numel())
    parts = [F.adaptive_avg_pool2d(images[part].float() / 255, SIDE).flatten(1) for part in rows.split(step)]
    return torch.cat(parts).double().numpy()


def _cluster(images: torch.Tensor, rows: torch.Tensor, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return the cluster of each of these images: (N,) int64, sorted along the centres' first principal axis.

    Only ROWS images are looked at together, because the set may be larger than the memory.
    """
    if count == 1:
        return np.zeros(len(rows), np.int64)
    sample = _see(images, rows[torch.from_numpy(rng.permutation(len(rows))[: SAMPLE * count])])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # identical images leave some clusters empty
        centres, _ = kmeans2(sample, _starts(sample, count, rng), iter=ROUNDS, minit="matrix")
    centred = centres - centres.mean(0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    axis *= np.sign(axis[np.abs(axis).argmax()])  # the SVD's sign is arbitrary
    centres = centres[np.argsort(centred @ axis, kind="stable")]
    return np.concatenate([vq(_see(images, part), centres)[0] for part in rows.split(ROWS)]).astype(np.int64)


def _starts(points: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return initial centres (count, K) that are far apart: k-means++ (Arthur and Vassilvitskii 2007).

    SciPy has it too, but renamed the argument for the seed between versions.
    """
    starts, far = points[:1], np.full(len(points), np.inf)
    while len(starts) < count:
        far = np.minimum(far, np.square(points - starts[-1]).sum(1))
        chances = far / far.sum() if far.any() else None
        starts = np.concatenate([starts, points[rng.choice(len(points), 1, p=chances)]])
    return starts
