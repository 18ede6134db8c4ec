"""The data sets that quality.py measures on: what is trained on, what is held out, and how drawn pictures are scored against that.

A further one is one more entry in SETS.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from gan import data
from gan.data.cache import cache_dir
from gan.data.dataset import Dataset, fit
from gan.errors import UserError
from gan.metrics.build.classifier import read_split
from gan.metrics.features import load_net, raw_pixels, see
from gan.metrics.frechet import fit_gaussian, frechet_distance
from gan.metrics.kernel import kernel_distance
from gan.metrics.manifold import manifold_scores
from gan.metrics.modes import class_histogram, mode_divergence
from tests.benchmarks import stacked

HELD_OUT = 2000  # test pictures that scores are computed on, at most
Scores = dict[str, float]
Folder = Path | None  # of IDX files; None for what torchvision downloads


class Subject(NamedTuple):
    """A data set as the benchmark sees it. `train` takes the folder and the seed, `test` the folder; pictures are uint8 (N, C, H, W)."""

    train: Callable[[Folder, int], Dataset]
    test: Callable[[Folder], torch.Tensor]
    score: Callable[[torch.Tensor, torch.Tensor], Scores]  # of held-out and drawn pictures
    over: str  # the features that FD, KD and the four that follow them are computed on
    defaults: str  # the name under which gan.config keeps what the data set wants different
    samples: int | None = None  # pictures to draw; None for as many as are held out


def load_training(name: str, folder: Folder, seed: int, limit: int | None = None) -> Dataset:
    """The training pictures of a data set; with a `limit` only so many, chosen by the seed, of which fewer are always a part of more."""
    dataset = SETS[name].train(folder, seed)
    if limit is None:
        return dataset
    if limit > len(dataset.images):
        raise SystemExit(f"{name} has {len(dataset.images)} pictures to train on, not {limit}")
    chosen = torch.randperm(len(dataset.images), generator=torch.Generator().manual_seed(seed))[:limit]
    return replace(dataset, images=dataset.images[chosen], labels=None if dataset.labels is None else dataset.labels[chosen], attributes={})


def idx_folder(folder: Folder, download: str, kind: str) -> Path:
    """The folder of the IDX files: the one given, else where torchvision keeps the set that gan.data calls `download`, fetched if it is not there."""
    if folder is None:
        data.load(download)
        folder = cache_dir() / "torchvision" / kind / "raw"
    if len(list(folder.glob("*-idx[13]-ubyte*"))) < 4:
        raise SystemExit(f"{folder} does not hold the four IDX files of {download}")
    return folder


def _idx(name: str, download: str, kind: str, net: str) -> Subject:
    def train(folder: Folder, seed: int) -> Dataset:
        images, labels = read_split(idx_folder(folder, download, kind), "train")
        return Dataset(name, images, labels, data.info(download).classes)

    def test(folder: Folder) -> torch.Tensor:
        return read_split(idx_folder(folder, download, kind), "t10k")[0][:HELD_OUT]

    return Subject(train, test, lambda real, fake: classified(net, real, fake), f"128 features of the {net} net", download)


def _stacked() -> Subject:
    def digits(folder: Folder, split: str) -> tuple[torch.Tensor, torch.Tensor]:
        return read_split(idx_folder(folder, "mnist", "MNIST"), split)

    def train(folder: Folder, seed: int) -> Dataset:
        return Dataset("stacked", stacked.stack(digits(folder, "train")[0], stacked.TRAINING, seed))

    def test(folder: Folder) -> torch.Tensor:
        return stacked.stack(digits(folder, "t10k")[0], HELD_OUT, seed=0)

    return Subject(train, test, stacked_scores, "384 features of the digits net, 128 a channel", "stacked", stacked.SAMPLES)


def _bundled(name: str) -> Subject:
    """A set that comes with the code: every fifth picture is held out."""
    def split(held_out: bool) -> Dataset:
        whole = data.load(name)
        chosen = (torch.arange(len(whole.images)) % 5 == 0) == held_out
        return replace(whole, images=whole.images[chosen], labels=whole.labels[chosen], attributes={})

    return Subject(lambda folder, seed: split(False), lambda folder: split(True).images[:HELD_OUT], coloured, COLOUR, name)


def _cifar10() -> Subject:
    def test(folder: Folder) -> torch.Tensor:
        data.load("cifar10")  # says in a sentence what is wrong where the files are neither here nor to be had
        from torchvision.datasets import CIFAR10

        pixels = CIFAR10(cache_dir() / "torchvision", train=False).data
        return torch.from_numpy(pixels).permute(0, 3, 1, 2)[:HELD_OUT].contiguous()

    return Subject(lambda folder, seed: data.load("cifar10"), test, coloured, COLOUR, "cifar10")


def compared(real: torch.Tensor, fake: torch.Tensor) -> Scores:
    """FD, KD, precision, recall, density and coverage of features (N, D) and (M, D)."""
    manifold = manifold_scores(real, fake)
    distance = kernel_distance(real, fake, subset_size=min(1000, len(real), len(fake))).mean
    return {"FD": frechet_distance(fit_gaussian(real), fit_gaussian(fake)), "KD": distance, **manifold._asdict()}


def classified(name: str, real: torch.Tensor, fake: torch.Tensor) -> Scores:
    """Scores over a labelled set's own feature net, and the KL of the classes that it sees."""
    net = load_net(name)
    seen_real, seen_fake = see(net, real), see(net, fake)
    real_classes, fake_classes = (class_histogram(seen.classes, net.classes) for seen in (seen_real, seen_fake))
    return {**compared(seen_real.features, seen_fake.features), "mode KL": mode_divergence(real_classes, fake_classes)}


def stacked_scores(real: torch.Tensor, fake: torch.Tensor) -> Scores:
    """Modes and their KL over all drawn pictures, the rest over as many as are held out."""
    net = load_net("digits")
    features = [torch.cat([see(net, images[:, k : k + 1]).features for k in range(3)], 1) for images in (real, fake[: len(real)])]
    return {**compared(*features), **stacked.mode_scores(stacked.read_modes(net, fake))}


COLOUR = "pixels at 8x8"


def coloured(real: torch.Tensor, fake: torch.Tensor) -> Scores:
    """Scores of colour pictures that have no net of their own, over their pixels at 8x8."""
    return compared(*(raw_pixels(fit(Dataset("", images), 8, 3).images) for images in (real, fake)))


SETS: dict[str, Subject] = {
    "mnist": _idx("mnist", "mnist", "MNIST", "digits"),
    "fashion": _idx("fashion", "fashion-mnist", "FashionMNIST", "fashion"),
    "stacked": _stacked(),
    "cifar10": _cifar10(),
    "emoji": _bundled("emoji"),
    "faces": _bundled("faces"),
    "landscapes": _bundled("landscapes"),
}


def check(name: str, folder: Folder) -> torch.Tensor:
    """The held-out pictures of a data set. Ends the program in a sentence where they can't be had."""
    try:
        return SETS[name].test(folder)
    except UserError as error:
        raise SystemExit(str(error)) from error
