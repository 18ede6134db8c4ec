"""GAN inversion: find the z whose image is nearest to a given image.

Zhu et al. 2016 ("Generative Visual Manipulation on the Natural Image Manifold") minimise the distance in
pixels and features over z. Abdal et al. 2019 (Image2StyleGAN) show how much the start matters. Karras et al.
2020 (the projector of StyleGAN2) start from samples and let the rate decay.

This search starts Adam from several samples that resemble the image, then continues with the best one. z
keeps a length of about sqrt(z_dim), where N(0, I) has its mass: elsewhere the sliders would not work.

Each start keeps its sample's class, because no gradient leads from one class to another. If a classifier
predicts the image's class, half of the starts have that class. Another class wins only if its distance is
smaller by more than the share FAVOUR.
"""

import contextlib
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from gan.latent.map.sample_bank import SampleBank, as_floats, small
from gan.latent.perception import Perception
from gan.latent.search.adam import Rate, SearchAdam

STARTS = 4  # samples from which a search begins
ALIKE = 2  # most starts of one class
ALONE = 10  # after this many steps only the best start continues
STEPS = 80
RATE = Rate(0.15, 5, 0.05, STEPS)
FAVOUR = 0.1  # another class must be nearer by this share of its distance than the predicted class
# weights of the features' cosine distance and of the length of z; the mean absolute pixel difference has 1
SEEN, LENGTH = 0.05, 0.02
CHUNK, ALL = 4, 64  # images in a turn, and in a forward pass without `turns`


class Found(NamedTuple):
    """The best z so far for T images."""

    z: torch.Tensor  # (T, z_dim)
    labels: torch.Tensor | None  # (T,)
    distance: torch.Tensor  # (T,), mean absolute difference of pixels in [0, 1]


class Search:
    """Search T images at the same time.

    targets: (T, C, H, W) in [-1, 1], at the generator's resolution. z (T, K, z_dim) and labels (T, K) are K
    starts for each target; labels are None without classes. wanted: (T,) preferred classes, -1 for none. With
    `turns`, a step generates CHUNK images in each turn.
    """

    def __init__(
        self,
        generator: nn.Module,
        targets: torch.Tensor,
        z: torch.Tensor,
        labels: torch.Tensor | None,
        eye: Perception | None = None,
        turns: Any = None,
        wanted: torch.Tensor | None = None,
    ):
        self.generator, self.targets, self.eye, self.turns = (
            generator,
            targets,
            eye,
            turns or contextlib.nullcontext(),
        )
        self.chunk = CHUNK if turns else ALL
        self.descent, self.labels, self.wanted = SearchAdam(z, RATE), labels, wanted
        self.seen = None if eye is None else eye(targets)
        distance, _ = self._look(torch.no_grad)
        self.nearest = distance.min(1).values
        self._best = self._chosen(distance)

    @property
    def done(self) -> bool:
        return self.descent.done

    @property
    def steps(self) -> int:
        return self.descent.steps

    def found(self) -> Found:
        """The best z so far."""
        return self._best

    def step(self) -> None:
        """Update every z once."""
        distance, slopes = self._look(torch.enable_grad)
        self._keep(distance)
        if self.steps == ALONE:
            slopes = self._go_alone(distance, slopes)
        self.descent.step(slopes)
        if self.done:
            self._keep(self._look(torch.no_grad)[0])

    def _look(self, gradients: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """The distance (T, K) and the gradient of the loss (T, K, z_dim) for every z."""
        count = self.descent.z.shape[1]
        z, labels = self.descent.z.flatten(0, 1), None if self.labels is None else self.labels.flatten()
        distances, slopes = [], []
        for start in range(0, len(z), self.chunk):
            part = slice(start, start + self.chunk)
            of = torch.arange(start, min(start + self.chunk, len(z))) // count
            with self.turns, gradients():
                here = z[part].detach().requires_grad_()
                distance, loss = self._losses(here, None if labels is None else labels[part], of)
                slopes.append(
                    torch.autograd.grad(loss.sum(), here)[0] if loss.requires_grad else torch.zeros_like(here)
                )
                distances.append(distance.detach())
        return torch.cat(distances).unflatten(0, (-1, count)), torch.cat(slopes).unflatten(0, (-1, count))

    def _losses(
        self, z: torch.Tensor, labels: torch.Tensor | None, of: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Distance and loss, each (N,), of z (N, z_dim); `of` (N,) are the indices of their targets."""
        images = self.generator(z, labels)
        distance = (images - self.targets[of]).abs().flatten(1).mean(1) / 2
        loss = distance + LENGTH * (z.square().mean(1) - 1).clamp_min(0).square()
        if self.eye is not None and self.seen is not None:
            loss = loss + SEEN * (1 - F.cosine_similarity(self.eye(images), self.seen[of]))
        return distance, loss

    def _chosen(self, distance: torch.Tensor) -> Found:
        best = self._favoured(distance, self.labels).argmin(1)
        rows = torch.arange(len(best))
        return Found(
            self.descent.z[rows, best],
            None if self.labels is None else self.labels[rows, best],
            distance[rows, best],
        )

    def _keep(self, distance: torch.Tensor) -> None:
        now, best = self._chosen(distance), self._best
        nearer = self._favoured(now.distance, now.labels) < self._favoured(best.distance, best.labels)
        labels = now.labels
        if labels is not None and best.labels is not None:
            labels = torch.where(nearer, labels, best.labels)
        self._best = Found(
            torch.where(nearer[:, None], now.z, best.z),
            labels,
            torch.where(nearer, now.distance, best.distance),
        )

    def _favoured(self, distance: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """Distances (T, ...), reduced by FAVOUR for labels (T, ...) of the preferred class."""
        if self.wanted is None or labels is None:
            return distance
        return distance * (1 - FAVOUR * (labels == self.wanted.view(-1, *[1] * (labels.dim() - 1))))

    def _go_alone(self, distance: torch.Tensor, slopes: torch.Tensor) -> torch.Tensor:
        rows, best = torch.arange(len(distance)), self._favoured(distance, self.labels).argmin(1)
        pick = lambda values: values[rows, best][:, None]  # noqa: E731
        self.labels = None if self.labels is None else pick(self.labels)
        self.descent.z, self.descent.moments = pick(self.descent.z), tuple(map(pick, self.descent.moments))
        return pick(slopes)


def starts(bank: SampleBank, targets: torch.Tensor, wanted: torch.Tensor | None = None) -> list[list[int]]:
    """The seeds of the STARTS samples at which each target's search begins; targets (T, C, H, W) in [-1, 1].

    They are the nearest in pixels, with at most ALIKE of a class. The first ALIKE have the class in `wanted`
    (T,), if the bank has as many; -1 means no preferred class.
    """
    pixels = as_floats(small(((targets + 1) * 127.5).round().to(torch.uint8))).flatten(1)
    order = torch.cdist(pixels, as_floats(bank.pictures()).flatten(1), p=1).argsort(1)
    return [
        _varied(row.tolist(), bank, label)
        for row, label in zip(order, [-1] * len(order) if wanted is None else wanted.tolist(), strict=True)
    ]


def _varied(seeds: list[int], bank: SampleBank, wanted: int) -> list[int]:
    chosen = [seed for seed in seeds if bank.label(seed) == wanted][:ALIKE]
    for seed in seeds:
        if seed in chosen:
            continue
        label = bank.label(seed)
        if label is None or sum(bank.label(other) == label for other in chosen) < ALIKE:
            chosen.append(seed)
        if len(chosen) == STARTS:
            break
    return chosen
