"""Test what is transparent and what is grey, in every mode, with more or fewer than 8 bits."""

import struct
import warnings

import numpy as np
import pytest
from PIL import Image

from gan import data
from gan.config import BACKGROUNDS
from gan.data.decode.pictures import BEHIND, decode
from tests.support import profiles
from tests.support.inputs.image_files import first, photo, plain, png, saved

P3 = profiles.display(profiles.DISPLAY_P3)
# colours on white of the left half, which is transparent, and of the right half
CLEAR, SEEN = (255, 255, 255), (40, 40, 40)


def halves(left: list[int], right: list[int]) -> list[list[int]]:
    return [left * 8 + right * 8] * 16


GREY16, GREY_OF_SEEN = [0x2828], [40]
PALETTE = bytes([200, 0, 0, 40, 40, 40, 9, 9, 9, 40, 40, 40])
TRANSPARENT = {
    "1-bit grey": (png(0, 1, halves([1], [0]), struct.pack(">H", 1)), (0, 0, 0)),
    "1-bit grey, black": (png(0, 1, halves([0], [1]), struct.pack(">H", 0)), (255, 255, 255)),
    "2-bit grey": (png(0, 2, halves([2], [1]), struct.pack(">H", 2)), (85, 85, 85)),
    "4-bit grey": (png(0, 4, halves([9], [2]), struct.pack(">H", 9)), (34, 34, 34)),
    "8-bit grey": (png(0, 8, halves([9], [40]), struct.pack(">H", 9)), SEEN),
    "16-bit grey": (png(0, 16, halves([9], GREY16), struct.pack(">H", 9)), SEEN),
    "16-bit grey, alike but for the low bits": (
        png(0, 16, halves([0x2800], GREY16), struct.pack(">H", 0x2800)),
        SEEN,
    ),
    "8-bit colour": (png(2, 8, halves([200, 0, 0], [40] * 3), struct.pack(">HHH", 200, 0, 0)), SEEN),
    "16-bit colour": (
        png(2, 16, halves([0xC801, 2, 3], [0x2828] * 3), struct.pack(">HHH", 0xC801, 2, 3)),
        SEEN,
    ),
    "16-bit colour, alike but for the low bits": (
        png(2, 16, halves([0x2801] * 3, [0x2801, 0x2801, 0x2802]), struct.pack(">H", 0x2801) * 3),
        SEEN,
    ),
    "1-bit palette": (png(3, 1, halves([0], [1]), b"\0", PALETTE), SEEN),
    "2-bit palette": (png(3, 2, halves([2], [1]), b"\xff\xff\0", PALETTE), SEEN),
    "4-bit palette": (png(3, 4, halves([0], [3]), b"\0\xff\x80", PALETTE), SEEN),
    "8-bit palette": (png(3, 8, halves([0], [1]), b"\0\xff\x80\x80", PALETTE), SEEN),
    "8-bit grey and alpha": (png(4, 8, halves([9, 0], [40, 255]), None), SEEN),
    "16-bit grey and alpha": (png(4, 16, halves([9, 0], [0x2828, 0xFFFF]), None), SEEN),
    "8-bit colour and alpha": (png(6, 8, halves([200, 0, 0, 0], [40, 40, 40, 255]), None), SEEN),
    "16-bit colour and alpha": (png(6, 16, halves([0xC801, 2, 3, 0], [0x2828] * 3 + [0xFFFF]), None), SEEN),
    "webp": (
        saved(
            Image.fromarray(np.array([[[200, 0, 0, 0]] * 8 + [[40, 40, 40, 255]] * 8] * 16, np.uint8)),
            "WEBP",
            lossless=True,
            exact=True,
        ),
        SEEN,
    ),
}


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("name", TRANSPARENT)
def test_what_is_transparent_shows_the_background(name, background):
    content, seen = TRANSPARENT[name]
    found = decode(content, 16, 3, background=background)
    assert found.transparent
    assert (found.pixels[:, :, :6] == BEHIND[background]).all()
    assert (found.pixels[:, :, 10:] == np.array(seen)[:, None, None]).all()
    assert found.grey


OPAQUE = {
    "1-bit grey": png(0, 1, halves([1], [0]), None),
    "2-bit grey": png(0, 2, halves([2], [1]), None),
    "16-bit grey": png(0, 16, halves([9], GREY16), None),
    "16-bit colour": png(2, 16, halves([0xC801, 2, 3], [0x2828] * 3), None),
    "2-bit palette": png(3, 2, halves([2], [1]), None, PALETTE),
    "palette of which another entry is clear": png(3, 2, halves([2], [1]), b"\0", PALETTE),
    "a clear colour that no pixel has": png(0, 8, halves([9], [40]), struct.pack(">H", 77)),
    "a clear colour of 16 bits that no pixel has": png(
        2, 16, halves([0x0900] * 3, [0x2828] * 3), struct.pack(">HHH", 0x0900, 0x0901, 0x0900)
    ),
    "full alpha": png(6, 8, halves([200, 0, 0, 255], [40, 40, 40, 255]), None),
}


@pytest.mark.parametrize("name", OPAQUE)
def test_what_is_opaque_is_none_of_it(name):
    found = decode(OPAQUE[name], 16, 3, background="black")
    assert not found.transparent
    expected = {
        "1-bit grey": (255, 0),
        "2-bit grey": (170, 85),
        "16-bit grey": (0, 40),
        "16-bit colour": (200, 40),
        "full alpha": (200, 40),
    }.get(name, (9, 40))
    assert (found.pixels[0, 0, 2], found.pixels[0, 0, 13]) == expected


def test_only_the_part_that_is_used_counts():
    wide = Image.new("RGBA", (90, 30), (0, 0, 0, 255))
    wide.paste((0, 0, 0, 0), (0, 0, 20, 30))
    assert not decode(saved(wide, "PNG"), 16, 3).transparent
    wide.paste((0, 0, 0, 0), (40, 0, 41, 1))
    assert decode(saved(wide, "PNG"), 16, 3).transparent


def test_half_transparency_and_hidden_colours():
    """The colour of fully transparent pixels shows nowhere, not even at their edges.

    White behind an image with a profile is white.
    """
    half = first(plain((255, 0, 0, 128), "RGBA"))
    assert np.abs(np.array(half) - (255, 127, 127)).max() <= 1
    ring = Image.new("RGBA", (64, 64), (0, 255, 0, 0))
    ring.paste((255, 255, 255, 255), (16, 16, 48, 48))
    assert decode(saved(ring, "PNG"), 9, 3).pixels.min() >= 254
    assert first(plain((0, 255, 0, 0), "RGBA", icc_profile=P3)) == [255, 255, 255]
    assert first(plain((255, 180, 120, 255), "RGBA", icc_profile=P3)) == [255, 176, 108]


def test_a_data_set_has_the_background_asked_for(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.png").write_bytes(plain((255, 0, 0, 0), "RGBA"))
    for background, value in BEHIND.items():
        found = data.load(str(tmp_path), 8, 3, background)
        assert found.images.unique().tolist() == [value]
        assert found.report.transparent == 2
    assert tuple(BEHIND) == BACKGROUNDS


# Grey


def test_what_is_grey():
    grain = np.random.default_rng(0).integers(-4, 5, (64, 64, 3))
    scan = Image.fromarray(
        (np.asarray(photo(64).convert("L"))[..., None] + grain).clip(0, 255).astype(np.uint8)
    )
    sepia = Image.merge(
        "RGB",
        [
            Image.linear_gradient("L").point(lambda value, part=part: value * part)
            for part in (1.0, 0.9, 0.75)
        ],
    )
    spot = Image.new("RGB", (64, 64), "gray")
    spot.paste("red", (30, 30, 34, 34))
    colours = {
        "grey": photo().convert("L"),
        "stored as colour": photo().convert("L").convert("RGB"),
        "scanned": scan,
    }
    for name, picture in colours.items():
        assert decode(saved(picture, "PNG"), 64, 3).grey, name
        assert decode(saved(picture.convert("RGB"), "JPEG", quality=40), 64, 3).grey, name
    for picture in (sepia, spot, photo()):
        assert not decode(saved(picture, "PNG"), 64, 3).grey
        assert not decode(saved(picture, "PNG"), 64, 1).grey


def test_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for content, _ in TRANSPARENT.values():
            decode(content, 16, 3)
