"""Contrast and noise of images, by which the verdict on a run tells grey and noise from shapes."""

import math
from typing import NamedTuple

import torch

FLAT = 1e-3  # contrast below this has no roughness: 1/8 of a step of 8-bit pixels
WHITE_NOISE = 2 / math.sqrt(math.pi)  # roughness of independent normal pixels


class Texture(NamedTuple):
    """Means over images (N, C, H, W) in [-1, 1]."""

    contrast: float  # standard deviation of the pixels of an image, channel by channel
    roughness: float  # mean distance of neighbouring pixels as a share of the contrast; 0 without contrast


def texture(images: torch.Tensor) -> Texture:
    """Return the mean contrast and roughness of images (N, C, H, W) in [-1, 1]; W >= 2."""
    contrast = images.flatten(2).std(2, correction=0).mean().item()
    steps = (images[..., 1:] - images[..., :-1]).abs().mean().item()
    return Texture(contrast, steps / contrast if contrast >= FLAT else 0.0)


def compare(fakes: torch.Tensor, real: Texture) -> dict[str, float | None]:
    """Compare fakes (N, C, H, W) in [-1, 1] with real images: {"contrast", "noise"}.

    contrast: that of the fakes divided by that of the real images. noise: the place of the fakes' roughness
    on a logarithmic scale, from 0 for the real images to 1 for independent pixels. Samples smoother than the
    real images are below 0. None where a scale has no length: the real images have one colour each, or are
    noise themselves.
    """
    found = texture(fakes)
    scale = math.log(WHITE_NOISE / real.roughness) if real.roughness else 0.0
    known = found.roughness > 0 and scale > 0
    return {
        "contrast": round(found.contrast / real.contrast, 3) if real.contrast >= FLAT else None,
        "noise": round(math.log(found.roughness / real.roughness) / scale, 3) if known else None,
    }
