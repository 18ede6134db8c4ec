"""Define `Dataset`, the form of all data, and resize images to it."""

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
import torch.nn.functional as F

from gan.data.own.report import Report
from gan.data.own.source import Source
from gan.data.pixels import make_room
from gan.errors import UserError

SIZES = (8, 512)  # smallest and largest side of an image, in pixels
CHUNK = 2**25  # bytes converted at a time, which keeps the intermediate copies small


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images as one tensor, with labels and attributes.

    Raises ValueError if the parts do not fit together, which is a bug of the loader.
    """

    name: str  # registry name, or the path of a folder or zip
    images: torch.Tensor  # uint8 (N, C, H, W), C in {1, 3}, in memory or a mapped file, contiguous
    labels: torch.Tensor | None = None  # int64 (N,), the class label used for conditional training
    classes: tuple[str, ...] = ()  # English class names, () if there are no labels
    attributes: Mapping[str, torch.Tensor] = field(default_factory=dict)  # name -> int64 or float32 (N,)
    # The names of the values of an int64 attribute.
    attribute_values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    report: Report | None = None  # of a folder or zip; None for the named sets
    # SHA-256 of the file of each image, in the same order; () for the named sets.
    files: tuple[bytes, ...] = ()
    source: Source | None = None  # of pictures from the Hub

    def __post_init__(self) -> None:
        images, labels, count = self.images, self.labels, len(self.images)
        if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
            raise ValueError(
                f"{self.name}: images are {images.dtype} {tuple(images.shape)}, not uint8 (N, 1 or 3, H, W)"
            )
        if labels is not None and (labels.dtype != torch.int64 or labels.shape != (count,)):
            raise ValueError(
                f"{self.name}: labels are {labels.dtype} {tuple(labels.shape)}, not int64 ({count},)"
            )
        if (
            labels is not None
            and count
            and not 0 <= int(labels.min()) <= int(labels.max()) < len(self.classes)
        ):
            raise ValueError(
                f"{self.name}: labels are {int(labels.min())} to {int(labels.max())} for "
                f"{len(self.classes)} classes"
            )
        for name, values in self.attributes.items():
            if values.dtype not in (torch.int64, torch.float32) or values.shape != (count,):
                raise ValueError(
                    f"{self.name}: attribute {name} is {values.dtype} {tuple(values.shape)}, not int64 "
                    f"or float32 ({count},)"
                )
        if len(self.files) not in (0, count):
            raise ValueError(f"{self.name}: {len(self.files)} files for {count} images")
        names = [self.name, *self.classes, *itertools.chain(*self.attribute_values.values())]
        if not all(isinstance(name, str) for name in names):
            raise ValueError(f"{self.name}: a class or a value has no text as its name")


def check_shape(size: int | None, channels: int | None) -> None:
    """Raise UserError for an unsupported size or number of channels."""
    if size is not None and not SIZES[0] <= size <= SIZES[1]:
        raise UserError("data.size", size=size, smallest=SIZES[0], largest=SIZES[1])
    if channels not in (None, 1, 3):
        raise UserError("data.channels", channels=channels)


def fit(dataset: Dataset, size: int | None, channels: int | None) -> Dataset:
    """Convert the images of a data set to (N, channels, size, size). None keeps the present value.

    It crops images to the central square. Shrinking by an integer factor averages blocks, so pixel art stays
    sharp. Any other change is bicubic with antialiasing. BT.601 luma turns three channels into one, and
    repetition turns one into three.
    """
    images = dataset.images
    size = size or min(images.shape[2:])
    channels = channels or images.shape[1]
    if images.shape[1:] == (channels, size, size):
        return dataset
    out = torch.from_numpy(make_room(len(images), channels, size))
    step = max(1, CHUNK // (4 * 3 * max(size, images.shape[2]) ** 2))
    for start in range(0, len(images), step):
        part = images[start : start + step]
        if channels == 1:
            part = _luma(part)
        out[start : start + step] = _resize(part, size)  # one channel broadcasts to three
    return replace(dataset, images=out)


def among(images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Find the images (N, C, H, W) that known (M, C, H, W) also contains, pixel by pixel: bool (N,)."""
    rows = {_digest(row) for row in known.numpy()}
    return torch.tensor([_digest(row) in rows for row in images.numpy()], dtype=torch.bool)


def take(images: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """Return these of the images (N, C, H, H), by their places (K,) int64, in room of their own."""
    _, channels, side, _ = images.shape
    count = len(order)
    out = make_room(count, channels, side)
    step = max(1, CHUNK // (channels * side * side))
    for start in range(0, count, step):
        np.take(images.numpy(), order[start : start + step].numpy(), 0, out[start : start + step], "clip")
    return torch.from_numpy(out)


def select(dataset: Dataset, rows: torch.Tensor) -> Dataset:
    """Return a data set of these images (K,) int64, in this order, in room of their own."""
    labels = None if dataset.labels is None else dataset.labels[rows]
    attributes = {name: values[rows] for name, values in dataset.attributes.items()}
    files = tuple(dataset.files[row] for row in rows.tolist()) if dataset.files else ()
    return replace(
        dataset, images=take(dataset.images, rows), labels=labels, attributes=attributes, files=files
    )


def _digest(row: np.ndarray) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(row).data, digest_size=16).digest()


def _luma(images: torch.Tensor) -> torch.Tensor:
    if images.shape[1] == 1:
        return images
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (images.float() * weights).sum(1, keepdim=True).round_().to(torch.uint8)


def _resize(images: torch.Tensor, size: int) -> torch.Tensor:
    height, width = images.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    images = images[:, :, top : top + side, left : left + side]
    if side == size:
        return images
    if side % size == 0:
        return F.avg_pool2d(images.float(), side // size).round_().to(torch.uint8)
    resized = F.interpolate(
        images.float(), size=(size, size), mode="bicubic", antialias=True, align_corners=False
    )
    return resized.round_().clamp_(0, 255).to(torch.uint8)
