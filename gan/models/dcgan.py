"""The DCGAN of the paper (Radford, Metz, Chintala 2016), for images of 64x64 pixels.

Transposed convolutions, batch normalisation in both networks, and weights from N(0, 0.02). Labels and
clusters (models/conditioning.py) are our addition; the paper has none. Images of 32x32 pixels take one layer
less in each network: the widest one is left out.
"""

import itertools

import torch
from torch import nn

from gan.models.base import ImageGenerator, scale_of
from gan.models.conditioning import FEATURES, Blend, ClassConditioning, ProjectionHead
from gan.spec import ModelSpec


class Generator(ImageGenerator):
    """Generates images (N, C, size, size) in [-1, 1].

    Takes z (N, z_dim), labels (N,) or None, and a blend of classes or None.
    """

    def __init__(self, spec: ModelSpec):
        super().__init__()
        self.z_dim = spec.z_dim
        self.conditioning = ClassConditioning(spec) if spec.groups else None
        inputs = spec.z_dim + (FEATURES if spec.groups else 0)
        widths = _widths(spec)[::-1]
        self.first = nn.Sequential(
            nn.ConvTranspose2d(inputs, widths[0], 4, 1, 0, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(True),
        )
        blocks: list[nn.Module] = []
        for narrow, wide in itertools.pairwise(widths):
            blocks += [
                nn.ConvTranspose2d(narrow, wide, 4, 2, 1, bias=False),
                nn.BatchNorm2d(wide),
                nn.ReLU(True),
            ]
        self.blocks = nn.Sequential(
            *blocks, nn.ConvTranspose2d(widths[-1], spec.channels, 4, 2, 1, bias=False)
        )
        self.apply(initialise)

    def dense(self) -> tuple[nn.ConvTranspose2d, nn.BatchNorm2d]:
        """Return the layers before the first nonlinearity. On a single pixel, the convolution is dense."""
        convolution, norm, _ = self.first
        assert isinstance(convolution, nn.ConvTranspose2d)
        assert isinstance(norm, nn.BatchNorm2d)
        return convolution, norm

    def _first(self, z: torch.Tensor, labels: torch.Tensor | None, blend: Blend | None) -> torch.Tensor:
        if self.conditioning is not None:
            z = self.conditioning(z, labels, blend)
        return self.first(z[:, :, None, None])

    def first_layer(
        self, z: torch.Tensor, labels: torch.Tensor | None, blend: Blend | None = None
    ) -> torch.Tensor:
        """Return the activations of the first layer, after its nonlinearity: (N, features)."""
        return self._first(z, labels, blend).flatten(1)

    def first_matrix(self) -> torch.Tensor:
        """Return the matrix that multiplies z before the first nonlinearity: (features, z_dim).

        It includes the scale of the batch normalisation in evaluation mode.
        """
        dense, norm = self.dense()
        return (dense.weight[: self.z_dim] * scale_of(norm)[:, None, None]).flatten(1).T

    def forward(
        self, z: torch.Tensor, labels: torch.Tensor | None = None, blend: Blend | None = None
    ) -> torch.Tensor:
        """Generate images; see the class."""
        return torch.tanh(self.blocks(self._first(z, labels, blend)))


class Discriminator(nn.Module):
    """images (N, C, size, size), groups (N,) or None -> logits (N,)."""

    def __init__(self, spec: ModelSpec):
        super().__init__()
        widths = _widths(spec)
        blocks: list[nn.Module] = [
            nn.Conv2d(spec.channels, widths[0], 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, True),
        ]
        for wide, narrow in itertools.pairwise(widths):
            blocks += [
                nn.Conv2d(wide, narrow, 4, 2, 1, bias=False),
                nn.BatchNorm2d(narrow),
                nn.LeakyReLU(0.2, True),
            ]
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Conv2d(widths[-1], FEATURES if spec.groups else 1, 4, 1, 0, bias=False)
        self.projection = ProjectionHead(spec) if spec.groups else None
        self.apply(initialise)

    def forward(self, images: torch.Tensor, groups: torch.Tensor | None = None) -> torch.Tensor:
        """Judge images; see the class."""
        out = self.head(self.blocks(images)).flatten(1)
        return out.squeeze(1) if self.projection is None else self.projection(out, groups)


def _widths(spec: ModelSpec) -> list[int]:
    """Return the channels after each layer of D: the first layer halves the size, and the last leaves 4x4."""
    return [spec.width << stage for stage in range(spec.size.bit_length() - 3)]


def initialise(module: nn.Module) -> None:
    """Initialise a module as the paper does."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
