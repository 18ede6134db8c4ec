"""Measure what goes on in a run on images: what D says, and what a referee says who never met D.

The referee looks at features of the data set's own net, or of the extractor that `score` would choose. It
compares samples with held-out images, or with training images where few are held out. The samples are those
of the raw G: the average of its weights would hide an oscillation, and shows everything later. Both networks
work as in a step: batch norm goes by the batch at hand, and real and generated images are separate batches.
With its running statistics, the D of a young DCGAN rates all fakes above all real images.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from scipy.cluster.vq import kmeans2
from torch import nn

from gan.images import to_uint8
from gan.kinds.images.eyes import Judged, Looks
from gan.metrics.distances import nearest
from gan.metrics.extractors import Extractor, choose_extractor
from gan.metrics.kernel import mmd_squared
from gan.metrics.manifold import manifold_scores
from gan.metrics.pairs import ratio, share_above
from gan.metrics.two_sample import one_nearest_neighbour
from gan.models import ARCHITECTURES
from gan.train.base import seed_for

if TYPE_CHECKING:
    from gan.train.trainer import Trainer

COUNT = 256  # samples, and at most as many images that are held out and that are trained on
ENOUGH = 50  # with fewer held-out images, training images are the referee's reals
LEAST = 5  # held-out images for `seen`
LEAST_REALS = 6  # for the referee: its scores use the five nearest neighbours
CELLS = 10  # of k-means, where the extractor tells no classes
VERY_FEW = 2_000  # training images, at most, of a set in which they always are
FEW = 5_000  # training images, at most, of a set in which copies are looked for
LEARNED_PART = 512  # training images whose features are extracted in one measurement
SAME = 1e-9  # images are doubles if their squared distance is below this part of a feature's squared length
USUAL = 0.01  # quantile of the distances between training images below which a sample is a copy
KNOWN = 0.7  # of `seen`; from here on copies are looked for


class Signals:
    """The signals of one run. A measurement takes about a third of a second at 28 pixels on two cores."""

    NAMES = (
        "auc", "held_out", "seen", "by_heart", "referee", "coverage", "precision", "kd", "variety", "classes",
        "agreement", "turnover", "copies",
    )  # fmt: skip

    def __init__(self, trainer: "Trainer", labels: torch.Tensor | None, data: str):
        """labels: the class of each image of the set, int64 (N,), or None. data: the set's name or path."""
        self.trainer = trainer
        parts, rng = trainer.split, torch.Generator().manual_seed(seed_for(trainer.config.seed, "signals"))
        self.trained = parts.trained[torch.randperm(len(parts.trained), generator=rng)[:COUNT]]
        held = parts.held_out[torch.randperm(len(parts.held_out), generator=rng)]
        self.held = held[:COUNT]
        # the means of many groups need more images (gan.kinds.images.eyes)
        self.judged = self.held if trainer.groups is None else held
        self.reals = self.held if len(self.held) >= ENOUGH else self.trained
        self.labels = None if labels is None or not trainer.classes else labels[self.reals]
        self.z = torch.randn(len(self.reals), trainer.config.z_dim, generator=rng).to(trainer.device)
        self.of_g: torch.Tensor | None = None  # class labels for G
        if trainer.groups is not None:  # each fake is of the group of a real image, as in a step
            self.z, self.of_g = trainer.G.class_conditioning().split(self.z, trainer.groups[self.reals])
        self.extractor = choose_extractor(
            None, data, trainer.config.channels, ARCHITECTURES[trainer.config.architecture].extractors
        )
        self.own = self.extractor.name == data  # the net then numbers the classes as the set does
        found = self.extractor.extract(trainer.batches.look(self.reals))
        self.features = found.features
        self.cells = Cells(found.features, found.classes, self.extractor)
        self.last_cells: torch.Tensor | None = None
        self.learned: list[torch.Tensor] = []  # features of training images, extracted part by part
        self.looks: Looks | None = None  # what D said at the last measurement

    @torch.inference_mode()
    def measure(self, tiles: torch.Tensor | None = None) -> dict[str, float | None]:
        """Return the signals by their NAMES, rounded; None where one does not exist for this run or yet.

        tiles: as in `look`. Training goes on as if nothing had been measured: it uses no random numbers of
        the run.
        """
        told: dict[str, float | None] = dict.fromkeys(self.NAMES)
        fakes, looks = self._look(tiles)
        told |= self._of_d(looks)
        found = self.extractor.extract(to_uint8(fakes))
        if not found.features.isfinite().all():
            return told
        told |= self._of_referee(found.features)
        cells = self.cells.of(found.features, found.classes)
        told |= self._of_cells(cells, found.classes)
        told["copies"] = self._copies(found.features, told["seen"])
        return {name: value if value is None else float(f"{value:.4g}") for name, value in told.items()}

    @torch.inference_mode()
    def look(self, tiles: torch.Tensor | None) -> Looks:
        """Let D judge its training images, held-out ones, fakes of the raw G, and the tiles of a sheet.

        tiles: (64, C, H, W) in [-1, 1], those of the run's fixed latents, or None.
        """
        return self._look(tiles)[1]

    def _look(self, tiles: torch.Tensor | None) -> tuple[torch.Tensor, Looks]:
        """Return the fakes (N, C, H, W) in [-1, 1], and what D makes of everything; `looks` keeps it."""
        trainer = self.trainer
        with as_in_a_step(trainer.G), as_in_a_step(trainer.D):
            fakes = self._in_parts(trainer.G, self.z, self.of_g)
            self.looks = Looks(
                self._judged(self._real(self.trained), self._groups(self.trained)),
                self._judged(self._real(self.judged), self._groups(self.judged)),
                self._judged(fakes, self._groups(self.reals)),
                None if tiles is None else self._judged(tiles, self._groups_of_tiles()),
            )
        return fakes, self.looks

    def _groups(self, rows: torch.Tensor) -> torch.Tensor | None:
        """Return the groups of the set's images at `rows`, or None without conditioning."""
        return None if self.trainer.groups is None else self.trainer.groups[rows]

    def _groups_of_tiles(self) -> torch.Tensor | None:
        trainer = self.trainer
        if trainer.groups is None:
            return None
        return trainer.G.class_conditioning().group(trainer.fixed_z, trainer.fixed_labels)

    def _judged(self, images: torch.Tensor, groups: torch.Tensor | None) -> Judged:
        """Let D judge images in [-1, 1] of these groups. A D of patches gives the mean of its logits."""
        if not len(images):
            return Judged(torch.empty(0, device=self.trainer.device), groups)
        logits = self._in_parts(self.trainer.D, images, groups)
        return Judged(logits.reshape(len(images), -1).mean(1), groups)

    def _in_parts(
        self, net: Callable[..., torch.Tensor], values: torch.Tensor, groups: torch.Tensor | None
    ) -> torch.Tensor:
        count = max(1, len(values) // self.trainer.config.batch)  # parts of at least a batch: no single image
        parts = values.tensor_split(count)
        of_parts = [None] * count if groups is None else groups.tensor_split(count)
        with self.trainer.autocast():
            return torch.cat([net(part, of).float() for part, of in zip(parts, of_parts, strict=True)])

    def _real(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the set's images at `rows` as D sees them: (N, C, H, W) in [-1, 1]."""
        return self.trainer.batches.look(rows).to(self.trainer.device).float().div_(127.5).sub_(1)

    def _of_d(self, looks: Looks) -> dict[str, float | None]:
        """Return how well D tells training images from fakes, and whether it knows them by heart.

        `auc` is the area under its curve for training images and fakes, `seen` that for training and held-out
        images: .5 if it knows none by heart. `by_heart` is r_v of StyleGAN2-ADA: 0 when D rates held-out
        images like training images, 1 when like fakes. Where D can hardly tell fakes either, only `seen`
        means something. All three compare images of one group: logits of different groups have no common
        zero.
        """
        gaps = _gaps(looks.trained, looks.fakes)
        found: dict[str, float | None] = {"auc": share_above(gaps), "held_out": len(self.held)}
        if len(self.held) < LEAST:
            return found
        known = _gaps(looks.trained, looks.held_out.first(COUNT))
        by_heart = ratio(known.mean().item(), gaps.mean().item()) if len(known) and len(gaps) else None
        return {**found, "seen": share_above(known), "by_heart": by_heart}

    def _of_referee(self, features: torch.Tensor) -> dict[str, float | None]:
        """Return the 1-NN accuracy, coverage, precision and kernel distance of the samples."""
        if len(self.features) < LEAST_REALS:
            return {}
        shape = manifold_scores(self.features, features)
        return {
            "referee": one_nearest_neighbour(self.features, features).accuracy,
            "coverage": shape.coverage,
            "precision": shape.precision,
            "kd": mmd_squared(self.features, features),
            "variety": ratio(_spread(features, self.labels), _spread(self.features, self.labels)),
        }

    def _of_cells(self, cells: torch.Tensor, classes: torch.Tensor | None) -> dict[str, float | None]:
        """Return how many kinds of images the samples show, and how many latents changed theirs.

        Where G is told the class, kinds would only repeat it. There, `agreement` is the share of samples that
        the net reads as the class that was asked for.
        """
        before, self.last_cells = self.last_cells, cells
        turnover = None if before is None else (cells != before).double().mean().item()
        if self.labels is None:
            return {"turnover": turnover, "classes": self.cells.effective(cells)}
        if classes is None or not self.own:
            return {"turnover": turnover}
        return {"turnover": turnover, "agreement": (classes == self.labels).double().mean().item()}

    def _copies(self, features: torch.Tensor, seen: float | None) -> float | None:
        """Return the share of samples that are copies, in a set of few images.

        A copy is nearer to a training image than 99 % of these are to each other. In a larger set copies are
        looked for once D knows the images by heart: D overfits long before G copies.
        """
        rows = self.trainer.split.trained
        known = seen is not None and seen > KNOWN
        if not LEAST_REALS <= len(rows) <= (FEW if known else VERY_FEW):
            return None
        done = sum(map(len, self.learned))
        if done < len(rows):
            part = self.trainer.batches.look(rows[done : done + LEARNED_PART])
            self.learned.append(self.extractor.extract(part).features)
        if done + LEARNED_PART < len(rows):
            return None
        learned = torch.cat(self.learned)
        apart = nearest(learned, learned, 1, skip_self=True).squared
        others = apart[apart > SAME * learned.double().square().sum(1).mean()]  # but a set's own doubles
        if not len(others):
            return None
        return (nearest(features, learned, 1).squared < others.quantile(USUAL)).double().mean().item()


@contextmanager
def as_in_a_step(net: nn.Module) -> Iterator[None]:
    """Let batch norm use the statistics of the batch, and change nothing that the net keeps."""
    norms = [module for module in net.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    net.eval()  # spectral norm would change what it keeps
    for norm in norms:
        norm.training, norm.track_running_stats = True, False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True


class Cells:
    """The kinds of a data set's images: the classes that its net tells, or cells of k-means of features."""

    def __init__(self, features: torch.Tensor, classes: torch.Tensor | None, extractor: Extractor):
        """features: (N, D) of real images. classes: int64 (N,), or None if the extractor tells none."""
        self.centres = None if classes is not None else _centres(features)
        self.count = extractor.classes if self.centres is None else len(self.centres)
        self.real = self.of(features, classes)

    def of(self, features: torch.Tensor, classes: torch.Tensor | None) -> torch.Tensor:
        """Return the cell of each image, int64 (N,)."""
        if self.centres is None:
            assert classes is not None, "the extractor told classes before"
            return classes
        return torch.cdist(features.double(), self.centres).argmin(1)

    def effective(self, cells: torch.Tensor) -> float | None:
        """Return the effective number of kinds among samples, divided by that among real images."""
        return ratio(self._effective(cells), self._effective(self.real))

    def _effective(self, cells: torch.Tensor) -> float:
        shares = torch.bincount(cells, minlength=self.count).double() / len(cells)
        return torch.special.entr(shares).sum().exp().item()


def _centres(features: torch.Tensor) -> torch.Tensor:
    """Return the centres (K, D) float64 of at most CELLS cells of the features (N, D)."""
    found, _ = kmeans2(
        features.double().numpy(), min(CELLS, len(features)), minit="++", seed=0, missing="warn"
    )
    return torch.from_numpy(found)


def _gaps(trained: Judged, others: Judged) -> torch.Tensor:
    """Return all differences of logits, (K,), between a training image and another of its group."""
    gaps = trained.logits[:, None] - others.logits
    if trained.groups is None or others.groups is None:
        return gaps.flatten()
    return gaps[trained.groups[:, None] == others.groups]


def _spread(features: torch.Tensor, labels: torch.Tensor | None) -> float:
    """Return the mean distance between features (N, D) of one class, or of all."""
    distances = torch.cdist(features.double(), features.double())
    alike = torch.ones_like(distances, dtype=torch.bool) if labels is None else labels[:, None] == labels
    alike.fill_diagonal_(False)
    return distances[alike].mean().item() if alike.any() else 0.0
