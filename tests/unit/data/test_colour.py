"""Test that colours appear as their files mean them.

The files have profiles, transparency in every mode, and more or fewer than 8 bits.
"""

import io
import struct
import time
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from gan import data
from gan.config import BACKGROUNDS
from gan.data.decode import colour, pictures, png_colours
from gan.data.decode.colour import to_srgb
from gan.data.decode.containers import MAX_PROFILE
from gan.data.decode.pictures import BEHIND, DETAIL, decode
from tests.support import profiles
from tests.unit.data.test_pictures import chunk, photo, saved

P3 = profiles.display(profiles.DISPLAY_P3)
ADOBE = profiles.display(profiles.ADOBE_RGB, 2.2)


def first(data: bytes, **options) -> list[int]:
    """Return the only colour of an image."""
    found = decode(data, 8, options.pop("channels", 3), **options).pixels
    assert (found == found[:, :1, :1]).all()
    return found[:, 0, 0].tolist()


def plain(colour: tuple[int, ...] | int, mode: str = "RGB", kind: str = "PNG", **options) -> bytes:
    lossless = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True, "exact": True}}.get(
        kind, {}
    )
    return saved(Image.new(mode, (40, 30), colour), kind, **lossless, **options)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(("profile", "stored", "meant"), [
    (profiles.display(profiles.DISPLAY_P3, 2.2), (60, 180, 60), (0, 185, 22)),
    (P3, (60, 180, 60), (0, 183, 30)), (P3, (255, 180, 120), (255, 176, 108)),
    (ADOBE, (60, 180, 60), (0, 181, 42)),
    (profiles.display(profiles.SRGB), (60, 180, 60), (60, 180, 60)), (b"", (60, 180, 60), (60, 180, 60)),
])  # fmt: skip
def test_colours_are_those_that_the_profile_means(kind, profile, stored, meant):
    found = first(plain(stored, kind=kind, icc_profile=profile))
    assert np.abs(np.array(found) - meant).max() <= (3 if kind == "JPEG" else 1)


@pytest.mark.parametrize(
    ("profile", "meant"),
    [
        (profiles.grey(1.0), 188),
        (profiles.grey(1.8), 146),
        (profiles.grey(2.2), 128),
        (P3, 128),
        (ADOBE, 128),
    ],
)
def test_grey_pictures_stay_grey(profile, meant):
    for channels in (1, 3):
        found = decode(plain(128, "L", icc_profile=profile), 8, channels)
        assert found.grey
        assert np.abs(found.pixels.astype(int) - meant).max() <= 1
    clear = decode(plain((128, 255), "LA", icc_profile=profile), 8, 3)
    assert np.abs(clear.pixels.astype(int) - meant).max() <= 1


@pytest.mark.parametrize("profile", [profiles.press(), b""])
def test_pictures_for_a_press(profile):
    """CMYK JPEGs hold inverted inks, as Adobe's programs write them and all others read them.

    Inks without a profile multiply.
    """
    white, black, half = (
        first(plain((0, 0, 0, ink), "CMYK", "JPEG", icc_profile=profile)) for ink in (0, 255, 128)
    )
    assert min(white) >= 253
    assert max(black) <= 2
    assert abs(half[0] - (118 if profile else 127)) <= 2
    assert max(first(plain((0, 0, 0, 0), "CMYK", "JPEG", icc_profile=profile), channels=1)) >= 253


def test_inks_without_a_profile():
    assert np.abs(np.array(first(plain((255, 0, 255, 0), "CMYK", "JPEG"))) - (0, 255, 0)).max() <= 2


def test_paper_comes_from_the_profile():
    wide = np.array(first(plain((0, 0, 0, 255), "CMYK", "JPEG", icc_profile=profiles.press(40))))
    assert wide.max() <= 2
    assert 90 < first(plain((0, 0, 0, 128), "CMYK", "JPEG", icc_profile=profiles.press(200)))[0] < 125


@pytest.mark.parametrize("size", [64, 28])
def test_averaging_before_the_conversion_hardly_shows(size):
    """On average, the result is within one level of converting every pixel.

    DETAIL sets how far an image shrinks before the conversion.
    """
    smooth = Image.merge(
        "RGB", [Image.radial_gradient("L"), Image.linear_gradient("L"), Image.linear_gradient("L").rotate(90)]
    )
    grain = Image.merge("RGB", [Image.effect_noise((256, 256), spread) for spread in (40, 50, 60)])
    noisy = Image.blend(smooth, grain, 0.2).resize((900, 900), Image.Resampling.BICUBIC)
    assert 900 // size > DETAIL
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(P3)), ImageCms.createProfile("sRGB"), "RGB", "RGB"
    )
    exact = decode(saved(ImageCms.applyTransform(noisy, transform), "PNG"), size, 3).pixels.astype(int)
    apart = np.abs(decode(saved(noisy, "PNG", icc_profile=P3), size, 3).pixels - exact)
    ignored = np.abs(decode(saved(noisy, "PNG"), size, 3).pixels - exact)
    assert apart.mean() < 1 < ignored.mean() / 3


@pytest.mark.parametrize("how", ["profile", "numbers", "inks", "transparent"])
def test_large_pictures_are_made_smaller_before_the_conversion(monkeypatch, how):
    """The conversion gets fewer than 2 * DETAIL pixels for each pixel of the square, at any image size.

    A smaller image is converted as a whole.
    """
    given = []
    monkeypatch.setattr(
        pictures, "to_srgb", lambda picture, profile: given.append(picture.size) or to_srgb(picture, profile)
    )
    mode, kind = {"inks": ("CMYK", "JPEG"), "transparent": ("RGBA", "PNG")}.get(how, ("RGB", "PNG"))
    for side, most in (
        (8 * DETAIL * 7 + 3, 8 * DETAIL + 1),
        (8 * DETAIL * 2 - 1, 8 * DETAIL * 2),
        (8 * DETAIL - 3, 8 * DETAIL),
    ):
        picture = Image.new(mode, (side + 50, side), (50, 90, 120, 70)[: len(mode)])
        content = saved(picture, kind, **({} if how in ("inks", "numbers") else {"icc_profile": P3}))
        decode(content[:33] + gamma(100000) + content[33:] if how == "numbers" else content, 8, 3)
        assert min(most, side) // 2 <= max(given.pop()) <= most
    assert not given


def test_a_profile_of_srgb_changes_nothing():
    assert colour._transform(profiles.display(profiles.SRGB), "RGB") is None
    assert (
        colour._transform(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), "RGB") is None
    )
    sheet = saved(photo(), "PNG", icc_profile=profiles.display(profiles.SRGB))
    assert (decode(sheet, 32, 3).pixels == decode(saved(photo(), "PNG"), 32, 3).pixels).all()


@pytest.mark.parametrize("profile", [
    b"", b"?", b"x" * 4000, P3[:200], P3[:128] + b"\xff\xff\xff\xff" + P3[132:], bytes(128) + P3[128:],
    profiles.grey(1.8)[:-90],
    profiles.press(), profiles.press()[:300], P3.replace(b"acsp", b"xxxx"), P3.replace(b"para", b"none"),
        P3.replace(b"rXYZ", b"none"), P3 + bytes(MAX_PROFILE),
])  # fmt: skip
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_broken_or_foreign_profile_is_ignored(kind, profile):
    assert (
        np.abs(np.array(first(plain((60, 180, 60), kind=kind, icc_profile=profile))) - (60, 180, 60)).max()
        <= 3
    )


KINDS = {"RGB": P3, "GRAY": profiles.grey(1.0), "CMYK": profiles.press()}
GREEN = (60, 180, 60)


KINDS_OF_PICTURES = [
    ("RGB", 255),
    ("RGBA", 255),
    ("RGBA", 254),
    ("P", 255),
    ("P", 254),
    ("L", 255),
    ("LA", 255),
    ("LA", 254),
    ("1", 255),
    ("I;16", 255),
]


@pytest.mark.parametrize(("mode", "opacity"), KINDS_OF_PICTURES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_profile_counts_for_its_own_kind_of_picture(kind, mode, opacity):
    """A grey profile would remove the colours, and a profile for a press can't apply to light.

    A grey image may have a profile for colours.
    """
    coloured = mode in ("RGB", "RGBA", "P")
    stored = GREEN if coloured else (255 if mode == "1" else 128,) * 3
    if mode == "P":
        content = png(3, 8, [[0] * 16] * 16, bytes([opacity]), bytes(stored))
    elif mode == "I;16":
        content = png(0, 16, [[128 * 257] * 16] * 16, None)
    else:
        picture = Image.new("RGB", (16, 16), stored).convert(mode)
        if "A" in mode:
            picture.putalpha(opacity)
        content = saved(picture, "PNG")
    found = first(content[:33] + chunk(b"iCCP", b"p\0\0" + zlib.compress(KINDS[kind])) + content[33:])
    meant = {("RGB", True): (0, 183, 30), ("GRAY", False): (255 if mode == "1" else 188,) * 3}.get(
        (kind, coloured), stored
    )
    assert np.abs(np.array(found) - meant).max() <= 2


@pytest.mark.parametrize(("kind", "apart"), [("RGB", False), ("GRAY", False), ("CMYK", True)])
def test_inks_are_converted_by_a_profile_of_inks_alone(kind, apart):
    stored = (0, 0, 0, 128)
    found, without = (
        np.array(first(plain(stored, "CMYK", "JPEG", icc_profile=profile))) for profile in (KINDS[kind], b"")
    )
    assert (np.abs(found - without).max() > 4) == apart


def told(stored: tuple[int, ...] | int, *chunks: bytes) -> list[int]:
    """Return the decoded colour of a PNG with these chunks."""
    content = plain(stored, "L" if isinstance(stored, int) else "RGB")
    return first(content[:33] + b"".join(chunks) + content[33:])


def gamma(value: int) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", value))


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


def of_many_steps(steps: int = 60_000) -> bytes:
    """Return a valid profile of floating-point elements, each with so many steps.

    lcms goes through the steps one by one, for every colour of a table that it builds.
    """
    ends = b"".join(struct.pack(">f", -1 + 2 * k / steps) for k in range(steps - 1))
    curve = (
        b"curf"
        + bytes(4)
        + struct.pack(">HH", steps, 0)
        + ends
        + (b"parf\0\0\0\0\0\0\0\0" + struct.pack(">4f", 1, 1, 0, 0)) * steps
    )
    curve += bytes(-len(curve) % 4)
    curves = b"cvst" + bytes(4) + struct.pack(">HH", 3, 3) + struct.pack(">II", 36, len(curve)) * 3 + curve
    elements = (
        b"mpet" + bytes(4) + struct.pack(">HHI", 3, 3, 1) + struct.pack(">II", 24, len(curves)) + curves
    )
    whole = profiles.profile(b"RGB ", b"XYZ ", b"mntr", {b"D2B0": elements})
    return whole[:8] + b"\4\x40" + whole[10:]


@pytest.mark.parametrize("name", ["elements", "press", "tags"])
def test_profiles_that_are_made_to_cost_time(name):
    tags = P3[:128] + struct.pack(">I", 300_000) + P3[132:144] * 300_000
    profile = {"elements": of_many_steps, "press": lambda: profiles.press(steps=30), "tags": lambda: tags}[
        name
    ]()
    assert 2**20 < len(profile) <= MAX_PROFILE
    mode, kind = ("CMYK", "JPEG") if name == "press" else ("RGB", "WEBP")
    content = plain((9, 9, 9, 9)[: len(mode)], mode, kind, icc_profile=profile)
    begin = time.process_time()
    decode(content, 64, 3)
    assert time.process_time() - begin < 2


def test_damaged_profiles_harm_nothing():
    """Valid profiles with some changed bytes must still decode to an image, and soon."""
    rng = np.random.default_rng(0)
    begin = time.process_time()
    for case in range(120):
        sound = (P3, ADOBE, profiles.grey(1.8), profiles.press())[case % 4]
        broken = np.frombuffer(sound, np.uint8).copy()
        places = rng.integers(0 if case % 3 else 128, len(sound), rng.integers(1, 6))
        broken[places] = rng.integers(0, 256, len(places))
        found = colour.to_srgb(Image.new(("RGB", "RGB", "L", "CMYK")[case % 4], (16, 16)), broken.tobytes())
        assert found.mode in ("RGB", "L")
    assert time.process_time() - begin < 60


# Transparency

# colours on white of the left half, which is transparent, and of the right half
CLEAR, SEEN = (255, 255, 255), (40, 40, 40)


def png(
    mode: int, depth: int, rows: list[list[int]], trns: bytes | None, palette: bytes | None = None
) -> bytes:
    """Pack a PNG by hand, because Pillow can't write all kinds that it reads."""

    def packed(row: list[int]) -> bytes:
        if depth == 16:
            return struct.pack(f">{len(row)}H", *row)
        bits = "".join(f"{value:0{depth}b}" for value in row)
        return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")

    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[mode]
    header = struct.pack(">IIBBBBB", len(rows[0]) // samples, len(rows), depth, mode, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + packed(row) for row in rows))
    chunks = [(b"IHDR", header), (b"PLTE", palette), (b"tRNS", trns), (b"IDAT", body), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(kind, content) for kind, content in chunks if content is not None
    )


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
