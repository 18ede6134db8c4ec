"""Condition G and D on a class label, a cluster, or both.

A cluster is a set of similar images, within one class if there are classes. gan/train/inputs/clusters.py
finds the clusters. Each pair of class and cluster is a *group*, numbered class * clusters + cluster.

D takes the group of an image. It dots its output vector with the group's embedding (Miyato and Koyama 2018).
R3GAN does the same with labels (Huang et al. 2024).

G takes the class alone and reads the cluster from the last component of z. The line of N(0, 1) is divided
into one interval for each cluster. An interval's probability is the frequency of its cluster. So G stays a
function of z and class, and code that samples from G needs no knowledge of clusters.
"""

import torch
from torch import nn

from gan.spec import ModelSpec

FEATURES = 64
# Width, in standard deviations, of the transition between two clusters: images change continuously with z.
BLEND = 0.05
# Interval edges are clamped to ±MAX_EDGE, which no z exceeds. Empty clusters end there.
MAX_EDGE = 6.0
# Probabilities are clamped to [RARE, 1 - RARE], so that their float32 quantiles stay finite.
RARE = 1e-6


# Other classes (N,) int64, and their shares of the mixture (N,), 0 to 1.
Blend = tuple[torch.Tensor, torch.Tensor]


class ClassConditioning(nn.Module):
    """G's side: join z (N, z_dim) with the embedding of labels (N,) or None -> (N, z_dim + FEATURES).

    A blend interpolates linearly between the embeddings of two classes, like BigGAN (Brock et al. 2019). With
    a share of 0 the result equals the one without a blend, bit for bit.
    """

    ends: torch.Tensor  # cumulative probabilities (classes, clusters + 1); only with clusters

    def __init__(self, spec: ModelSpec):
        super().__init__()
        self.clusters = spec.clusters
        self.embed = nn.Embedding(spec.groups, FEATURES)
        if spec.clusters > 1:
            equal = torch.linspace(0, 1, spec.clusters + 1)
            self.register_buffer("ends", equal.expand(spec.groups // spec.clusters, -1).contiguous())

    def forward(
        self, z: torch.Tensor, labels: torch.Tensor | None, blend: Blend | None = None
    ) -> torch.Tensor:
        """Join z with the embedding; see the class."""
        features = self._features(z, labels)
        if blend is not None:
            others, shares = blend
            features = torch.lerp(features, self._features(z, others), shares[:, None])
        return torch.cat([z, features], 1)

    def _features(self, z: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """Embed each class and the cluster that z selects: (N, FEATURES)."""
        if self.clusters == 1:
            return self.embed(labels)
        classes = torch.zeros_like(z[:, 0], dtype=torch.int64) if labels is None else labels
        edges = torch.special.ndtri(self.ends[classes, 1:-1]).clamp(-MAX_EDGE, MAX_EDGE)
        # One column for each edge: 0 if z lies before it, 1 if z lies beyond it.
        beyond = ((z[:, -1:] - edges) / BLEND + 0.5).clamp(0, 1)
        one = torch.ones_like(z[:, :1])
        weights = torch.cat([one, beyond], 1) - torch.cat([beyond, 0 * one], 1)
        # Not by indexing: several threads add up its gradient in random order, so runs would differ.
        rows = nn.functional.embedding(classes, self.embed.weight.view(-1, self.clusters * FEATURES))
        tables = rows.unflatten(1, (self.clusters, FEATURES))
        return (weights[:, :, None] * tables).sum(1)

    def group(self, z: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """Return the groups (N,) int64 of the images that G makes from z (N, z_dim) and labels (N,) or None.

        In the transition between two clusters, the nearer one counts.
        """
        classes = torch.zeros_like(z[:, 0], dtype=torch.int64) if labels is None else labels
        if self.clusters == 1:
            return classes
        return classes * self.clusters + (z[:, -1:] > torch.special.ndtri(self.ends[classes, 1:-1])).sum(1)

    def set_shares(self, shares: torch.Tensor) -> None:
        """Set the share of each cluster within its class: (classes, clusters), rows sum to 1."""
        self.ends[:, 1:].copy_(shares.double().cumsum(1).clamp(0, 1))

    def split(self, z: torch.Tensor, groups: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return z (N, z_dim) and class labels (N,) with which G makes images of these groups (N,).

        The last component of z keeps its quantile, but within the cluster's interval.
        """
        if self.clusters == 1:
            return z, groups
        classes, clusters = groups // self.clusters, groups % self.clusters
        low, high = self.ends[classes, clusters], self.ends[classes, clusters + 1]
        quantile = (low + (high - low) * torch.special.ndtr(z[:, -1])).clamp(RARE, 1 - RARE)
        return torch.cat([z[:, :-1], torch.special.ndtri(quantile)[:, None]], 1), classes


class ProjectionHead(nn.Module):
    """D's side: features (N, FEATURES) or (N, FEATURES, positions) and groups (N,) -> logits.

    The logits are (N,) or (N, positions).
    """

    def __init__(self, spec: ModelSpec):
        super().__init__()
        self.embed = nn.Embedding(spec.groups, FEATURES)

    def forward(self, out: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
        """Project the output on the group embeddings; see the class."""
        return torch.einsum("nf...,nf->n...", out, self.embed(groups)) / FEATURES**0.5
