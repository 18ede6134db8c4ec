"""Define the data sets of minutes.py: training images, held-out images, and the score of samples.

A new data set needs one new entry in SETS.
"""

from argparse import ArgumentTypeError
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import torch

from gan import data
from gan.data.cache import cache_dir
from gan.data.dataset import Dataset
from gan.data.idx import read_split
from gan.export.scores import some
from gan.metrics.build.sources import divide
from gan.metrics.extractors import Extractor, choose_extractor
from gan.metrics.score import score
from tests.benchmarks.quality import stacked

HELD_OUT = 2000  # test images for the scores, at most
Scores = dict[str, float]
Folder = Path | None  # folder of IDX files; None for torchvision's download


class Subject(NamedTuple):
    """A data set as the benchmark uses it.

    `train` takes the folder and the seed, `test` only the folder. Images are uint8 (N, C, H, W).
    """

    train: Callable[[Folder, int], Dataset]
    test: Callable[[Folder], torch.Tensor]
    # The data set's name in gan.config, for its default settings, and in gan.metrics.extractors.
    name: str
    score: Callable[..., Scores] = score
    extractor: str | None = None  # the only extractor allowed, if any
    samples: int | None = None  # number of samples; None for as many as the held-out images
    # fields of RunConfig that every recipe gets here, unless the variant sets them
    settings: Mapping[str, Any] = MappingProxyType({})


def load_training(name: str, folder: Folder, seed: int, limit: int | None = None) -> Dataset:
    """Load the training images of a data set, or `limit` of them, chosen by the seed.

    A smaller choice is always part of a larger one. Raises ArgumentTypeError for too few images, and for
    missing or damaged files in the folder. Raises UserError for a failed download.
    """
    dataset = SETS[name].train(folder, seed)
    if limit is None:
        return dataset
    if limit > len(dataset.images):
        raise ArgumentTypeError(f"{name} has {len(dataset.images)} pictures to train on, not {limit}")
    chosen = torch.randperm(len(dataset.images), generator=torch.Generator().manual_seed(seed))[:limit]
    return replace(
        dataset,
        images=dataset.images[chosen],
        labels=None if dataset.labels is None else dataset.labels[chosen],
        attributes={},
    )


def idx_folder(folder: Folder, download: str, kind: str) -> Path:
    """Return the given folder of IDX files, or else torchvision's folder of the set `download`.

    gan.data downloads the set where it is missing. Raises ArgumentTypeError for a folder without IDX files.
    """
    if folder is None:
        data.load(download)
        folder = cache_dir() / "torchvision" / kind / "raw"
    if len(list(folder.glob("*-idx[13]-ubyte*"))) < 4:
        raise ArgumentTypeError(f"{folder} does not hold the four IDX files of {download}")
    return folder


def read_idx_split(folder: Folder, download: str, kind: str, split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Read a split of that folder. Raises ArgumentTypeError for damaged files."""
    try:
        return read_split(idx_folder(folder, download, kind), split)
    except (OSError, ValueError) as error:
        raise ArgumentTypeError(str(error)) from error


def _idx(name: str, download: str, kind: str) -> Subject:
    def train(folder: Folder, seed: int) -> Dataset:
        images, labels = read_idx_split(folder, download, kind, "train")
        return Dataset(name, images, labels, data.info(download).classes)

    def test(folder: Folder) -> torch.Tensor:
        # The choice is random, because the first half of MNIST's test split is neater than the rest of MNIST.
        return some(read_idx_split(folder, download, kind, "t10k")[0], HELD_OUT)

    return Subject(train, test, download)


def _stacked() -> Subject:
    def digits(folder: Folder, split: str) -> tuple[torch.Tensor, torch.Tensor]:
        return read_idx_split(folder, "mnist", "MNIST", split)

    def train(folder: Folder, seed: int) -> Dataset:
        return Dataset("stacked", stacked.stack(digits(folder, "train")[0], stacked.TRAINING, seed))

    def test(folder: Folder) -> torch.Tensor:
        return stacked.stack(digits(folder, "t10k")[0], HELD_OUT, seed=0)

    return Subject(
        train,
        test,
        "stacked",
        stacked.score,
        "digits",
        stacked.SAMPLES,
        {"augment": "none", "adaptive": False},
    )


def _bundled(name: str) -> Subject:
    """Return a bundled set with the split of its feature extractor.

    So the extractor did not train on the held-out images, even where the bundled images are all there are.
    """
    return Subject(
        lambda folder, seed: divide(data.load(name))[0],
        lambda folder: divide(data.load(name))[1].images[:HELD_OUT],
        name,
    )


def _cifar10() -> Subject:
    def test(folder: Folder) -> torch.Tensor:
        # raises a UserError with a sentence where the files are neither here nor downloadable
        data.load("cifar10")
        from torchvision.datasets import CIFAR10

        pixels = CIFAR10(cache_dir() / "torchvision", train=False).data
        return some(torch.from_numpy(pixels), HELD_OUT).permute(0, 3, 1, 2).contiguous()

    return Subject(lambda folder, seed: data.load("cifar10"), test, "cifar10")


SETS: dict[str, Subject] = {
    "mnist": _idx("mnist", "mnist", "MNIST"),
    "fashion": _idx("fashion", "fashion-mnist", "FashionMNIST"),
    "stacked": _stacked(),
    "cifar10": _cifar10(),
    "emoji": _bundled("emoji"),
    "faces": _bundled("faces"),
    "landscapes": _bundled("landscapes"),
}


def extractor_of(name: str, channels: int, wanted: str | None, extractors: Collection[str]) -> Extractor:
    """Choose the feature extractor of the scores: `wanted`, or else the data set's default.

    It is never one of `extractors`, because a discriminator trained through those. Raises UserError for one
    of these and for an unknown extractor. Raises ArgumentTypeError where the data set allows only another
    one.
    """
    subject = SETS[name]
    if wanted and subject.extractor:
        raise ArgumentTypeError(f"{name} is scored through the {subject.extractor} net alone")
    return choose_extractor(wanted or subject.extractor, subject.name, channels, extractors)
