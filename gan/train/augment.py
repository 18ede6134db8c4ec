"""Differentiable augmentation (Zhao et al. 2020, DiffAugment): what D sees changed, on real and fake images
alike.

Every function maps images (N, C, H, W) in [-1, 1] to the same shape, draws from the generator that it is
given, and lets gradients (also second ones, for the penalties) through. Values may leave [-1, 1].
"""

from collections.abc import Callable

import torch

Images = torch.Tensor


def _uniform(images: Images, generator: torch.Generator, low: float, high: float) -> torch.Tensor:
    return torch.rand(len(images), 1, 1, 1, device=images.device, generator=generator) * (high - low) + low


def color(images: Images, generator: torch.Generator) -> Images:
    """Brightness by -0.5 to 0.5, saturation by 0 to 2, contrast by 0.5 to 1.5, each per image."""
    images = images + _uniform(images, generator, -0.5, 0.5)
    mean = images.mean(1, keepdim=True)
    images = mean + (images - mean) * _uniform(images, generator, 0.0, 2.0)
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (images - mean) * _uniform(images, generator, 0.5, 1.5)


def translation(images: Images, generator: torch.Generator) -> Images:
    """Shift by up to an eighth of the side in each direction; what enters at the border repeats the edge.

    DiffAugment pads with zeros, which is mid-grey here and a giveaway on white or black backgrounds.
    """
    count, _, height, width = images.shape
    reach = height // 8
    moves = torch.randint(-reach, reach + 1, (2, count, 1, 1), device=images.device, generator=generator)
    rows = (torch.arange(height, device=images.device)[None, :, None] + moves[0]).clamp(0, height - 1)
    columns = (torch.arange(width, device=images.device)[None, None, :] + moves[1]).clamp(0, width - 1)
    return (
        _pick_by_matrices(images, rows, columns) if images.is_cuda else _pick_by_index(images, rows, columns)
    )


def _pick_by_index(images: Images, rows: torch.Tensor, columns: torch.Tensor) -> Images:
    """The pixels at these rows (N, H, 1) and columns (N, 1, W) of each image."""
    flat = (rows * images.shape[3] + columns).flatten(1)[:, None, :].expand(-1, images.shape[1], -1)
    return images.flatten(2).gather(2, flat).view_as(images)


def _pick_by_matrices(images: Images, rows: torch.Tensor, columns: torch.Tensor) -> Images:
    """The same numbers by multiplication with matrices of zeros and ones, whose gradient no atomics add up on
    a GPU in a changing order.
    """
    height, width = images.shape[2:]
    from_rows = (rows == torch.arange(height, device=images.device)).to(images.dtype)  # (N, H, H)
    # (N, W, W)
    from_columns = (columns == torch.arange(width, device=images.device)[:, None]).to(images.dtype)
    return from_rows[:, None] @ images @ from_columns[:, None]


def cutout(images: Images, generator: torch.Generator) -> Images:
    """Blank a square of half the side at a random place."""
    count, _, height, width = images.shape
    centre = torch.rand(2, count, 1, 1, device=images.device, generator=generator)
    far_row = (
        torch.arange(height, device=images.device)[None, :, None] - centre[0] * height
    ).abs() > height / 4
    far_column = (
        torch.arange(width, device=images.device)[None, None, :] - centre[1] * width
    ).abs() > width / 4
    return images * (far_row | far_column)[:, None]


AUGMENTS: dict[str, tuple[Callable[[Images, torch.Generator], Images], ...]] = {
    "none": (),
    "translation": (translation,),
    "color,translation,cutout": (color, translation, cutout),
}


# of r_t, the mean sign of what D says of real pictures, which is near 0 when it can't tell and 1 when it
# knows each by heart
ADAPT_TARGET = 0.6
# images in which the probability can climb from 0 to 1: a tenth of ADA's, because runs are short here
ADAPT_IMAGES = 50_000
ADAPT_MOST = 0.8  # above it augmentations leak into what G draws


def augment(
    images: Images, kind: str, generator: torch.Generator, probability: torch.Tensor | None = None
) -> Images:
    """Apply the functions registered under `kind` in order, each to every image with `probability` (), or to
    all where that is None.
    """
    for function in AUGMENTS[kind]:
        changed = function(images, generator)
        images = (
            changed
            if probability is None
            else torch.where(_uniform(images, generator, 0.0, 1.0) < probability, changed, images)
        )
    return images


def adapt(probability: torch.Tensor, overfit: torch.Tensor, sign: torch.Tensor, batch: int) -> None:
    """One step of adaptive augmentation (Karras et al. 2020, ADA), in place and without reading a number: all
    () float32 on the device.

    `sign` is the batch's r_t in [-1, 1], `overfit` its running mean over about 1,000 images; `probability`
    rises where that is above ADAPT_TARGET and falls where it is below.
    """
    overfit.lerp_(sign, min(1.0, batch / 1000))
    probability.add_((overfit - ADAPT_TARGET).sign() * (batch / ADAPT_IMAGES)).clamp_(0.0, ADAPT_MOST)
