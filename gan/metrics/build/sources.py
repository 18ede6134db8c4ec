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


def read_mnist_like(name: str, folder: Path | None) -> tuple[Split, Split]:
    """Read the training and the test split from a folder of IDX files."""
    folder = _given(folder)
    return _read_part(folder, "train", "training"), _read_part(folder, "t10k", "test")


def _read_part(folder: Path, split: str, words: str) -> Split:
    images, labels = read_split(folder, split)
    return Split(images, {"label": labels}, f"the {len(images)} pictures of the {words} split")


def draw_faces(name: str, modules: Path | None) -> tuple[Split, Split]:
    """Draw new faces with the npm packages in `modules`."""
    modules = _given(modules)
    named = read_meta(name)["attributes"]
    learnt, unseen = zip(FACES_FROM, FACES, strict=True)
    return _new_faces(modules, named, *learnt), _new_faces(modules, named, *unseen)


def _new_faces(modules: Path, named: dict, first: int, count: int) -> Split:
    images, extra = faces.draw(modules, first, count)
    return Split(
        torch.from_numpy(images).contiguous(),
        {key: torch.from_numpy(value) for key, value in faces.describe(extra, named).items()},
        f"{count} fresh faces, seeds {first} to {first + count - 1}",
    )


def draw_landscapes(name: str, place: Path | None) -> tuple[Split, Split]:
    """Draw new landscapes."""
    learnt, unseen = zip(LANDSCAPE_SEEDS, LANDSCAPES, strict=True)
    return _new_landscapes(*learnt), _new_landscapes(*unseen)


def _new_landscapes(seed: int, count: int) -> Split:
    images, facts = landscapes.draw(count, seed)
    whole = {key: value for key, value in facts.items() if not value.is_floating_point()}
    return Split(images, whole, f"{count} fresh landscapes of seed {seed}")


def _given(place: Path | None) -> Path:
    """Return the folder that a set is read from; end the program if the command names none."""
    if place is None:
        raise SystemExit("Name the folder with --place.")
    return place


def divide(whole: Dataset) -> tuple[Dataset, Dataset]:
    """Split a data set into training and test images, and drop its attributes.

    Every fifth image goes to the test set, unless the training set has the same image, pixel by pixel.
    """
    apart = torch.arange(len(whole.images)) % HELD_OUT == 0
    unseen = apart.clone()
    unseen[apart] = ~among(whole.images[apart], whole.images[~apart])
    return _rows(whole, ~apart), _rows(whole, unseen)


def _rows(whole: Dataset, rows: torch.Tensor) -> Dataset:
    labels = None if whole.labels is None else whole.labels[rows]
    return replace(whole, images=whole.images[rows], labels=labels, attributes={})


def divide_emoji(name: str, place: Path | None) -> tuple[Split, Split]:
    """Split the bundled emoji. There are no others, so generators train on images that the net has seen."""
    whole = data.load(name)
    learnt, unseen = divide(whole)
    words = f"of the {len(whole.images)} bundled pictures"
    return _labelled(learnt, words), _labelled(unseen, words)


def _labelled(part: Dataset, words: str) -> Split:
    assert part.labels is not None, f"{part.name}: no labels"
    return Split(part.images, {"label": part.labels}, f"{len(part.images)} {words}")


SOURCES: dict[str, Callable[[str, Path | None], tuple[Split, Split]]] = {
    "digits": read_mnist_like, "fashion": read_mnist_like, "faces": draw_faces, "landscapes": draw_landscapes,
    "emoji": divide_emoji,
}  # fmt: skip
