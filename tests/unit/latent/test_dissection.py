"""Test the units of a generator: a factor of 1 changes nothing, and a factor of 0 zeroes a channel.

The description of a unit matches its effect.
"""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from gan.errors import UserError
from gan.latent.catalogue import read_shipped
from gan.latent.dissection import COLUMNS, LAYERS, SHOWN, Dissection, open_layer
from gan.latent.generator import Model
from gan.latent.point import MAX_UNITS, Point, parse_units
from gan.models import ARCHITECTURES, ModelSpec, build_generator
from tests.support.inputs.generators import tiny_spec, write_lively

SPECS = {
    "modern": tiny_spec(3), "pixel art": ModelSpec("modern", 64, 3, 6, 8, pixel=4),
    "dcgan": ModelSpec("dcgan", 64, 3, 8, 4, 2), "clusters": tiny_spec(2, clusters=3),
}  # fmt: skip


def lively(spec: ModelSpec) -> torch.nn.Module:
    """Return a generator whose normalisation differs from a new one's."""
    torch.manual_seed(3)
    generator = build_generator(spec)
    with torch.no_grad():
        for _ in range(3):
            generator(*inputs(spec, 16))
    return generator.eval().requires_grad_(False)


def inputs(spec: ModelSpec, count: int = 2):
    torch.manual_seed(4)
    return torch.randn(count, spec.z_dim), torch.arange(
        count
    ) % spec.num_classes if spec.num_classes else None


@pytest.mark.parametrize("name", SPECS)
def test_once_a_unit_changes_nothing(name):
    generator, (z, labels) = lively(SPECS[name]), inputs(SPECS[name])
    inside = Dissection(generator)
    plain = generator(z, labels)
    ones = tuple((layer, unit, 1.0) for layer in range(len(inside.widths)) for unit in (0, 1))
    assert torch.equal(inside.draw(z, labels, None, ()), plain)
    assert torch.equal(inside.draw(z, labels, None, ones), plain)
    assert not torch.allclose(inside.draw(z, labels, None, ((0, 1, 2.0),)), plain)
    assert torch.equal(generator(z, labels), plain), "the generator itself stays as it is"
    assert {tensor.data_ptr() for tensor in inside.generator.parameters()} == {
        tensor.data_ptr() for tensor in generator.parameters()
    }


@pytest.mark.parametrize("name", SPECS)
def test_a_unit_that_is_off_is_a_channel_of_zeros(name):
    spec = SPECS[name]
    generator, (z, labels) = lively(spec), inputs(spec)
    inside = Dissection(generator)
    for layer in range(len(inside.widths)):
        off = inside.draw(z, labels, None, ((layer, 1, 0.0),))
        # This is another way to zero a channel: normalisation multiplies it by 0 and shifts it by 0. Every
        # nonlinearity here keeps that 0.
        norm = [module for module in generator.modules() if isinstance(module, torch.nn.BatchNorm2d)][layer]
        kept = norm.weight[1].item(), norm.bias[1].item()
        norm.weight[1], norm.bias[1] = 0, 0
        torch.testing.assert_close(off, generator(z, labels), atol=1e-5, rtol=0)
        norm.weight[1], norm.bias[1] = kept


@pytest.mark.parametrize("name", SPECS)
def test_maps_are_what_the_layers_give(name):
    spec = SPECS[name]
    generator, (z, labels) = lively(spec), inputs(spec)
    inside = Dissection(generator)
    images, seen = inside.look(z, labels, None, ())
    assert torch.equal(images, generator(z, labels))
    assert [each.shape[1] for each in seen] == inside.widths
    torch.testing.assert_close(seen[0].flatten(1), generator.first_layer(z, labels).clamp_min(0))
    _, changed = inside.look(z, labels, None, ((0, 1, 0.0),))
    assert torch.equal(changed[0], seen[0]), "a unit's own map is that before it is changed"
    assert not torch.allclose(changed[1], seen[1])


def test_each_picture_can_lack_a_unit_of_its_own():
    generator, (z, labels) = lively(SPECS["modern"]), inputs(SPECS["modern"])
    inside = Dissection(generator)
    both = inside.draw(z, labels, None, ((0, 2, 2.0),), (1, [3, 5]))
    for row, unit in enumerate((3, 5)):
        alone = inside.draw(z[row : row + 1], labels[row : row + 1], None, ((0, 2, 2.0), (1, unit, 0.0)))
        torch.testing.assert_close(both[row], alone[0], atol=1e-5, rtol=0)


def test_every_architecture_has_layers():
    for name, architecture in ARCHITECTURES.items():
        size = 64 if name == "dcgan" else 32
        assert type(architecture.generator(ModelSpec(name, size, 3, 4, 8))) in LAYERS


@pytest.mark.parametrize("units", [((9, 0, 0.0),), ((0, 4000, 0.0),)])
def test_a_unit_that_there_is_not_is_refused(units):
    spec = SPECS["modern"]
    with pytest.raises(UserError) as info:
        Dissection(lively(spec)).draw(*inputs(spec), units=units)
    assert info.value.key == "latent.unknown_unit"


@pytest.fixture
def model(tmp_path):
    write_lively(tmp_path / "x" / "generator.safetensors", tiny_spec(3))
    return Model(read_shipped("shipped:x", tmp_path / "x"))


def test_a_layer_is_told_with_what_its_units_do(model):
    point = Point(5, units=((1, 0, 2.0),))
    body = open_layer(model, point, 0)
    length = int.from_bytes(body[:4], "little")
    result, sheet = json.loads(body[4 : 4 + length]), Image.open(io.BytesIO(body[4 + length :]))
    widths = model.dissection().widths
    assert [layer["units"] for layer in result["layers"]] == widths
    assert len(result["units"]) == min(SHOWN, widths[0])
    assert sheet.size == (COLUMNS * 7, 7 * -(-len(result["units"]) // COLUMNS))
    activities = [unit["activity"] for unit in result["units"]]
    assert activities == sorted(activities, reverse=True)
    assert activities[0] == 1.0
    most = max(result["units"], key=lambda unit: unit["effect"])
    shown, without = (
        model.pictures([point]).int(),
        model.pictures([Point(5, units=((0, most["unit"], 0.0), (1, 0, 2.0)))]).int(),
    )
    # images are rounded
    assert (without - shown).abs().float().mean().item() / 255 == pytest.approx(most["effect"], abs=0.004)
    assert np.asarray(sheet).max() == 255
    with pytest.raises(UserError):
        open_layer(model, point, len(widths))


def test_later_pages_hold_the_units_that_follow(model, monkeypatch):
    def page(number):
        body = open_layer(model, Point(5), 0, number)
        length = int.from_bytes(body[:4], "little")
        return json.loads(body[4 : 4 + length])["units"], np.asarray(
            Image.open(io.BytesIO(body[4 + length :]))
        )

    whole, sheet = page(0)
    assert len(whole) == model.dissection().widths[0] == 2 * COLUMNS, "of one page"
    monkeypatch.setattr("gan.latent.dissection.SHOWN", COLUMNS)
    parts = [page(0), page(1)]
    assert [unit["unit"] for units, _ in parts for unit in units] == [unit["unit"] for unit in whole]
    assert np.array_equal(np.concatenate([part for _, part in parts]), sheet), "as bright as the others"
    with pytest.raises(UserError):
        open_layer(model, Point(5), 0, 2)


def test_pictures_walls_and_sheets_follow_the_units(model):
    units = ((0, 0, 0.0), (0, 1, 0.0), (0, 2, 4.0))
    assert model.image(Point(3)) != model.image(Point(3, units=units))
    assert model.wall(0) != model.wall(0, units=units)
    strip = model.strip(Point(3, units=units), 4, 2)
    left = np.asarray(Image.open(io.BytesIO(strip)))[:, :28]
    assert np.array_equal(left, np.asarray(Image.open(io.BytesIO(model.image(Point(3, units=units))))))
    assert model.image(Point(3)) == Model(model.entry).image(Point(3))


def test_units_are_read_in_order():
    assert parse_units({"u": "1.7:2,0.12:0,1.3:.5"}) == ((0, 12, 0.0), (1, 3, 0.5), (1, 7, 2.0))
    assert parse_units({}) == ()


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "1",
        "1.2",
        "1.2:",
        "1.2:x",
        "1.2:-1",
        "1.2:5",
        "99.1:0",
        "1.9999:0",
        "1.2:0,1.2:1",
        "1.2:nan",
        ",",
        "1:2:3",
        ",".join(f"0.{unit}:0" for unit in range(MAX_UNITS + 1)),
    ],
)
def test_what_is_no_unit_is_refused(text):
    with pytest.raises(UserError) as info:
        parse_units({"u": text})
    assert info.value.key.startswith("latent.")
