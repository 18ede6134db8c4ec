"""The one shape that all data takes, and the conversions into it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F

from gan.data.own.report import Report
from gan.errors import UserError

SIZES = (8, 512)  # the sides, in pixels, that any model here can use
# bytes of one data set: it has to fit in memory beside the training, on the device too
MEMORY_LIMIT = 4 * 2**30
CHUNK = 2**25  # bytes converted at a time, so that the intermediate copies stay small


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures as one tensor, with what is known about them. Raises ValueError where its parts do not fit
    together, which is a loader's mistake.
    """

    name: str  # registry name, or the path of a folder or zip
    images: torch.Tensor  # uint8 (N, C, H, W), C in {1, 3}, on the CPU, contiguous
    labels: torch.Tensor | None = None  # int64 (N,), the class label used for conditional training
    classes: tuple[str, ...] = ()  # English class names, () where there are no labels
    attributes: Mapping[str, torch.Tensor] = field(default_factory=dict)  # name -> int64 or float32 (N,)
    # names of an int attribute's values
    attribute_values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    report: Report | None = None  # what was found in a folder or zip, None for the named sets
    # SHA-256 of the file of each picture, in their order; () for the named sets
    files: tuple[bytes, ...] = ()

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


def check_shape(size: int | None, channels: int | None) -> None:
    """Raise UserError for a size or a number of channels that no data set can have."""
    if size is not None and not SIZES[0] <= size <= SIZES[1]:
        raise UserError("data.size", size=size, smallest=SIZES[0], largest=SIZES[1])
    if channels not in (None, 1, 3):
        raise UserError("data.channels", channels=channels)


def check_memory(count: int, channels: int, size: int) -> None:
    """Raise UserError when `count` pictures of this shape would take more than MEMORY_LIMIT."""
    if count * channels * size * size > MEMORY_LIMIT:
        raise UserError("data.memory", gigabytes=f"{count * channels * size * size / 2**30:.1f}", size=size)


def fit(dataset: Dataset, size: int | None, channels: int | None) -> Dataset:
    """The same data set with images of (N, channels, size, size); None keeps what it has.

    Non-square images are cropped to their centre. Shrinking by a whole factor averages blocks (so pixel art
    stays crisp), any other change is bicubic with antialiasing. Three channels become one by BT.601 luma, one
    becomes three by repetition.
    """
    images = dataset.images
    size = size or min(images.shape[2:])
    channels = channels or images.shape[1]
    if images.shape[1:] == (channels, size, size):
        return dataset
    check_memory(len(images), channels, size)
    out = torch.empty(len(images), channels, size, size, dtype=torch.uint8)
    step = max(1, CHUNK // (4 * 3 * max(size, images.shape[2]) ** 2))
    for start in range(0, len(images), step):
        part = images[start : start + step]
        if channels == 1:
            part = _luma(part)
        out[start : start + step] = _resize(part, size)  # one channel fills three
    return replace(dataset, images=out)


def among(images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Which of images (N, C, H, W) are, pixel by pixel, also in known (M, C, H, W): bool (N,)."""
    rows = {row.tobytes() for row in known.numpy()}
    return torch.tensor([row.tobytes() in rows for row in images.numpy()], dtype=torch.bool)


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
