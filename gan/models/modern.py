"""A small pair of strided-convolution networks at the data's own size, sized for CPUs.

DCGAN's skeleton (Radford et al. 2016) with what later work changed: a dense first layer; few channels at the
highest resolution, because that is where the time goes; nearest upsampling before each convolution, because
transposed convolutions leave a checkerboard (Odena et al. 2016); batch normalisation in G alone, because a
gradient penalty needs every logit to depend on its own image only (Gulrajani et al. 2017). Pixel art is drawn
and judged block by block.
"""

import torch
from torch import nn

from gan.models.conditioning import FEATURES, Blend, ClassConditioning, ProjectionHead

MAX_MULTIPLE = 4


def first_side(size: int) -> int:
    """Side of the smallest feature map: 7 for 28 px, else 4."""
    return 7 if size % 7 == 0 else 4


def plan(size: int, width: int) -> list[tuple[int, int]]:
    """(side, channels) from the smallest feature map to the image's own size; `width` channels at half the
    image's size.
    """
    stages, side = [], first_side(size)
    while side <= size:
        stages.append((side, max(8, min(MAX_MULTIPLE * width, width * size // (2 * side)))))
        side *= 2
    return stages


class UpConv(nn.Conv2d):
    """Nearest upsampling by 2 and a 3x3 convolution in one, (N, C, H, W) -> (N, C', 2H, 2W), in 4/9 of the
    multiplications.

    Each output pixel sees only 2x2 different inputs, so that a transposed convolution with a 4x4 kernel, sums
    of the 3x3 one's taps, does the same.
    """

    def __init__(self, channels: int, filters: int):
        super().__init__(channels, filters, 3, padding=1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kernel = self.weight.transpose(0, 1)
        for dim in (2, 3):
            first, middle, last = kernel.unbind(dim)
            kernel = torch.stack([last, middle + last, first + middle, first], dim)
        return nn.functional.conv_transpose2d(x, kernel, stride=2, padding=1)


class Generator(nn.Module):
    """z (N, z_dim), labels (N,) or None, and where two classes are blended the others with their shares ->
    images (N, C, size, size) in [-1, 1].
    """

    def __init__(self, spec):
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
        """Activations of the first layer, after its nonlinearity: (N, features)."""
        if self.conditioning is not None:
            z = self.conditioning(z, labels, blend)
        x = self.norm(self.dense(z).unflatten(1, self.start))
        return nn.functional.leaky_relu(x, 0.2).flatten(1)

    def first_matrix(self) -> torch.Tensor:
        """What z is multiplied by before the first nonlinearity, in evaluation mode: (features, z_dim), the
        scale of the normalisation included.
        """
        scale = self.norm.weight / (self.norm.running_var + self.norm.eps).sqrt()
        return (
            self.dense.weight[:, : self.z_dim]
            * scale.repeat_interleave(self.start[1] * self.start[2])[:, None]
        )

    def forward(
        self, z: torch.Tensor, labels: torch.Tensor | None = None, blend: Blend | None = None
    ) -> torch.Tensor:
        """See the class."""
        return self.enlarge(
            torch.tanh(
                self.to_image(self.blocks(self.first_layer(z, labels, blend).unflatten(1, self.start)))
            )
        )


class Discriminator(nn.Module):
    """images (N, C, size, size), groups (N,) or None -> logits (N,)."""

    def __init__(self, spec):
        super().__init__()
        stages = plan(spec.size // spec.pixel, spec.width)[:-1][::-1]
        channels, blocks = spec.channels, [nn.AvgPool2d(spec.pixel)] if spec.pixel > 1 else []
        for _, wider in stages:
            blocks += [nn.Conv2d(channels, wider, 4, 2, 1), nn.LeakyReLU(0.2)]
            channels = wider
        self.blocks = nn.Sequential(*blocks)
        side = stages[-1][0]
        self.head = nn.Linear(channels * side * side, FEATURES if spec.groups else 1)
        self.head = ProjectionHead(spec) if spec.groups else None
        self.apply(_initialise)

    def forward(self, images: torch.Tensor, groups: torch.Tensor | None = None) -> torch.Tensor:
        """See the class."""
        out = self.head(self.blocks(images).flatten(1))
        return out.squeeze(1) if self.head is None else self.head(out, groups)


def _initialise(module: nn.Module) -> None:
    """He et al. 2015 for leaky ReLU, with unit normal class embeddings."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.kaiming_normal_(module.weight, a=0.2)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
