"""Extract features and classes with small classifiers, one for each bundled data set.

`gan.metrics.build.classifier` trains the nets in `gan/metrics/nets/`. The card beside each net lists its
training images and its accuracy on test images. A Fréchet distance over these features is an FD and carries
the name of the net. FIDs and FDs of other nets have other scales.
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
# From this side on, each convolution halves the image first. That is four times faster, and images of 56
# pixels still end as 4x4 positions.
LARGE = 56
BATCH = 256


class FeatureNet(nn.Module):
    """A classifier of images (N, channels, size, size) in [-1, 1]. Its last hidden layer holds the features.

    `attributes` maps each attribute that it also predicts to the number of values.
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
        """Return features (N, 128) >= 0 and logits (N, classes) of images in [-1, 1]."""
        features = self.neck(self.body(images))
        return features, self.head(features)


class Seen(NamedTuple):
    """The features and classes of N images, on the CPU."""

    features: torch.Tensor  # (N, 128) float32 >= 0
    classes: torch.Tensor  # (N,) int64, the likeliest class


def net_names() -> list[str]:
    """List the shipped nets. Each has the name of the data set that it was trained on."""
    return sorted(path.parent.name for path in NETS_DIR.glob("*/net.safetensors"))


def load_net(name: str) -> FeatureNet:
    """Load a shipped net: float32, evaluation mode, on the CPU. Raises ValueError for an unknown name."""
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
    """Convert uint8 pixels to float32 in [-1, 1]."""
    return pixels.float() / 127.5 - 1


@torch.no_grad()
def see(net: FeatureNet, images: torch.Tensor) -> Seen:
    """Extract features and classes of uint8 images (N, C, H, W), on the net's device.

    Images are first fitted to the net's size and channels as data sets are. Real and generated images both
    are 8-bit pixels, because a net can tell rounded values from unrounded ones.
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
    """Predict the likeliest value (N,) int64 of each attribute from features (N, 128)."""
    return {name: head(features).argmax(1) for name, head in net.attribute_heads.items()}


def raw_pixels(images: torch.Tensor) -> torch.Tensor:
    """Use pixels as features where no net fits: uint8 images (N, C, H, W) -> (N, C·H·W) in [-1, 1]."""
    return to_range(images).flatten(1)
