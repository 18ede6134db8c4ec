"""Measure what goes on in a run on points: what D says, and what a referee says who never met D.

The signals are those of images (gan/kinds/images/signals.py); the referee looks at the points themselves. Its
real points are new ones of a drawn set, and for a file those that the run learns from.
"""

from typing import TYPE_CHECKING

import torch

from gan.kinds.points import data
from gan.metrics.manifold import manifold_scores
from gan.metrics.memory import share_of_copies
from gan.metrics.pairs import ratio, share_above
from gan.metrics.two_sample import one_nearest_neighbour
from gan.train.base import seed_for

if TYPE_CHECKING:
    from gan.kinds.points.trainer import PointsTrainer

COUNT = 512  # samples, real points, and points that are trained on
FEW = 5_000  # points, at most, of a set in which copies are looked for
LEAST = 6  # points; the scores use the five nearest neighbours


class Signals:
    """The signals of one run, by names that the doctor knows. A measurement takes some milliseconds."""

    def __init__(self, trainer: "PointsTrainer"):
        self.trainer = trainer
        rng = torch.Generator().manual_seed(seed_for(trainer.config.seed, "signals"))
        rows = trainer.examples[torch.randperm(len(trainer.examples), generator=rng)]
        self.learned = trainer.points.points[rows]
        self.new = data.fresh(trainer.config.data, trainer.points.box, COUNT)
        self.z = torch.randn(COUNT, trainer.config.z_dim, generator=rng)

    @torch.inference_mode()
    def measure(self) -> dict[str, float | None]:
        """Return the signals, rounded; None where one does not exist for this run."""
        G, D = self.trainer.G, self.trainer.D
        fakes = G(self.z)
        known = self.learned[:COUNT]
        reals = known if self.new is None else self.new
        on_known, on_fakes = D(known).flatten(), D(fakes).flatten()
        apart = on_known[:, None] - on_fakes
        told: dict[str, float | None] = {"auc": share_above(apart.flatten()), "held_out": 0}
        if self.new is not None:
            gaps = on_known[:, None] - D(self.new).flatten()
            told |= {"held_out": COUNT, "seen": share_above(gaps.flatten())}
            told["by_heart"] = ratio(gaps.mean().item(), apart.mean().item())
        if fakes.isfinite().all() and len(reals) >= LEAST:
            told |= self._of_referee(reals, fakes)
        return {name: value if value is None else float(f"{value:.4g}") for name, value in told.items()}

    def _of_referee(self, reals: torch.Tensor, fakes: torch.Tensor) -> dict[str, float | None]:
        """Return what the referee says of fakes (COUNT, 2), compared with reals (N, 2)."""
        shape = manifold_scores(reals, fakes)
        told: dict[str, float | None] = {
            "referee": one_nearest_neighbour(reals, fakes[: len(reals)]).accuracy,
            "coverage": shape.coverage,
            "precision": shape.precision,
            "variety": ratio(_spread(fakes), _spread(reals)),
        }
        if self.trainer.points.modes is not None:
            told["classes"] = ratio(self._modes(fakes), self._modes(reals))
        if self.new is not None and LEAST <= len(self.learned) <= FEW:
            told["copies"] = share_of_copies(self.learned, self.new, fakes)
        return told

    def _modes(self, points: torch.Tensor) -> float:
        """Return the effective number of modes among points (N, 2)."""
        modes = self.trainer.points.modes
        assert modes is not None, "the caller has asked"
        nearest = torch.cdist(points, modes.centres).argmin(1)
        shares = nearest.bincount(minlength=len(modes.centres)).double() / len(points)
        return torch.special.entr(shares).sum().exp().item()


def _spread(points: torch.Tensor) -> float:
    return torch.pdist(points.double()).mean().item()
