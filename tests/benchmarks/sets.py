"""The data sets that quality.py measures on: what is trained on, what is held out, and how drawn pictures are
scored against that.

A further one is one more entry in SETS.
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
from tests.benchmarks import stacked

HELD_OUT = 2000  # test pictures that scores are computed on, at most
Scores = dict[str, float]
Folder = Path | None  # of IDX files; None for what torchvision downloads


class Subject(NamedTuple):
    """A data set as the benchmark sees it. `train` takes the folder and the seed, `test` the folder; pictures
    are uint8 (N, C, H, W).
    """

    train: Callable[[Folder, int], Dataset]
    test: Callable[[Folder], torch.Tensor]
    # of which gan.config knows what the data set wants different, and gan.metrics.extractors who looks at it
    name: str
    score: Callable[..., Scores] = score
    extractor: str | None = None  # where only this one will do
    samples: int | None = None  # pictures to draw; None for as many as are held out
    # fields of RunConfig that every recipe has on it unless told otherwise
    settings: Mapping[str, Any] = MappingProxyType({})


def load_training(name: str, folder: Folder, seed: int, limit: int | None = None) -> Dataset:
    """The training pictures of a data set; with a `limit` only so many, chosen by the seed, of which fewer
    are always a part of more.

    Raises ArgumentTypeError where there are not as many, and where the files in the folder are missing or
    damaged; UserError where a download fails.
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
    """The folder of the IDX files: the one given, else where torchvision keeps the set that gan.data calls
    `download`, fetched if it is not there.

    Raises ArgumentTypeError for a folder without them.
    """
    if folder is None:
        data.load(download)
        folder = cache_dir() / "torchvision" / kind / "raw"
    if len(list(folder.glob("*-idx[13]-ubyte*"))) < 4:
        raise ArgumentTypeError(f"{folder} does not hold the four IDX files of {download}")
    return folder


def read_idx_split(folder: Folder, download: str, kind: str, split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """`read_split` of that folder. Raises ArgumentTypeError for damaged files."""
    try:
        return read_split(idx_folder(folder, download, kind), split)
    except (OSError, ValueError) as error:
        raise ArgumentTypeError(str(error)) from error


def _idx(name: str, download: str, kind: str) -> Subject:
    def train(folder: Folder, seed: int) -> Dataset:
        images, labels = read_idx_split(folder, download, kind, "train")
        return Dataset(name, images, labels, data.info(download).classes)

    def test(folder: Folder) -> torch.Tensor:
        # By chance: the first half of MNIST's test split is neater than the second, and than what is trained
        # on.
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
    """A set that comes with the code, divided as for its net, so that this has not learned from what is held
    out where there are no other pictures.
    """
    return Subject(
        lambda folder, seed: divide(data.load(name))[0],
        lambda folder: divide(data.load(name))[1].images[:HELD_OUT],
        name,
    )


def _cifar10() -> Subject:
    def test(folder: Folder) -> torch.Tensor:
        # says in a sentence what is wrong where the files are neither here nor to be had
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
    """Who looks at the pictures for the scores: `wanted`, else the usual one, but never one of `extractors`,
    through which a discriminator looks in training.

    Raises UserError for one of these and for a extractor that there is not, ArgumentTypeError where only
    another will do.
    """
    subject = SETS[name]
    if wanted and subject.extractor:
        raise ArgumentTypeError(f"{name} is scored through the {subject.extractor} net alone")
    return choose_extractor(wanted or subject.extractor, subject.name, channels, extractors)
