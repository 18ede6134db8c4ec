"""A small pair of convolutional networks at the images' own size, fast enough for CPUs.

It starts from DCGAN (Radford et al. 2016) and changes four things:

- The first layer of G is dense.
- The highest resolution has the fewest channels, because it costs the most time.
- G upsamples before each convolution, because transposed convolutions leave a checkerboard (Odena et al.
  2016).
- Only G has batch normalisation. A gradient penalty needs each logit to depend on its own image alone
  (Gulrajani et al. 2017).

For pixel art, G and D work on blocks instead of pixels.
"""

import torch
from torch import nn

from gan.models.base import ImageGenerator, scale_of
from gan.models.conditioning import FEATURES, Blend, ClassConditioning, ProjectionHead
from gan.spec import ModelSpec

MAX_MULTIPLE = 4


def first_side(size: int) -> int:
    """Return the side of the smallest feature map: 7 if 7 divides the size (28 px), else 4."""
    return 7 if size % 7 == 0 else 4


def plan(size: int, width: int) -> list[tuple[int, int]]:
    """List (side, channels) of the feature maps, from the smallest to the image size.

    The map at half the image size has `width` channels.
    """
    stages, side = [], first_side(size)
    while side <= size:
        stages.append((side, max(8, min(MAX_MULTIPLE * width, width * size // (2 * side)))))
        side *= 2
    return stages


class UpConv(nn.Conv2d):
    """Nearest upsampling by 2 and a 3x3 convolution in one: (N, C, H, W) -> (N, C', 2H, 2W).

    Each output pixel depends on only 2x2 different inputs. So a transposed convolution with a 4x4 kernel
    gives the same result with 4/9 of the multiplications. Its taps are sums of the taps of the 3x3 kernel.
    """

    def __init__(self, channels: int, filters: int):
        super().__init__(channels, filters, 3, padding=1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kernel = self.weight.transpose(0, 1)
        for dim in (2, 3):
            first, middle, last = kernel.unbind(dim)
            kernel = torch.stack([last, middle + last, first + middle, first], dim)
        return nn.functional.conv_transpose2d(x, kernel, stride=2, padding=1)


class Generator(ImageGenerator):
    """Generates images (N, C, size, size) in [-1, 1].

    Takes z (N, z_dim), labels (N,) or None, and a blend of classes or None.
    """

    def __init__(self, spec: ModelSpec):
        super().__init__()
        stages = plan(spec.size // spec.pixel, spec.width)
        side, channels = stages[0]
        self.z_dim, self.start = spec.z_dim, (channels, side, side)
        self.conditioning = ClassConditioning(spec) if spec.groups else None
        self.dense = nn.Linear(
            spec.z_dim + (FEATURES if spec.groups else 0), channels * side * side, bias=False
        )
        self.norm = nn.BatchNorm2d(channels)
        blocks: list[nn.Module] = []
        for _, wider in stages[1:]:
            blocks += [UpConv(channels, wider), nn.BatchNorm2d(wider), nn.LeakyReLU(0.2)]
            channels = wider
        self.blocks = nn.Sequential(*blocks)
        self.to_image = nn.Conv2d(channels, spec.channels, 3, 1, 1)
        self.enlarge = nn.Upsample(scale_factor=spec.pixel) if spec.pixel > 1 else nn.Identity()
        self.apply(_initialise)

    def first_layer(
        self, z: torch.Tensor, labels: torch.Tensor | None, blend: Blend | None = None
    ) -> torch.Tensor:
        """Return the activations of the first layer, after its nonlinearity: (N, features)."""
        if self.conditioning is not None:
            z = self.conditioning(z, labels, blend)
        x = self.norm(self.dense(z).unflatten(1, self.start))
        return nn.functional.leaky_relu(x, 0.2).flatten(1)

    def first_matrix(self) -> torch.Tensor:
        """Return the matrix that multiplies z before the first nonlinearity: (features, z_dim).

        It includes the scale of the batch normalisation in evaluation mode.
        """
        scale = scale_of(self.norm).repeat_interleave(self.start[1] * self.start[2])
        return self.dense.weight[:, : self.z_dim] * scale[:, None]

    def forward(
        self, z: torch.Tensor, labels: torch.Tensor | None = None, blend: Blend | None = None
    ) -> torch.Tensor:
        """Generate images; see the class."""
        return self.enlarge(
            torch.tanh(
                self.to_image(self.blocks(self.first_layer(z, labels, blend).unflatten(1, self.start)))
            )
        )


class Discriminator(nn.Module):
    """images (N, C, size, size), groups (N,) or None -> logits (N,)."""

    def __init__(self, spec: ModelSpec):
        super().__init__()
        stages = plan(spec.size // spec.pixel, spec.width)[:-1][::-1]
        channels = spec.channels
        blocks: list[nn.Module] = [nn.AvgPool2d(spec.pixel)] if spec.pixel > 1 else []
        for _, wider in stages:
            blocks += [nn.Conv2d(channels, wider, 4, 2, 1), nn.LeakyReLU(0.2)]
            channels = wider
        self.blocks = nn.Sequential(*blocks)
        side = stages[-1][0]
        self.head = nn.Linear(channels * side * side, FEATURES if spec.groups else 1)
        self.projection = ProjectionHead(spec) if spec.groups else None
        self.apply(_initialise)

    def forward(self, images: torch.Tensor, groups: torch.Tensor | None = None) -> torch.Tensor:
        """Judge images; see the class."""
        out = self.head(self.blocks(images).flatten(1))
        return out.squeeze(1) if self.projection is None else self.projection(out, groups)


def _initialise(module: nn.Module) -> None:
    """Initialise for leaky ReLU (He et al. 2015). Class embeddings keep torch's N(0, 1)."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.kaiming_normal_(module.weight, a=0.2)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
