"""Load the training and test images of the feature nets.

The two are disjoint. Where possible, no generator is trained on either.
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

# Seeds of the training and the test set; the bundled set has another.
LANDSCAPE_SEEDS, LANDSCAPES = (1001, 1002), (8000, 2000)
# First seeds; the bundled set ends before 10,000.
FACES_FROM, FACES = (30_000, 28_000), (10_000, 2000)
HELD_OUT = 5  # every fifth image


class Split(NamedTuple):
    """Images with their labels and attributes."""

    images: torch.Tensor  # uint8 (N, C, H, W)
    facts: dict[str, torch.Tensor]  # "label" first, then attributes with named values: int64 (N,) each
    words: str  # describes the images in the card


def read_mnist_like(name: str, folder: Path) -> tuple[Split, Split]:
    """Read the training and the test split from a folder of IDX files."""
    splits = [
        (read_split(folder, split), words) for split, words in (("train", "training"), ("t10k", "test"))
    ]
    return tuple(
        Split(images, {"label": labels}, f"the {len(images)} pictures of the {words} split")
        for (images, labels), words in splits
    )


def draw_faces(name: str, modules: Path) -> tuple[Split, Split]:
    """Draw new faces with the npm packages in `modules`."""
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
    """Draw new landscapes."""
    splits = []
    for seed, count in zip(LANDSCAPE_SEEDS, LANDSCAPES, strict=True):
        images, facts = landscapes.draw(count, seed)
        whole = {key: value for key, value in facts.items() if not value.is_floating_point()}
        splits.append(Split(images, whole, f"{count} fresh landscapes of seed {seed}"))
    return tuple(splits)


def divide(whole: Dataset) -> tuple[Dataset, Dataset]:
    """Split a data set into training and test images, and drop its attributes.

    Every fifth image goes to the test set, unless the training set has the same image, pixel by pixel.
    """
    apart = torch.arange(len(whole.images)) % HELD_OUT == 0
    unseen = apart.clone()
    unseen[apart] = ~among(whole.images[apart], whole.images[~apart])
    return tuple(
        replace(whole, images=whole.images[rows], labels=whole.labels[rows], attributes={})
        for rows in (~apart, unseen)
    )


def divide_emoji(name: str, place: None) -> tuple[Split, Split]:
    """Split the bundled emoji. There are no others, so generators train on images that the net has seen."""
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
