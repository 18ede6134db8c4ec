"""The pictures that a feature net learns from, and those that it is tested on: disjoint, and where possible
none that a generator is trained on.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from gan import data
from gan.data.build import faces
from gan.data.dataset import Dataset, among
from gan.data.idx import read_split
from gan.data.procedural import landscapes
from gan.data.registry import read_meta

# of training and test; the bundled set has another seed
LANDSCAPE_SEEDS, LANDSCAPES = (1001, 1002), (8000, 2000)
FACES_FROM, FACES = (30_000, 28_000), (10_000, 2000)  # first seeds; the bundled set ends before 10,000
HELD_OUT = 5  # every fifth


class Split(NamedTuple):
    """Pictures with what is known about them."""

    images: torch.Tensor  # uint8 (N, C, H, W)
    facts: dict[str, torch.Tensor]  # "label" first, then attributes with named values: int64 (N,) each
    words: str  # which pictures these are, for the card


def read_mnist_like(name: str, folder: Path) -> tuple[Split, Split]:
    """The training and the test split in a folder of IDX files."""
    splits = [
        (read_split(folder, split), words) for split, words in (("train", "training"), ("t10k", "test"))
    ]
    return tuple(
        Split(images, {"label": labels}, f"the {len(images)} pictures of the {words} split")
        for (images, labels), words in splits
    )


def draw_faces(name: str, modules: Path) -> tuple[Split, Split]:
    """Faces drawn anew by the npm packages in `modules`."""
    splits = []
    for first, count in zip(FACES_FROM, FACES, strict=True):
        images, extra = faces.draw(modules, first, count)
        facts = faces.describe(extra, read_meta(name)["attributes"])
        splits.append(
            Split(
                torch.from_numpy(images).contiguous(),
                {key: torch.from_numpy(value) for key, value in facts.items()},
                f"{count} fresh faces, seeds {first} to {first + count - 1}",
            )
        )
    return tuple(splits)


def draw_landscapes(name: str, place: None) -> tuple[Split, Split]:
    """Landscapes drawn anew."""
    splits = []
    for seed, count in zip(LANDSCAPE_SEEDS, LANDSCAPES, strict=True):
        images, facts = landscapes.draw(count, seed)
        whole = {key: value for key, value in facts.items() if not value.is_floating_point()}
        splits.append(Split(images, whole, f"{count} fresh landscapes of seed {seed}"))
    return tuple(splits)


def divide(whole: Dataset) -> tuple[Dataset, Dataset]:
    """A data set in two: what is learned from and, of every fifth picture, those that are not, pixel by
    pixel, among the others too. Attributes are dropped.
    """
    apart = torch.arange(len(whole.images)) % HELD_OUT == 0
    unseen = apart.clone()
    unseen[apart] = ~among(whole.images[apart], whole.images[~apart])
    return tuple(
        replace(whole, images=whole.images[rows], labels=whole.labels[rows], attributes={})
        for rows in (~apart, unseen)
    )


def divide_emoji(name: str, place: None) -> tuple[Split, Split]:
    """The bundled emoji, divided: there are no others, so generators are trained on pictures that the net has
    seen.
    """
    whole = data.load(name)
    return tuple(
        Split(
            part.images,
            {"label": part.labels},
            f"{len(part.images)} of the {len(whole.images)} bundled pictures",
        )
        for part in divide(whole)
    )


SOURCES: dict[str, Callable[[str, Path], tuple[Split, Split]]] = {
    "digits": read_mnist_like, "fashion": read_mnist_like, "faces": draw_faces, "landscapes": draw_landscapes,
    "emoji": divide_emoji,
}  # fmt: skip
