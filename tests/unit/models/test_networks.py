"""Test the networks: shapes, ranges, labels, and their files."""

import json
import struct

import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file

from gan.errors import UserError
from gan.models import (
    ARCHITECTURES,
    FORMAT,
    ModelSpec,
    build_discriminator,
    build_generator,
    count_parameters,
    load_generator,
    save_generator,
)
from gan.models.modern import UpConv

SHAPES = [("modern", 28, 1), ("modern", 32, 3), ("modern", 64, 3), ("modern", 128, 3), ("dcgan", 64, 1),
    ("dcgan", 64, 3), ("dcgan", 32, 1),
          ("projected", 28, 1), ("projected", 64, 3)]  # fmt: skip


@pytest.mark.parametrize("classes", [0, 5])
@pytest.mark.parametrize(("architecture", "size", "channels"), SHAPES)
def test_shapes_ranges_and_gradients(architecture, size, channels, classes):
    spec = ModelSpec(architecture, size, channels, 10, 8, classes)
    labels = torch.tensor([0, 1, 4]) if classes else None
    G, D = build_generator(spec), build_discriminator(spec)
    images = G(torch.randn(3, 10), labels)
    assert images.shape == (3, channels, size, size)
    assert images.abs().max() <= 1
    logits = D(images, labels)
    assert logits.shape[0] == 3
    assert logits.dim() == (2 if architecture == "projected" else 1)
    logits.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in G.parameters())
    assert G.first_layer(torch.randn(3, 10), labels).dim() == 2


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_labels_change_what_is_drawn_and_judged(architecture):
    spec = ModelSpec(architecture, 64, 3, 10, 8, 2)
    G, D = build_generator(spec).eval(), build_discriminator(spec).eval()
    z, zero, one = torch.randn(4, 10), torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.long)
    images = G(z, zero)
    assert not torch.equal(images, G(z, one))
    assert not torch.equal(D(images, zero), D(images, one))


def test_the_textbook_networks_have_the_textbook_size():
    """The PyTorch DCGAN tutorial prints 3,576,704 and 2,765,568 parameters for its pair.

    Its sizes are nc = 3, nz = 100 and ngf = ndf = 64.
    """
    spec = ModelSpec("dcgan", 64, 3, 100, 64)
    assert count_parameters(build_generator(spec)) == 3_576_704
    assert count_parameters(build_discriminator(spec)) == 2_765_568


def test_the_small_dcgan_is_the_same_with_a_layer_less_and_half_the_channels():
    """The parameters by hand: 4x4 weights from width to width, and two for each normalised channel."""
    wide, middle, narrow = 128, 64, 32
    g = 16 * (100 * wide + wide * middle + middle * narrow + narrow) + 2 * (wide + middle + narrow)
    d = 16 * (narrow + narrow * middle + middle * wide + wide) + 2 * (middle + wide)
    spec = ModelSpec("dcgan", 32, 1, 100, 32)
    assert (count_parameters(build_generator(spec)), count_parameters(build_discriminator(spec))) == (g, d)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_generator_survives_the_disk_in_half_precision(architecture, tmp_path):
    spec = ModelSpec(architecture, 64, 3, 10, 16, 3)
    G = build_generator(spec).eval()
    save_generator(tmp_path / "g.safetensors", G, spec)
    again, read = load_generator(tmp_path / "g.safetensors")
    z, labels = torch.randn(5, 10), torch.tensor([0, 1, 2, 0, 1])
    assert read == spec
    assert not again.training
    # Half precision keeps 11 bits. A relative error of 5e-4 for each weight stays well under one 8-bit level
    # (2 / 255) at the output.
    assert (G(z, labels) - again(z, labels)).abs().max() < 2 / 255


def test_damaged_and_foreign_files_are_refused_in_a_sentence(tmp_path):
    spec = ModelSpec("modern", 28, 1, 6, 8)
    path = tmp_path / "g.safetensors"
    save_generator(path, build_generator(spec), spec)
    whole = path.read_bytes()
    # clones, because load_file maps the file and the test truncates it
    tensors = {name: t.clone() for name, t in load_file(path).items()}

    def key(data: bytes | None = None, **metadata: str) -> str:
        if data is not None:
            path.write_bytes(data)
        else:
            save_file(tensors, path, metadata=metadata)
        with pytest.raises(UserError) as caught:
            load_generator(path)
        return caught.value.key

    model = {"architecture": "modern", "size": 28, "channels": 1, "z_dim": 6, "width": 8, "num_classes": 0}
    assert key(whole[: len(whole) // 2]) == "models.damaged"
    assert key(b"no such thing") == "models.damaged"
    assert key(format="ganarium-0", model=json.dumps(model)) == "models.other_version"
    assert key(format=FORMAT, model=json.dumps({**model, "width": 16})) == "models.damaged"
    assert key(format=FORMAT, model=json.dumps({**model, "architecture": "magic"})) == "models.damaged"
    assert key(format=FORMAT) == "models.damaged"
    path.unlink()
    with pytest.raises(UserError):
        load_generator(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e6])
def test_a_generator_whose_numbers_exploded_is_refused_and_draws_no_grey(value, tmp_path):
    """1e6 is beyond half precision, in which files hold generators."""
    spec = ModelSpec("modern", 28, 1, 6, 8)
    G = build_generator(spec)
    with torch.no_grad():
        next(G.parameters()).view(-1)[3] = value
    save_generator(tmp_path / "g.safetensors", G, spec)
    assert refusal(tmp_path / "g.safetensors") == "models.not_finite"


ABSURD = [
    {"width": 10**6}, {"size": 2**20}, {"z_dim": 10**9}, {"num_classes": 10**9}, {"clusters": 10**6},
    {"width": -8}, {"pixel": 0}, {"z_dim": 6.0}, {"channels": 2},
    {"width": "8"}, {"num_classes": True}, {"size": None}, {"more": 1}, {"architecture": "dcgan"},
    {"architecture": ["modern"]}, {"width": 256, "z_dim": 512},
]  # fmt: skip


def refusal(path) -> str:
    with pytest.raises(UserError) as caught:
        load_generator(path)
    return caught.value.key


@pytest.mark.parametrize("change", ABSURD, ids=str)
def test_what_a_file_promises_costs_no_memory(change, tmp_path):
    model = {"architecture": "modern", "size": 28, "channels": 1, "z_dim": 6, "width": 8, **change}
    save_file(
        {"x": torch.zeros(3)},
        tmp_path / "g.safetensors",
        metadata={"format": FORMAT, "model": json.dumps(model)},
    )
    assert refusal(tmp_path / "g.safetensors") == "models.damaged"
    before = psutil.Process().memory_info().rss
    assert refusal(tmp_path / "g.safetensors") == "models.damaged"
    assert psutil.Process().memory_info().rss - before < 20e6


@pytest.mark.parametrize("tensor", [{"shape": [2**40]}, {"shape": None}, {"dtype": "F64"}, {"dtype": []}, {}])
def test_every_tensor_is_declared_as_the_architecture_has_it(tensor, tmp_path):
    path = tmp_path / "g.safetensors"
    spec = ModelSpec("modern", 28, 1, 6, 8)
    save_generator(path, build_generator(spec), spec)
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header["dense.weight"] |= tensor
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
    if tensor:
        assert refusal(path) == "models.damaged"
    else:
        load_generator(path)


@pytest.mark.parametrize("length", [0, 2**23, 2**62, 2**64 - 1])
def test_a_header_of_absurd_length_is_not_read(length, tmp_path):
    path = tmp_path / "g.safetensors"
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", length) + b"{}")
        file.truncate(2**24)  # a hole, so that the file has the promised length without any bytes on the disk
    assert refusal(path) == "models.damaged"


def test_an_upconv_is_nearest_upsampling_and_a_convolution():
    """The tolerance 1e-4 covers float32 rounding in sums of up to 4 x 9 x 16 products of unit normals."""
    layer, x = UpConv(16, 5), torch.randn(3, 16, 7, 9, requires_grad=True)
    plain = torch.nn.functional.conv2d(
        torch.nn.functional.interpolate(x, scale_factor=2), layer.weight, padding=1
    )
    torch.testing.assert_close(layer(x), plain, atol=1e-4, rtol=1e-4)
    weights = torch.randn_like(plain)
    for wanted in (x, layer.weight):
        gradients = [
            torch.autograd.grad((out * weights).sum(), wanted)[0]
            for out in (
                layer(x),
                torch.nn.functional.conv2d(
                    torch.nn.functional.interpolate(x, scale_factor=2), layer.weight, padding=1
                ),
            )
        ]
        torch.testing.assert_close(*gradients, atol=1e-3, rtol=1e-3)


def test_pretrained_extractors_are_no_part_of_what_is_trained_or_stored():
    D = build_discriminator(ModelSpec("projected", 64, 3, 10, 8)).requires_grad_(True)
    extractor = D._extractor[0]
    assert not any(p.requires_grad for p in extractor.parameters())
    assert sum(t.numel() for t in D.state_dict().values()) < sum(p.numel() for p in extractor.parameters())
    # .to() and similar methods also move the feature extractors
    assert next(D.double()._extractor[0].parameters()).dtype == torch.float64
    image = torch.rand(1, 3, 64, 64, dtype=torch.float64, requires_grad=True)
    D(image).sum().backward()
    assert image.grad.abs().sum() > 0


def test_pixel_art_is_drawn_and_judged_block_by_block():
    spec = ModelSpec("modern", 64, 3, 10, 8, pixel=4)
    G, D = build_generator(spec), build_discriminator(spec)
    images = G(torch.randn(3, 10))
    assert images.shape == (3, 3, 64, 64)
    blocks = images.unfold(2, 4, 4).unfold(3, 4, 4)
    assert torch.equal(blocks, blocks[..., :1, :1].expand_as(blocks))
    # D does not see a difference that averages out within a block
    shuffled = blocks + torch.tensor([[1.0, -1.0] * 2] * 4)
    again = shuffled.permute(0, 1, 2, 4, 3, 5).reshape(images.shape)
    torch.testing.assert_close(D(images), D(again), atol=1e-5, rtol=1e-4)
    assert count_parameters(G) < count_parameters(build_generator(ModelSpec("modern", 64, 3, 10, 8)))


def test_equal_generators_are_equal_files(tmp_path):
    """The safetensors library writes metadata in another order each time."""
    spec = ModelSpec("modern", 28, 1, 8, 8)
    generator = build_generator(spec)
    contents = set()
    for number in range(8):
        save_generator(tmp_path / f"{number}.safetensors", generator, spec)
        contents.add((tmp_path / f"{number}.safetensors").read_bytes())
    assert len(contents) == 1
    assert load_generator(tmp_path / "0.safetensors")[1] == spec
