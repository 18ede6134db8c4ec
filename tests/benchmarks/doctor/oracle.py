"""Measure what a run was like at a moment, apart from the doctor: with more samples and a second net.

The doctor compares 256 samples with as many held-out images through one net. The oracle draws 1,000 samples
and takes up to 500 images that the run never saw, through the net of the data set and through pixels.
Coverage, precision and referee compare equal numbers. The scores are defined as for the doctor.
"""

from typing import Any

import torch

from gan.data import Dataset
from gan.images import to_uint8
from gan.kinds.images.signals import as_in_a_step
from gan.metrics.extractors import open_extractor, usual_extractor
from gan.metrics.manifold import manifold_scores
from gan.metrics.memory import share_of_copies
from gan.metrics.pairs import share_above
from gan.metrics.two_sample import one_nearest_neighbour
from gan.train.trainer import Trainer

COUNT = 1000  # samples
REALS = 500  # of them are compared with as many samples
FEW = 5000  # training images at most, where copies are looked for
PART = 100


class Oracle:
    """Judges the weights that one run had at several moments."""

    def __init__(self, trainer: Trainer, dataset: Dataset):
        """trainer: of the run's settings, with any weights."""
        self.trainer, rng = trainer, torch.Generator().manual_seed(7)
        trained, held = trainer.split.trained, trainer.split.held_out[:REALS]
        rows = trained[torch.randperm(len(trained), generator=rng)]
        self.known, self.unseen = dataset.images[rows[:REALS]], dataset.images[held]
        self.train = dataset.images[rows] if len(rows) <= FEW else None
        groups = trainer.groups
        self.of_known = None if groups is None else groups[rows[:REALS]]
        self.of_unseen = None if groups is None else groups[held]
        self.z = torch.randn(COUNT, trainer.config.z_dim, generator=rng)
        self.of_g = self.of_fakes = None
        if groups is not None:
            self.of_fakes = groups[rows[torch.arange(COUNT) % len(rows)]]
            self.z, self.of_g = trainer.G.class_conditioning().split(self.z, self.of_fakes)
        channels = dataset.images.shape[1]
        self.nets = {
            "own": open_extractor(usual_extractor(trainer.config.data, channels)),
            "pixels": open_extractor("pixels"),
        }
        self.seen_by = {name: net.extract(self.unseen) for name, net in self.nets.items()}
        self.learned = (
            {}
            if self.train is None
            else {name: net.extract(self.train).features for name, net in self.nets.items()}
        )

    @torch.inference_mode()
    def judge(self, weights: dict[str, dict[str, torch.Tensor]]) -> dict[str, Any]:
        """Return all measures of G's and D's weights of a moment."""
        self.trainer.G.load_state_dict(weights["G"])
        self.trainer.D.load_state_dict(weights["D"])
        with as_in_a_step(self.trainer.G), as_in_a_step(self.trainer.D):
            fakes = _in_parts(self.trainer.G, self.z, self.of_g)
            if not fakes.isfinite().all():
                return {"finite": False}
            told = {"finite": True, **self._of_d(fakes)}
        images = to_uint8(fakes)
        for name, net in self.nets.items():
            told |= {f"{name} {key}": value for key, value in self._through(name, net, images).items()}
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in told.items()}

    def _of_d(self, fakes: torch.Tensor) -> dict[str, float | None]:
        """Return D's AUC on unseen images and fakes, on known and unseen ones, and r_v, group by group."""
        known = self._logits(self.known, self.of_known)
        new = self._logits(self.unseen, self.of_unseen)
        fake = _in_parts(self.trainer.D, fakes, self.of_fakes).flatten()
        far = _gaps(known, fake, self.of_known, self.of_fakes).mean()
        near = _gaps(known, new, self.of_known, self.of_unseen)
        return {
            "auc": share_above(_gaps(new, fake, self.of_unseen, self.of_fakes)),
            "seen": share_above(near),
            "r_v": (near.mean() / far).item() if far > 0 else None,
        }

    def _logits(self, images: torch.Tensor, groups: torch.Tensor | None) -> torch.Tensor:
        return _in_parts(self.trainer.D, images.float() / 127.5 - 1, groups).flatten()

    def _through(self, name: str, net: Any, images: torch.Tensor) -> dict[str, float]:
        """Return the scores of samples (COUNT, C, H, W) through one net."""
        real, found = self.seen_by[name], net.extract(images)
        fake = found.features[: len(real.features)]
        shape = manifold_scores(real.features, fake)
        told = {
            "coverage": shape.coverage,
            "precision": shape.precision,
            "referee": one_nearest_neighbour(real.features, fake).accuracy,
        }
        if found.classes is not None:
            told["kinds"] = _effective(found.classes, net.classes) / _effective(real.classes, net.classes)
        if self.learned:
            told["copies"] = share_of_copies(self.learned[name], real.features, found.features)
        return told


def _in_parts(net: Any, values: torch.Tensor, groups: torch.Tensor | None) -> torch.Tensor:
    parts = max(1, len(values) // PART)
    of_parts = [None] * parts if groups is None else groups.tensor_split(parts)
    return torch.cat(
        [net(part, of).float() for part, of in zip(values.tensor_split(parts), of_parts, strict=True)]
    )


def _gaps(
    first: torch.Tensor, second: torch.Tensor, of_first: torch.Tensor | None, of_second: torch.Tensor | None
) -> torch.Tensor:
    gaps = first[:, None] - second
    return gaps.flatten() if of_first is None else gaps[of_first[:, None] == of_second]


def _effective(classes: torch.Tensor, count: int) -> float:
    shares = torch.bincount(classes, minlength=count).double() / len(classes)
    return float(torch.special.entr(shares).sum().exp())
