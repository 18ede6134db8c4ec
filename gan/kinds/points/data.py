"""Sets of points in the plane: drawn mixtures and curves, or the rows of a file.

A set is a fixed array of points, as a set of images is. Every run sees the same points, and a file needs no
second way of sampling. The order of the points is a function of (seed, points seen), so a run can resume bit
for bit. With COUNT points the error of a mean over the set is 1/450 of its standard deviation, far below
what a GAN resolves.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from gan.errors import UserError
from gan.kinds.points.reading import read_points
from gan.kinds.points.recipes import COUNT, NAMES


@dataclass(frozen=True)
class Modes:
    """An even mixture of K round Gaussians: centres (K, 2) float32, and one standard deviation per axis."""

    centres: torch.Tensor
    sd: float


class Box(NamedTuple):
    """A square of the plane in the set's own units: its centre (x, y) and half of its side."""

    x: float
    y: float
    half: float

    def scaled(self, points: torch.Tensor) -> torch.Tensor:
        """Return points (N, 2) in the units of the networks: the box becomes [-1, 1]²."""
        return (points - torch.tensor([self.x, self.y], dtype=points.dtype)) / self.half

    def original(self, points: torch.Tensor) -> torch.Tensor:
        """Undo `scaled`, for points (N, 2) on the CPU."""
        return points * self.half + torch.tensor([self.x, self.y], dtype=points.dtype)


@dataclass(frozen=True, eq=False)
class PointSet:
    """Points (N, 2) float32 in the units of the networks, the box that was scaled to [-1, 1]², and the modes.

    `modes` are in the units of the networks too, and None where a set has none.
    """

    name: str
    points: torch.Tensor
    box: Box
    modes: Modes | None = None

    def __post_init__(self) -> None:
        if self.points.dtype != torch.float32 or self.points.ndim != 2 or self.points.shape[1] != 2:
            raise ValueError(
                f"{self.name}: points are {self.points.dtype} {tuple(self.points.shape)}, not float32 (N, 2)"
            )


def grid25() -> Modes:
    """Return 25 Gaussians on a 5 x 5 grid: spacing 2, variance .0025.

    VEEGAN (Srivastava et al. 2017) and PacGAN (Lin et al. 2018) use them.
    """
    return Modes(torch.cartesian_prod(*2 * [2 * torch.arange(5.0) - 4]), 0.05)


def ring8() -> Modes:
    """Return 8 Gaussians on a circle: radius 1, variance .0001, as in VEEGAN and PacGAN.

    Unrolled GAN uses the same shape with radius 2 and variance .0004.
    """
    angles = 2 * math.pi * torch.arange(8) / 8
    return Modes(torch.stack([angles.cos(), angles.sin()], 1), 0.01)


def draw(modes: Modes, count: int, rng: torch.Generator) -> torch.Tensor:
    """Return points (count, 2) of a mixture, each of a random mode."""
    which = torch.randint(len(modes.centres), (count,), generator=rng)
    return modes.centres[which] + modes.sd * torch.randn(count, 2, generator=rng)


def moons(count: int, rng: torch.Generator) -> torch.Tensor:
    """Return (count, 2) points of two half circles with noise of sd .05, as scikit-learn's make_moons."""
    angle, lower = math.pi * torch.rand(count, generator=rng), torch.rand(count, generator=rng) < 0.5
    x = torch.where(lower, 1 - angle.cos(), angle.cos())
    y = torch.where(lower, 0.5 - angle.sin(), angle.sin())
    return torch.stack([x, y], 1) + 0.05 * torch.randn(count, 2, generator=rng)


def spiral(count: int, rng: torch.Generator) -> torch.Tensor:
    """Return (count, 2) points of two arms of one and a half turns each, radius 0 to 1, noise of sd .02.

    Each arm is evenly dense along its length.
    """
    radius, arm = torch.rand(count, generator=rng).sqrt(), torch.randint(2, (count,), generator=rng)
    angle = 3 * math.pi * radius + math.pi * arm
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1) + 0.02 * torch.randn(
        count, 2, generator=rng
    )


MIXTURES: dict[str, Callable[[], Modes]] = {"grid25": grid25, "ring8": ring8}
CURVES: dict[str, Callable[[int, torch.Generator], torch.Tensor]] = {"moons": moons, "spiral": spiral}


def load(name: str) -> PointSet:
    """Return the set of that name, or the points of the file at that path.

    A drawn set depends on its name alone: runs with different seeds learn from the same points. Raises
    UserError if there is neither.
    """
    if name in NAMES:
        return _drawn(name)
    path = Path(name).expanduser()
    if not path.is_file():
        raise UserError("points.unknown", name=name, choices=", ".join(NAMES))
    return _fitted(path.name, torch.from_numpy(read_points(path)))


def fresh(name: str, box: Box, count: int) -> torch.Tensor | None:
    """Return (count, 2) new points of a drawn set, in the units of the networks; None for a file."""
    if name not in NAMES:
        return None
    rng = torch.Generator().manual_seed(len(NAMES) + NAMES.index(name))  # no set begins with this seed
    points = draw(MIXTURES[name](), count, rng) if name in MIXTURES else CURVES[name](count, rng)
    return box.scaled(points.double()).float()


def _drawn(name: str) -> PointSet:
    rng = torch.Generator().manual_seed(NAMES.index(name))
    if name in MIXTURES:
        modes = MIXTURES[name]()
        return _fitted(name, draw(modes, COUNT, rng), modes)
    return _fitted(name, CURVES[name](COUNT, rng))


def _fitted(name: str, points: torch.Tensor, modes: Modes | None = None) -> PointSet:
    """Return points (N, 2) of any units as a set: the smallest square around them becomes [-1, 1]²."""
    least, most = points.double().amin(0), points.double().amax(0)
    x, y = ((least + most) / 2).tolist()
    box = Box(x, y, (most - least).max().item() / 2)
    scaled = modes and Modes(box.scaled(modes.centres), modes.sd / box.half)
    return PointSet(name, box.scaled(points.double()).float(), box, scaled)
