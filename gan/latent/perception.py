"""Features that tell whether two images show the same: a bundled classifier's, or coarse pixels.

The classifier of the training data is used if GANarium bundles one. Unlike the extractors of
gan.metrics.extractors, these let gradients reach the images.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from gan.metrics.extractors import ALIASES
from gan.metrics.features import load_net, net_names

COARSE = 16  # side in pixels of the coarse images

Perception = Callable[[torch.Tensor], torch.Tensor]


def open_perception(data: str) -> Perception:
    """The feature extractor for a data set (registry name or path).

    It maps images (N, C, H, W) in [-1, 1] to features (N, F) float32, on the CPU.
    """
    net = _net(data)
    return coarse if net is None else lambda images: net(_shaped(images, net.size, net.channels))[0]


def seen_classes(data: str, images: torch.Tensor, classes: int) -> torch.Tensor | None:
    """The classifier's prediction for images (N, C, H, W) in [-1, 1]: int64 (N,) on the CPU.

    `data` is a registry name or path. Returns None without a classifier for this data set, or if its number
    of classes is not `classes`.
    """
    net = _net(data)
    if net is None or net.classes != classes:
        return None
    with torch.inference_mode():
        return net(_shaped(images, net.size, net.channels))[1].argmax(1)


def coarse(images: torch.Tensor) -> torch.Tensor:
    """The pixels of images (N, C, H, W), averaged down to at most COARSE a side: (N, C * h * w)."""
    return F.adaptive_avg_pool2d(images, min(COARSE, images.shape[2])).flatten(1)


def _net(data: str) -> Any:
    name = ALIASES.get(data, data)
    return load_net(name) if name in net_names() else None


def _shaped(images: torch.Tensor, size: int, channels: int) -> torch.Tensor:
    if images.shape[2] != size:
        images = F.interpolate(images, (size, size), mode="bilinear", align_corners=False, antialias=True)
    return (
        images if images.shape[1] == channels else images.mean(1, keepdim=True).expand(-1, channels, -1, -1)
    )
