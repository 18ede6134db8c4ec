"""A discriminator on pretrained features (Projected GAN, Sauer et al. 2021), to train with `modern`'s G.

A frozen EfficientNet-lite0 extracts feature maps at four strides. Fixed random projections mix them: 1x1
convolutions across channels, then each coarser map is enlarged and added to the finer one. Four small
networks each judge one map, at every position separately. D has spectral normalisation (Miyato et al. 2018)
instead of a gradient penalty.
"""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from gan.models.conditioning import FEATURES, ProjectionHead
from gan.models.efficientnet import STAGE_CHANNELS, load_efficientnet
from gan.spec import ModelSpec

# Smaller images are enlarged to this side; otherwise the coarsest maps would be single points.
SEEN_SIDE = 128


class Discriminator(nn.Module):
    """images (N, C, size, size), groups (N,) or None -> logits (N, positions of all four maps)."""

    def __init__(self, spec: ModelSpec):
        super().__init__()
        # A tuple hides the extractor's weights from torch, so they are neither trained nor stored.
        self._extractor = (load_efficientnet(),)
        widths = [min(2 * spec.width * 2**k, 4 * spec.width) for k in range(len(STAGE_CHANNELS))]
        for k, (channels, width) in enumerate(zip(STAGE_CHANNELS, widths, strict=True)):
            self.register_buffer(f"across_channels{k}", _random_projection(width, channels, 1))
            if k:
                self.register_buffer(f"across_scales{k}", _random_projection(widths[k - 1], width, 3))
        outputs = FEATURES if spec.groups else 1
        self.judges = nn.ModuleList(_judge(width, outputs) for width in widths)
        self.projection = ProjectionHead(spec) if spec.groups else None

    def _apply(self, function, recurse=True):
        """Move the feature extractor together with D."""
        self._extractor[0]._apply(function, recurse)
        return super()._apply(function, recurse)

    def _maps(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Extract and mix the feature maps, finest first."""
        if images.shape[-1] < SEEN_SIDE:
            images = _enlarge(images, SEEN_SIDE)
        maps = [
            F.conv2d(x, getattr(self, f"across_channels{k}"))
            for k, x in enumerate(self._extractor[0].stages(images))
        ]
        for k in range(len(maps) - 1, 0, -1):
            coarse = _enlarge(maps[k], maps[k - 1].shape[2])
            maps[k - 1] = maps[k - 1] + F.conv2d(coarse, getattr(self, f"across_scales{k}"), padding=1)
        return maps

    def forward(self, images: torch.Tensor, groups: torch.Tensor | None = None) -> torch.Tensor:
        """Judge images; see the class."""
        judged = [judge(x).flatten(2) for judge, x in zip(self.judges, self._maps(images), strict=True)]
        out = torch.cat(judged, 2)
        return out.squeeze(1) if self.projection is None else self.projection(out, groups)


def _enlarge(maps: torch.Tensor, side: int) -> torch.Tensor:
    """Enlarge square maps (N, C, S, S) bilinearly to (N, C, side, side)."""
    return (
        _by_matrices(maps, side)
        if maps.is_cuda
        else F.interpolate(maps, size=side, mode="bilinear", align_corners=False)
    )


def _by_matrices(maps: torch.Tensor, side: int) -> torch.Tensor:
    """Enlarge maps by two matrix products, for GPUs.

    On a GPU, F.interpolate adds up its gradient by atomics in random order, so runs would differ.
    """
    # (S, side)
    weights = F.interpolate(
        torch.eye(maps.shape[2], device=maps.device, dtype=maps.dtype)[None], size=side, mode="linear"
    )[0]
    return weights.T @ maps @ weights


def _random_projection(outputs: int, inputs: int, kernel: int) -> torch.Tensor:
    """Draw convolution weights that preserve the variance of their input (He et al. 2015, linear)."""
    return torch.randn(outputs, inputs, kernel, kernel) / (inputs * kernel**2) ** 0.5


def _judge(width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        spectral_norm(nn.Conv2d(width, width, 3, 1, 1)), nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(width, outputs, 3, 1, 1)),
    )  # fmt: skip
