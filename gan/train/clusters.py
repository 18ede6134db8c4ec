"""Looks: which pictures of a data set are alike, so that networks can be told (gan/models/conditioning.py).

Telling a GAN the cluster of each picture, as if it were a label, makes it cover more of the data (Liu et al.
2020, Self-Conditioned GANs). There D's features are clustered again and again; for small pictures their own
pixels do, once: k-means (Lloyd 1982) of each class by itself.
"""

import warnings

import numpy as np
import torch
import torch.nn.functional as F
from scipy.cluster.vq import kmeans2, vq

SIDE = 14  # pictures are compared at this size
LEAST = 20  # pictures of a class for each of its clusters: fewer are not worth a cluster
SAMPLE = 200  # pictures for each cluster that k-means learns from
ROUNDS = 30
CHUNK = 4096  # pictures converted at a time


def find_clusters(
    images: torch.Tensor, labels: torch.Tensor | None, classes: int, clusters: int, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The group (N,) int64 of each picture, class * clusters + cluster, and how frequent each cluster is
    within its class, (classes, clusters) float64.

    images: uint8 (N, C, H, W); labels: int64 (N,), or None for one class. Looks of a class are in the order
    of its main difference (its centres' first principal axis), so that neighbours are alike; a class of few
    pictures has fewer of them, and the rest is empty. The same seed gives the same clusters.
    """
    seen = (
        torch.cat(
            [F.adaptive_avg_pool2d(part.float() / 255, SIDE).flatten(1) for part in images.split(CHUNK)]
        )
        .double()
        .numpy()
    )
    labels = torch.zeros(len(images), dtype=torch.int64) if labels is None else labels
    groups, shares = torch.empty_like(labels), torch.zeros(max(1, classes), clusters, dtype=torch.float64)
    shares[:, 0] = 1  # of a class without pictures
    for label in labels.unique().tolist():
        rows = (labels == label).nonzero().squeeze(1)
        # rows.numpy(), because numpy takes a tensor of one row for a whole number and drops the dimension.
        found = torch.from_numpy(
            _cluster(
                seen[rows.numpy()],
                max(1, min(clusters, len(rows) // LEAST)),
                np.random.default_rng([seed, label]),
            )
        )
        groups[rows] = label * clusters + found
        shares[label] = torch.bincount(found, minlength=clusters) / len(rows)
    return groups, shares


def _cluster(points: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """The cluster of each point (N, K): (N,) int64, neighbours in order of the centres' first
    principal axis.
    """
    if count == 1:
        return np.zeros(len(points), np.int64)
    sample = points[rng.permutation(len(points))[: SAMPLE * count]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of equal pictures some clusters stay empty
        centres, _ = kmeans2(sample, _starts(sample, count, rng), iter=ROUNDS, minit="matrix")
    centred = centres - centres.mean(0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    axis *= np.sign(axis[np.abs(axis).argmax()])  # either sign is an axis
    return vq(points, centres[np.argsort(centred @ axis, kind="stable")])[0].astype(np.int64)


def _starts(points: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Points to start from (count, K), far from each other: k-means++ (Arthur and Vassilvitskii 2007).
    SciPy's own takes its seed under a name that changed.
    """
    starts, far = points[:1], np.full(len(points), np.inf)
    while len(starts) < count:
        far = np.minimum(far, np.square(points - starts[-1]).sum(1))
        chances = far / far.sum() if far.any() else None
        starts = np.concatenate([starts, points[rng.choice(len(points), 1, p=chances)]])
    return starts
