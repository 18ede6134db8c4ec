"""What networks are told beside z or a picture: a class label, a cluster, or both.

A cluster is a group of similar pictures, within each class where there are classes (gan/train/clusters.py
finds them). Each pair of class and cluster is a *group*, number class * clusters + cluster. D is told a
picture's group, as R3GAN (Huang et al. 2024) tells it a label: its output vector is dotted with an embedding
(Miyato and Koyama 2018). G is told the class alone, and reads the cluster from the last number of z: the line
of N(0, 1) is divided into one stretch for each cluster, as probable as the cluster is frequent. So G stays a
function of z and class, and nobody who draws from it needs to know about clusters.
"""

import torch
from torch import nn

FEATURES = 64
# width in standard deviations over which one cluster passes into the next, so that a picture never jumps
# while z moves
BLEND = 0.05
REACH = 6.0  # where a stretch without pictures ends: no z gets there
RARE = 1e-6  # the least probability of a tail: float32 has no normal number beyond


# other classes (N,) int64, and how much of them there is (N,), 0 to 1
Blend = tuple[torch.Tensor, torch.Tensor]


class ClassConditioning(nn.Module):
    """G's side: z (N, z_dim) and class labels (N,) or None -> z joined with an embedding (N, z_dim +
    FEATURES).

    A blend is the straight line between what G would be told of two classes (as in the class interpolations
    of BigGAN, Brock et al. 2019); a share of 0 gives exactly what there is without one.
    """

    def __init__(self, spec):
        super().__init__()
        self.clusters = spec.clusters
        self.embed = nn.Embedding(spec.groups, FEATURES)
        if spec.clusters > 1:
            # (classes, clusters + 1) probabilities
            self.register_buffer(
                "ends", torch.linspace(0, 1, spec.clusters + 1).repeat(spec.groups // spec.clusters, 1)
            )

    def forward(
        self, z: torch.Tensor, labels: torch.Tensor | None, blend: Blend | None = None
    ) -> torch.Tensor:
        """See the class."""
        features = self._features(z, labels)
        if blend is not None:
            others, shares = blend
            features = torch.lerp(features, self._features(z, others), shares[:, None])
        return torch.cat([z, features], 1)

    def _features(self, z: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """(N, FEATURES): the embedding of each class, in the cluster that z is in."""
        if self.clusters == 1:
            return self.embed(labels)
        classes = torch.zeros_like(z[:, 0], dtype=torch.int64) if labels is None else labels
        edges = torch.special.ndtri(self.ends[classes, 1:-1]).clamp(-REACH, REACH)
        beyond = ((z[:, -1:] - edges) / BLEND + 0.5).clamp(0, 1)  # of each edge: 0 before it, 1 after it
        one = torch.ones_like(z[:, :1])
        weights = torch.cat([one, beyond], 1) - torch.cat([beyond, 0 * one], 1)
        # Not by indexing: the gradient of that is added up by several threads at once, in whichever order
        # they come, and differs from run to run.
        rows = nn.functional.embedding(classes, self.embed.weight.view(-1, self.clusters * FEATURES))
        tables = rows.unflatten(1, (self.clusters, FEATURES))
        return (weights[:, :, None] * tables).sum(1)

    def group(self, z: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """The group (N,) int64 that pictures of z (N, z_dim) and class labels (N,) or None belong to; on the
        blend between two clusters, the nearer one's.
        """
        classes = torch.zeros_like(z[:, 0], dtype=torch.int64) if labels is None else labels
        if self.clusters == 1:
            return classes
        return classes * self.clusters + (z[:, -1:] > torch.special.ndtri(self.ends[classes, 1:-1])).sum(1)

    def set_shares(self, shares: torch.Tensor) -> None:
        """How frequent each cluster is within its class: (classes, clusters), each row's sum 1."""
        self.ends[:, 1:].copy_(shares.double().cumsum(1).clamp(0, 1))

    def split(self, z: torch.Tensor, groups: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """z (N, z_dim) and class labels (N,) for pictures of these groups (N,): the last number of z keeps
        its quantile, but within the cluster's stretch.
        """
        if self.clusters == 1:
            return z, groups
        classes, clusters = groups // self.clusters, groups % self.clusters
        low, high = self.ends[classes, clusters], self.ends[classes, clusters + 1]
        quantile = (low + (high - low) * torch.special.ndtr(z[:, -1])).clamp(RARE, 1 - RARE)
        return torch.cat([z[:, :-1], torch.special.ndtri(quantile)[:, None]], 1), classes


class ProjectionHead(nn.Module):
    """D's side: its output (N, FEATURES) or (N, FEATURES, positions) and groups (N,) -> logits (N,) or (N,
    positions).
    """

    def __init__(self, spec):
        super().__init__()
        self.embed = nn.Embedding(spec.groups, FEATURES)

    def forward(self, out: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
        """See the class."""
        return torch.einsum("nf...,nf->n...", out, self.embed(groups)) / FEATURES**0.5
