"""Test that colours appear as the profiles of their files mean them."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from gan.data.decode import colour, pictures
from gan.data.decode.colour import to_srgb
from gan.data.decode.containers import MAX_PROFILE
from gan.data.decode.pictures import DETAIL, decode
from tests.support import profiles
from tests.support.inputs.image_files import chunk, first, gamma, photo, plain, png, saved

P3 = profiles.display(profiles.DISPLAY_P3)
ADOBE = profiles.display(profiles.ADOBE_RGB, 2.2)


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
