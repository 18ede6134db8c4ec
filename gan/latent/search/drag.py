"""Drag points of an image to targets by optimising z.

The task and its points come from DragGAN (Pan et al. 2023, "Drag Your GAN"). Its motion supervision pulls the
features around a point one step ahead. On generators this small it drifts, because their features change with
every step. Another object arrives at the target (measured in tests/benchmarks/README.md).

So this search keeps a template of the patch around each point, as FreeDrag does (Ling et al. 2023). Adam
moves z until the patch at the target matches the template. Points are tracked by the nearest features, as in
DragGAN, but over a whole patch.

The features are the layer with the largest maps of at most half the image's side, together with the pixels.
Patches sample them bilinearly. As in gan/latent/search/inversion.py, z stays where N(0, I) has its mass.
"""

import contextlib
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F

from gan.latent.search.adam import Rate, SearchAdam

STEPS = 100
RATE = Rate(0.1, 5, 0.1, STEPS)
SIZE = 28  # the lengths below are pixels of an image with this side; they scale with the image
RADIUS = 3.0  # radius of a patch
AROUND = 3.0  # the tracker looks this far beside a point's path
FAR = 9.0  # pixels further than this from all paths should not change
KEEP = 1.5  # weight of their change, beside squared patch differences in standard deviations of the maps
# Mismatch that a pixel of movement adds: in uniform regions, tracked points would otherwise jump.
NEAR = 1e-3
# A point is lost if its mismatch exceeds LOST times the mean mismatch around its path at the start. PLAIN is
# the least value of that mean.
LOST, PLAIN = 0.5, 0.02

# z (1, z_dim) -> image (1, C, H, H) in [-1, 1] and layers (1, C', h, h)
Look = Callable[[torch.Tensor], tuple[torch.Tensor, list[torch.Tensor]]]


class Held(NamedTuple):
    """The best z so far, and the positions of its P points."""

    z: torch.Tensor  # (1, z_dim)
    at: torch.Tensor  # (P, 2), x and y as fractions of the image
    away: torch.Tensor  # (P,), distance from the target in pixels
    lost: torch.Tensor  # (P,) bool, True if no patch near the path matches the template


class Drag:
    """An optimisation that drags P points from `starts` to `ends`, beginning at z (1, z_dim).

    Starts and ends are (P, 2), x and y as fractions of the image. A point with equal start and end is held in
    place. With `turns`, each step takes one turn. `fixed` keeps the last entry of z, which encodes the
    cluster. `away` is the initial distance of each point from its target, in pixels.
    """

    def __init__(
        self,
        look: Look,
        z: torch.Tensor,
        starts: torch.Tensor,
        ends: torch.Tensor,
        turns: Any = None,
        fixed: bool = False,
    ):
        self.look, self.turns, self.ends = look, turns or contextlib.nullcontext(), ends
        self.free = torch.ones_like(z)
        self.free[:, -1] = 0.0 if fixed else 1.0
        with self.turns, torch.no_grad():
            self.image, layers = look(z)
            self.side = self.image.shape[-1]
            self.layer = max(k for k, maps in enumerate(layers) if maps.shape[-1] <= self.side / 2 or k == 0)
            maps = self._maps(self.image, layers)
            self.scales = [each.std().clamp_min(1e-6) * math.sqrt(each.shape[1]) for each in maps]
            unit = self.side / SIZE
            self.patch = disk(RADIUS * unit, unit) / self.side
            self.at = starts.clone()
            self.wanted = self._patches(maps, starts[:, None])[:, 0]
            self.away = (ends - starts).norm(dim=1) * self.side
            # The tracker searches a disk that holds the path of the point and a margin.
            self.reach = self.away / 2 + AROUND * unit
            self.middle = (starts + ends) / 2
            self.far = distances(self.side, starts, ends) * self.side > FAR * unit
            strange = [self._strange(maps, k, self._around(k)).mean() for k in range(len(ends))]
        self.odd = LOST * torch.stack(strange).clamp_min(PLAIN)
        self.descent = SearchAdam(z, RATE)
        self.most = max((z * self.free).norm().item(), math.sqrt(self.free.sum().item()))
        self.best, self.least = z.clone(), math.inf

    @property
    def done(self) -> bool:
        return self.descent.done

    @property
    def steps(self) -> int:
        return self.descent.steps

    def step(self) -> None:
        """Update z once."""
        with self.turns, torch.enable_grad():
            here = self.descent.z.detach().requires_grad_()
            loss = self._loss(*self.look(here))
            slope = (
                torch.autograd.grad(loss, here)[0].nan_to_num() * self.free
                if loss.requires_grad
                else torch.zeros_like(here)
            )
        self._keep(loss)
        self.descent.step(slope)
        z = self.descent.z
        length = (z * self.free).norm().item()
        if length > self.most:
            self.descent.z = torch.where(self.free > 0, z * (self.most / length), z)
        if self.done:
            with self.turns, torch.no_grad():
                self._keep(self._loss(*self.look(self.descent.z)))

    def held(self) -> Held:
        """The best z so far, with its tracked points."""
        with self.turns, torch.no_grad():
            maps = self._maps(*self.look(self.best))
            found = [self._track(maps, k) for k in range(len(self.ends))]
        self.at = torch.stack([at for at, _ in found])
        strange = torch.stack([strange for _, strange in found])
        return Held(self.best, self.at, (self.at - self.ends).norm(dim=1) * self.side, strange > self.odd)

    def _keep(self, loss: torch.Tensor) -> None:
        if loss.item() < self.least:
            self.least, self.best = loss.item(), self.descent.z.clone()

    def _loss(self, image: torch.Tensor, layers: list[torch.Tensor]) -> torch.Tensor:
        there = self._patches(self._maps(image, layers), self.ends[:, None])[:, 0]
        loss = (there - self.wanted).square().sum(2).mean()
        if self.far.any():
            loss = loss + KEEP * (image - self.image).abs().mean(1)[0][self.far].mean()
        return loss

    def _maps(self, image: torch.Tensor, layers: list[torch.Tensor]) -> list[torch.Tensor]:
        return [layers[self.layer], image]

    def _patches(self, maps: list[torch.Tensor], places: torch.Tensor) -> torch.Tensor:
        """The features around places (P, N, 2): (P, N, pixels of a patch, features). Each map has equal
        weight.
        """
        at = places[:, :, None] + self.patch
        # without aligned corners, grid_sample puts -1 and 1 at the image's edges
        flat = 2 * at.flatten(0, 1)[None] - 1
        seen = [
            F.grid_sample(each, flat, padding_mode="border", align_corners=False)[0] / scale
            for each, scale in zip(maps, self.scales, strict=True)
        ]
        return torch.cat(seen).permute(1, 2, 0).unflatten(0, places.shape[:2])

    def _strange(self, maps: list[torch.Tensor], k: int, places: torch.Tensor) -> torch.Tensor:
        """Mismatch between the patches at places (N, 2) and the template of point k: (N,)."""
        return (self._patches(maps, places[None])[0] - self.wanted[k]).square().sum(2).mean(1)

    def _around(self, k: int) -> torch.Tensor:
        """Candidate places (N, 2) for point k, one pixel apart."""
        places = self.middle[k] + disk(self.reach[k].item(), 1.0) / self.side
        inside = (places >= 0).all(1) & (places <= 1).all(1)
        return torch.cat([places[inside], self.at[k : k + 1], self.ends[k : k + 1]])

    def _track(self, maps: list[torch.Tensor], k: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The place (2,) of point k, to a quarter of a pixel, and its mismatch."""
        places, least = self._around(k), None
        for finer in (disk(1.0, 0.25) / self.side, None):
            strange = self._strange(maps, k, places)
            least = (strange + NEAR * (places - self.at[k]).norm(dim=1) * self.side).argmin()
            if finer is not None:
                places = (places[least] + finer).clamp(0, 1)
        return places[least], strange[least]


def disk(radius: float, apart: float) -> torch.Tensor:
    """Offsets (N, 2) on a grid with spacing `apart`, within `radius` of 0."""
    count = math.floor(radius / apart)
    across = torch.arange(-count, count + 1) * apart
    places = torch.cartesian_prod(across, across).float()
    return places[places.norm(dim=1) <= radius + 1e-6]


def distances(side: int, starts: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """Distance of each pixel to the nearest path from `starts` to `ends`, both (P, 2): (side, side).

    Distances are fractions of the image.
    """
    middle = (torch.arange(side) + 0.5) / side
    pixels = torch.stack(torch.meshgrid(middle, middle, indexing="xy"), 2)[:, :, None]  # (side, side, 1, 2)
    lines = ends - starts
    part = ((pixels - starts) * lines).sum(3) / lines.square().sum(1).clamp_min(1e-12)
    return (pixels - starts - part.clamp(0, 1)[..., None] * lines).norm(dim=3).min(2).values
