"""The engine of the kind "images": it gives gan.data and gan.train.trainer to the worker."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from gan import data
from gan.config import RunConfig
from gan.data import Dataset
from gan.data.own.report import Report, grouped, sentence_left_out
from gan.device import Device
from gan.errors import UserError
from gan.images import encode_webp, grid, to_uint8
from gan.kinds import Recognised, Sheet
from gan.kinds.images import eyes
from gan.kinds.images.identity import as_it_began, identify
from gan.kinds.images.identity import read as read_identity
from gan.kinds.images.signals import Signals
from gan.metrics.distances import pairwise_diversity, relative_diversity
from gan.metrics.texture import compare, texture
from gan.models import generator_file
from gan.train import origin
from gan.train.autotune import machine
from gan.train.autotune.measure import load_or_measure
from gan.train.base import seed_for
from gan.train.parallel.team import ALONE, Team
from gan.train.start import load_start
from gan.train.trainer import Trainer, check_data

LARGE_STEP = 2**20  # pixels; a smaller step takes a few seconds at most
REALS = 16  # images that the page shows beside samples
COMPARED = 256  # real images whose diversity and texture those of the samples are compared with

check = check_data


class ImagesTrainer(Trainer):
    """gan.train.trainer.Trainer with its sample sheet and its published generator."""

    SCORES = ("diversity", "contrast", "noise")

    def __init__(self, config: RunConfig, dataset: Dataset, device: Device, team: Team = ALONE):
        super().__init__(config, dataset, device, team)
        self._labels = dataset.labels
        self._signals: Signals | None = None
        self._tiles: torch.Tensor | None = None  # those of the newest sheet, (64, C, H, W)
        real = dataset.images[self.split.trained[:COMPARED]].float() / 127.5 - 1
        self.real_diversity, self.real_texture = pairwise_diversity(real), texture(real)

    def sample_sheet(self) -> Sheet:
        """Return a grid of 8x8 samples as WebP, and compare them with real images."""
        images = self._tiles = self.sample_grid()
        scores = {
            "diversity": relative_diversity(images, self.real_diversity),
            **compare(images.float(), self.real_texture),
        }
        return Sheet(encode_webp(grid(to_uint8(images), columns=8)), scores)

    def real_sheet(self) -> bytes:
        """Return 4x4 of the images that it trains on, always the same of a set, as WebP."""
        rows = self.split.trained
        rng = torch.Generator().manual_seed(seed_for("reals", len(rows)))
        some = rows[torch.randperm(len(rows), generator=rng)[:REALS]]
        return encode_webp(grid(self.batches.look(some), columns=4))

    def measure(self) -> dict[str, float | None]:
        """Return the run's signals. The first call opens the referee's net."""
        if self._signals is None:
            self._signals = Signals(self, self._labels, self.config.data)
        return self._signals.measure(self._tiles)

    def eyes(self, anew: bool = False) -> dict[str, Any] | None:
        """Return what D makes of the images and of the newest sheet (see gan.kinds.images.eyes)."""
        if self._signals is None:
            return None
        looks = self._signals.look(self._tiles) if anew else self._signals.looks
        return None if looks is None else eyes.describe(looks, self.config.clusters)

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Restore what `state` returned. The tiles of the last sheet belong to other weights then."""
        super().load(tensors)
        self._tiles = None

    def published(self) -> bytes:
        """Return the EMA generator as the file that Explore reads."""
        return generator_file(self.ema, self.spec)


build = ImagesTrainer


def choose_device(picked: Device, began: Any) -> Device:
    """Return the device as the run's first session set it, else with the fastest settings measured.

    Another thread count or precision rounds differently, so a resumed run would not repeat bit for bit.
    """
    return machine.same_compute(picked, began) or load_or_measure(picked).device(picked)


def load(config: RunConfig) -> Dataset:
    """Return the images of a config at its size. Raises UserError if they can't be read."""
    return data.load(config.data, config.size, config.channels, config.background)


def recognise(config: RunConfig, dataset: Dataset, run_dir: Path, saved: dict[str, Any] | None) -> Recognised:
    """Restore the recorded image order of a run that began, or identify the images of a new one.

    See gan.kinds.Engine.
    """
    known = None if saved is None else read_identity(run_dir, saved)
    if known is None:
        record = identify(dataset, config.conditional)
        event = None if saved is None else "pictures_unknown"
    else:
        dataset, record, event = as_it_began(dataset, known, config.conditional)
    check_data(config, dataset)
    values: dict[str, dict[str, Any]] = {
        "pictures_unknown": {"count": record.count},
        "set_changed": {"name": record.name},
    }
    return Recognised(dataset, record, [(event, values.get(event, {}))] if event else [])


def begin(trainer: Trainer, config: RunConfig, run_dir: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Load the model that a new run starts from, and yield events that say what was loaded.

    Raises UserError if its files are missing or damaged, or its weights have other shapes.
    """
    if not config.start_from:
        return
    known = origin.read_record(run_dir)
    if not known:
        raise UserError("start.gone", id=config.start_from)
    classes = tuple(map(str, known["classes"]))
    found = load_start(trainer, run_dir / origin.START, classes)
    origin.note_beginning(run_dir, *found)
    values = {"title": known["title"], "digest": known["weights"]}
    yield "began_from" if found.discriminator == "loaded" else "began_from_g", values
    if found.conditioning == "anew":
        yield "classes_anew", {}


def remarks(dataset: Dataset) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events about the images of a new run."""
    if dataset.source is not None:
        facts = dataset.source.facts()
        yield "from_hub", {name: facts[name] for name in ("name", "commit", "licence", "count")}
    yield from about_pictures(dataset.report)


def about_pictures(report: Report | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield an event (key, values) for each fault in a run's own images; nothing for a built-in data set.

    `why` is English, for the log. The page builds the same sentence from `left_out` in the reader's language.
    """
    if report is None:
        return
    if report.left_out:
        skipped = len(report.left_out)
        groups = [
            {"reason": reason, "detail": detail, "names": names, "count": count}
            for reason, detail, names, count in grouped(report.left_out)
        ]
        yield (
            "skipped",
            {
                "skipped": skipped,
                "total": skipped + report.count,
                "why": sentence_left_out(report.left_out),
                "left_out": groups,
            },
        )
    if report.copies:
        yield "copies", {"copies": report.copies, "total": report.count}


def first_step_seconds(config: RunConfig, dataset: Dataset) -> float:
    """Estimate the seconds of the first step from the machine's profile.

    At batch 1,024 it can take a minute, and must not look like a hang. 0 for a small step, or without a
    profile.
    """
    known, pixels = machine.load_profile(), config.batch * config.d_steps * config.size**2
    if known is None or pixels < LARGE_STEP:
        return 0.0
    # imported here: the import takes most of a second, and so does the first count
    from gan.train.autotune.cost import count_step

    return known.speed.seconds(count_step(config, len(dataset.classes)).work)


def warm_up() -> None:
    """Take one step of a tiny run, because a process's first step costs seconds of imports and set-up.

    The costs are the first convolution, the first second derivative and the first optimizer.
    """
    images = torch.zeros(4, 1, 28, 28, dtype=torch.uint8)
    config = RunConfig(data="rehearsal", size=28, channels=1, batch=2, width=8)
    Trainer(config, Dataset("rehearsal", images, None, (), {}), Device("cpu", "CPU", 1)).advance(1)
