"""What a picture looks like to a small classifier: the features that the other scores compare, and the class
that it sees.

The nets in `gan/metrics/nets/` are trained by `gan.metrics.build.classifier`; the card beside each says on
what, and how often it is right on pictures it has not seen. A Fréchet distance over them is an FD and is
named after the net: FIDs, and FDs of other nets, are on other scales.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import safetensors
import torch
from safetensors.torch import load_file
from torch import nn

from gan.data.dataset import Dataset, fit

NETS_DIR = Path(__file__).parent / "nets"
FEATURES = 128
# sides from which a layer halves them first: four times faster, and pictures of that size still end in 4x4
# places
LARGE = 56
BATCH = 256


class FeatureNet(nn.Module):
    """A classifier of pictures (N, channels, size, size) in [-1, 1] whose last hidden layer is the features.

    `attributes` gives the number of values of each attribute that it tells besides the class.
    """

    def __init__(self, size: int, channels: int, classes: int, attributes: Mapping[str, int] | None = None):
        super().__init__()
        self.size, self.channels, self.classes = size, channels, classes
        self.attributes = dict(attributes or {})
        layers: list[nn.Module] = []
        wide, side = channels, size
        for width in (32, 64, 96):
            stride = 2 if side >= LARGE else 1
            layers += [
                nn.Conv2d(wide, width, 3, stride, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
            wide, side = width, -(-side // stride) // 2
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(min(side, 4)), nn.Flatten())
        self.neck = nn.Sequential(nn.Linear(wide * min(side, 4) ** 2, FEATURES), nn.ReLU())
        self.head = nn.Linear(FEATURES, classes)
        self.attribute_heads = nn.ModuleDict(
            {name: nn.Linear(FEATURES, values) for name, values in self.attributes.items()}
        )

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features (N, 128) >= 0 and logits (N, classes) of images in [-1, 1]."""
        features = self.neck(self.body(images))
        return features, self.head(features)


class Seen(NamedTuple):
    """What a net sees in N pictures, on the CPU."""

    features: torch.Tensor  # (N, 128) float32 >= 0
    classes: torch.Tensor  # (N,) int64, the likeliest class


def net_names() -> list[str]:
    """The names of the nets that come with the code: each is that of the data set it was trained for."""
    return sorted(path.parent.name for path in NETS_DIR.glob("*/net.safetensors"))


def load_net(name: str) -> FeatureNet:
    """A net that comes with the code, in float32 and evaluation mode on the CPU. Raises ValueError for an
    unknown name.
    """
    if name not in net_names():
        raise ValueError(f"there is no feature net “{name}”, only {', '.join(net_names())}")
    path = NETS_DIR / name / "net.safetensors"
    with safetensors.safe_open(path, framework="pt") as file:
        shape = file.metadata()
    net = FeatureNet(
        int(shape["size"]),
        int(shape["channels"]),
        int(shape["classes"]),
        json.loads(shape.get("attributes", "{}")),
    )
    net.load_state_dict(
        {key: value.float() if value.is_floating_point() else value for key, value in load_file(path).items()}
    )
    return net.eval().requires_grad_(False)


def to_range(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 pixels as float32 in [-1, 1]."""
    return pixels.float() / 127.5 - 1


@torch.no_grad()
def see(net: FeatureNet, images: torch.Tensor) -> Seen:
    """Features and classes of uint8 images (N, C, H, W), brought to the net's size and channels in the way
    that data sets are.

    Real and generated pictures both come as 8-bit pixels, because a net can tell rounded from unrounded ones.
    Runs where the net is.
    """
    device = next(net.parameters()).device
    features, classes = [], []
    for part in images.split(BATCH):
        found, logits = net(to_range(fit(Dataset("", part.cpu()), net.size, net.channels).images.to(device)))
        features.append(found.cpu())
        classes.append(logits.argmax(1).cpu())
    return Seen(torch.cat(features), torch.cat(classes))


@torch.no_grad()
def tell_attributes(net: FeatureNet, features: torch.Tensor) -> dict[str, torch.Tensor]:
    """The likeliest value, int64 (N,), of each attribute that a net tells, from its features (N, 128)."""
    return {name: head(features).argmax(1) for name, head in net.attribute_heads.items()}


def raw_pixels(images: torch.Tensor) -> torch.Tensor:
    """The features of last resort, for pictures that no net knows: the pixels of uint8 images (N, C, H, W) in
    [-1, 1], (N, C·H·W).
    """
    return to_range(images).flatten(1)
