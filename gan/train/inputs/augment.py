"""Differentiable augmentation of all images that D sees, real and fake (DiffAugment, Zhao et al. 2020).

Each function maps images (N, C, H, W) in [-1, 1] to the same shape and draws from the given generator.
Gradients pass through, also second-order ones for the penalties. Values may leave [-1, 1].
"""

from collections.abc import Callable

import torch

Images = torch.Tensor
Random = torch.Generator | None  # None is torch's default generator


def _uniform(images: Images, generator: Random, low: float, high: float) -> torch.Tensor:
    return torch.rand(len(images), 1, 1, 1, device=images.device, generator=generator) * (high - low) + low


def color(images: Images, generator: Random) -> Images:
    """Change brightness by -0.5 to 0.5, saturation by a factor 0 to 2, contrast by 0.5 to 1.5, per image."""
    images = images + _uniform(images, generator, -0.5, 0.5)
    mean = images.mean(1, keepdim=True)
    images = mean + (images - mean) * _uniform(images, generator, 0.0, 2.0)
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (images - mean) * _uniform(images, generator, 0.5, 1.5)


def translation(images: Images, generator: Random) -> Images:
    """Shift each image by up to an eighth of the side in each direction, repeating its edge pixels.

    DiffAugment pads with zeros. That is mid-grey here, and obvious on a white or black background.
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
    """Return the pixels at these rows (N, H, 1) and columns (N, 1, W) of each image."""
    flat = (rows * images.shape[3] + columns).flatten(1)[:, None, :].expand(-1, images.shape[1], -1)
    return images.flatten(2).gather(2, flat).view_as(images)


def _pick_by_matrices(images: Images, rows: torch.Tensor, columns: torch.Tensor) -> Images:
    """Return the same pixels by products with 0/1 matrices.

    Their gradient is deterministic. That of `gather` on a GPU uses atomic adds in a varying order.
    """
    height, width = images.shape[2:]
    # (N, H, H) and (N, W, W)
    from_rows = (rows == torch.arange(height, device=images.device)).to(images.dtype)
    from_columns = (columns == torch.arange(width, device=images.device)[:, None]).to(images.dtype)
    return from_rows[:, None] @ images @ from_columns[:, None]


def cutout(images: Images, generator: Random) -> Images:
    """Set a square of half the side, at a random place, to 0 (mid-grey)."""
    count, _, height, width = images.shape
    centre = torch.rand(2, count, 1, 1, device=images.device, generator=generator)
    far_row = (
        torch.arange(height, device=images.device)[None, :, None] - centre[0] * height
    ).abs() > height / 4
    far_column = (
        torch.arange(width, device=images.device)[None, None, :] - centre[1] * width
    ).abs() > width / 4
    return images * (far_row | far_column)[:, None]


AUGMENTS: dict[str, tuple[Callable[[Images, Random], Images], ...]] = {
    "none": (),
    "translation": (translation,),
    "color,translation,cutout": (color, translation, cutout),
}


# r_t is the mean sign of D's logits on real images: near 0 if D is unsure, 1 if it has memorised them
ADAPT_TARGET = 0.6
ADAPT_IMAGES = 50_000  # images for the probability to rise from 0 to 1: a tenth of ADA's, as runs are short
ADAPT_MAX = 0.8  # with a higher probability, augmentations leak into the samples


def augment(images: Images, kind: str, generator: Random, probability: torch.Tensor | None = None) -> Images:
    """Apply the functions of AUGMENTS[kind] in order, each per image with `probability` (); None is 1."""
    for function in AUGMENTS[kind]:
        changed = function(images, generator)
        images = (
            changed
            if probability is None
            else torch.where(_uniform(images, generator, 0.0, 1.0) < probability, changed, images)
        )
    return images


def adapt(probability: torch.Tensor, overfit: torch.Tensor, sign: torch.Tensor, batch: int) -> None:
    """Update the augmentation probability once, in place (ADA, Karras et al. 2020). All are () float32.

    sign: the batch's r_t in [-1, 1]. overfit: its running mean over about 1,000 images. The probability rises
    while `overfit` is above ADAPT_TARGET, and falls below it. The host never reads a value from the device.
    """
    overfit.lerp_(sign, min(1.0, batch / 1000))
    probability.add_((overfit - ADAPT_TARGET).sign() * (batch / ADAPT_IMAGES)).clamp_(0.0, ADAPT_MAX)
