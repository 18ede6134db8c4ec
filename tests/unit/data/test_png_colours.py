"""Test that colours appear as a PNG means them that tells its colours by numbers."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import ImageCms

from gan.data.decode import png_colours
from gan.data.decode.pictures import decode
from tests.support import profiles
from tests.support.inputs.image_files import chunk, first, gamma, photo, plain, saved

P3 = profiles.display(profiles.DISPLAY_P3)
GREEN = (60, 180, 60)


def told(stored: tuple[int, ...] | int, *chunks: bytes) -> list[int]:
    """Return the decoded colour of a PNG with these chunks."""
    content = plain(stored, "L" if isinstance(stored, int) else "RGB")
    return first(content[:33] + b"".join(chunks) + content[33:])


def white_and_primaries(*values: int) -> bytes:
    return chunk(b"cHRM", struct.pack(f">{len(values)}I", *values))


def code(*values: int) -> bytes:
    return chunk(b"cICP", bytes(values))


ICC_P3 = chunk(b"iCCP", b"p\0\0" + zlib.compress(P3))
OF_SRGB, OF_ADOBE = (
    white_and_primaries(31270, 32900, 64000, 33000, *green, 15000, 6000)
    for green in ((30000, 60000), (21000, 71000))
)
OF_PROPHOTO = white_and_primaries(34567, 35850, 73470, 26530, 11600, 82600, 15700, 1800)
SKIN, NIGHT = (200, 100, 32), (8, 120, 250)


@pytest.mark.parametrize(("chunks", "stored", "shown"), [
    ([code(12, 13, 0, 1)], GREEN, (0, 183, 30)), ([code(12, 13, 0, 1)], SKIN, (215, 93, 0)),
    ([code(12, 13, 0, 1)], NIGHT, (0, 122, 255)),
    ([code(12, 4, 0, 1)], GREEN, (0, 185, 22)), ([code(12, 8, 0, 1)], GREEN, (101, 221, 123)),
    ([code(12, 8, 0, 1)], 128, (188, 188, 188)),
    ([code(9, 13, 0, 1)], GREEN, (0, 189, 12)), ([code(9, 1, 0, 1)], NIGHT, (0, 117, 255)),
    ([code(1, 1, 0, 1)], SKIN, (197, 91, 20)), ([code(1, 8, 0, 1)], SKIN, (229, 168, 99)),
    ([code(1, 13, 0, 1)], SKIN, SKIN),
    ([gamma(45455), OF_ADOBE], GREEN, (0, 181, 42)), ([gamma(45455), OF_ADOBE], SKIN, (227, 100, 16)),
    ([gamma(45455), OF_ADOBE], NIGHT, (0, 121, 254)),
    ([gamma(55556), OF_PROPHOTO], GREEN, (0, 213, 52)), ([gamma(55556), OF_PROPHOTO], SKIN, (255, 91, 16)),
    ([gamma(100000)], 128, (188, 188, 188)), ([gamma(100000)], GREEN, (133, 219, 133)),
    ([gamma(55556)], NIGHT, (6, 139, 251)),
    ([gamma(20000)], SKIN, (148, 24, 0)), ([gamma(500000)], NIGHT, (188, 239, 255)),
    ([gamma(45455)], SKIN, SKIN), ([OF_ADOBE], SKIN, SKIN),
    ([ICC_P3], GREEN, (0, 183, 30)), ([chunk(b"sRGB", b"\0"), gamma(45455), OF_ADOBE], GREEN, GREEN),
])  # fmt: skip
def test_a_png_that_tells_its_colours_by_numbers_looks_as_in_a_browser(chunks, stored, shown):
    """`shown` is the colour that Chromium shows."""
    assert np.abs(np.array(told(stored, *chunks)) - shown).max() <= 2


@pytest.mark.parametrize(("chunks", "shown"), [
    ([ICC_P3, code(1, 13, 0, 1)], GREEN),
    ([code(12, 13, 0, 1), chunk(b"sRGB", b"\0"), gamma(45455), OF_SRGB], (0, 183, 30)),
    ([chunk(b"sRGB", b"\0"), ICC_P3], (0, 183, 30)), ([gamma(100000), ICC_P3], (0, 183, 30)),
    ([ICC_P3, code(99, 13, 0, 1)], (0, 183, 30)),
    ([gamma(100000), chunk(b"sRGB", b"\0")], GREEN),
    ([gamma(100000), chunk(b"iCCP", b"p\0\0?")], (133, 219, 133)),
])  # fmt: skip
def test_which_of_a_png_s_colour_chunks_counts(chunks, shown):
    assert np.abs(np.array(told(GREEN, *chunks)) - shown).max() <= 1


@pytest.mark.parametrize("chunks", [
    [gamma(45455), OF_SRGB], [gamma(45000), OF_SRGB],
    [gamma(45455), white_and_primaries(31269, 32899, 63999, 33001, 30000, 60000, 15000, 5999)],
    [gamma(45455)], [gamma(0)], [gamma(1)], [gamma(2**32 - 1)], [chunk(b"gAMA", b"\0\1\x86")],
    [chunk(b"gAMA", b"\0\1\x86\xa0\0")],
    [gamma(100000), white_and_primaries(*[0] * 8)], [gamma(100000), white_and_primaries(*[2**32 - 1] * 8)],
    [gamma(100000), white_and_primaries(31270, 0, 64000, 33000, 30000, 60000, 15000, 6000)],
    [gamma(100000), white_and_primaries(31270, 32900, 30000, 30000, 30000, 30000, 15000, 6000)],
    [gamma(100000), white_and_primaries(80000, 10000, 64000, 33000, 30000, 60000, 15000, 6000)],
    [code(12, 13, 0)], [code(12, 13, 0, 1, 0)], [code(12, 13, 1, 1)], [code(12, 13, 0, 0)],
    [code(2, 2, 0, 1)], [code(9, 16, 0, 1)], [code(255, 255, 0, 1)],
])  # fmt: skip
def test_numbers_of_srgb_and_senseless_ones_change_no_pixel(chunks):
    sheet = saved(photo(), "PNG")
    assert (
        decode(sheet[:33] + b"".join(chunks) + sheet[33:], 32, 3).pixels == decode(sheet, 32, 3).pixels
    ).all()


def test_numbers_of_strangers_make_sound_profiles_or_none():
    rng = np.random.default_rng(0)
    made = 0
    for _ in range(2000):
        numbers = np.clip(
            np.array([31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000])
            + rng.normal(0, 10.0 ** rng.integers(1, 6), 8),
            0,
            2**32 - 1,
        )
        found = png_colours.profile_of(
            {
                b"gAMA": struct.pack(">I", 10 ** int(rng.integers(0, 9))),
                b"cHRM": struct.pack(">8I", *numbers.astype(np.int64)),
            }
        )
        made += bool(found)
        assert not found or ImageCms.ImageCmsProfile(io.BytesIO(found)).profile.xcolor_space == "RGB "
    assert 100 < made < 1900
