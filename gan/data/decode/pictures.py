"""Decode one image file into a square of 8-bit pixels.

It opens only PNG, JPEG and WebP, and checks limits before it decodes. It keeps only the pixels, so neither
EXIF nor GPS data remain. Imports no torch.
"""

import io
import struct
import warnings
import zipfile
import zlib
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image

from gan.data.decode.colour import to_srgb
from gan.data.decode.containers import MAX_SCANS, Parts, Unusable, take_apart
from gan.errors import UserError, refuse_if_full

__all__ = ["BEHIND", "MAX_PIXELS", "MAX_SCANS", "UNREADABLE", "Picture", "Unusable", "decode", "read_picture"]

MAX_PIXELS = 64 * 2**20  # of one image
# Pillow's own limit is higher, and its warning would stand in the terminal beside our sentence.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
BEHIND = {"white": 255, "grey": 128, "black": 0}  # values of BACKGROUNDS of gan.config
# Before a colour conversion, an image is averaged down to this many times the side of the square. See
# tests/unit/data/test_colour.py.
DETAIL = 4
# Largest difference between channels, of 255, in an image that counts as grey. It covers scanner and JPEG
# noise.
GREY = 8

UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    OverflowError,
    RuntimeError,
    NotImplementedError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
    Image.DecompressionBombError,
)

_T = Image.Transpose
_UPRIGHT = {
    2: _T.FLIP_LEFT_RIGHT,
    3: _T.ROTATE_180,
    4: _T.FLIP_TOP_BOTTOM,
    5: _T.TRANSPOSE,
    6: _T.ROTATE_270,
    7: _T.TRANSVERSE,
    8: _T.ROTATE_90,
}


class Picture(NamedTuple):
    """A decoded image, and facts about its file."""

    pixels: np.ndarray  # uint8 (channels, size, size)
    side: int  # pixels of the shorter side in the file
    transparent: bool  # whether any pixel of the square shows the background
    grey: bool  # whether it has no colour


def read_picture(data: bytes, size: int, channels: int, most: int = MAX_PIXELS) -> np.ndarray:
    """Decode one PNG, JPEG or WebP to uint8 (channels, size, size), as images of a folder are.

    Raises UserError for other or damaged files, and for more than `most` pixels. The header gives the number
    of pixels, so no pixel is decoded before that check.
    """
    try:
        return decode(data, size, channels, most).pixels
    except UNREADABLE as error:
        refuse_if_full(error)
        raise UserError("data.no_picture") from error


def decode(
    data: bytes, size: int, channels: int, most: int = MAX_PIXELS, background: str = "white"
) -> Picture:
    """Decode one image file: its central square, `size` pixels wide, with 1 or 3 channels in sRGB.

    Transparent images are put on the background. Raises Unusable, or another of UNREADABLE if memory runs
    out.
    """
    parts = take_apart(data)
    try:
        with Image.open(io.BytesIO(parts.picture), formats=["PNG", "JPEG", "WEBP"]) as picture:
            side = min(picture.size)
            if picture.width * picture.height > most:
                raise Unusable("pixels", f"{picture.width * picture.height / 1e6:.0f}")
            parts = parts._replace(
                profile=parts.profile or picture.info.get("icc_profile") or b"",
                exif=parts.exif or picture.info.get("exif") or b"",
            )
            picture.draft("RGB", (2 * size, 2 * size))  # lets libjpeg decode at a fraction of the size
            picture.load()
            cut, transparent = _square(_deep_transparency(picture, parts), parts, size, background)
    except Unusable:
        raise
    except Image.DecompressionBombError as error:
        raise Unusable("pixels") from error
    # A decoder may raise anything on damaged data.
    except Exception as error:
        refuse_if_full(error)
        raise Unusable("damaged") from error
    upright = _upright(cut, parts.exif)
    return Picture(_pixels(upright, channels), side, transparent, _is_grey(upright))


def square(picture: Image.Image, size: int, channels: int) -> np.ndarray:
    """Convert an opened image to uint8 (channels, size, size), as images of a folder are."""
    profile, exif = (picture.info.get(name) or b"" for name in ("icc_profile", "exif"))
    return _pixels(_upright(_square(picture, Parts(b"", profile, exif), size, "white")[0], exif), channels)


def _upright(picture: Image.Image, exif: bytes) -> Image.Image:
    turned = _UPRIGHT.get(_orientation(exif))
    return picture if turned is None else picture.transpose(turned)


def _pixels(picture: Image.Image, channels: int) -> np.ndarray:
    pixels = np.array(picture.convert("RGB" if channels == 3 else "L"))
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _square(picture: Image.Image, parts: Parts, size: int, background: str) -> tuple[Image.Image, bool]:
    """Cut the central square in sRGB, as opaque RGB or L; also return whether it was transparent.

    It shrinks by Lanczos resampling, with colours weighted by opacity. It adds the background after the
    conversion to sRGB, so white stays white.
    """
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    odd_x, odd_y = (picture.width - side) / 2 - left, (picture.height - side) / 2 - top
    grey = picture.getbands()[0] in "1LI"
    cut = _eight_bits(
        picture.crop((left, top, left + side + (odd_x > 0), top + side + (odd_y > 0))), parts.depth
    )
    transparent = cut.mode == "RGBA" and any(cut.getchannel("A").histogram()[:255])
    if cut.mode == "RGBA":
        cut = cut.convert("RGBa" if transparent else "L" if grey else "RGB")
    factor = max(1, side // (DETAIL * size)) if parts.profile or cut.mode == "CMYK" else 1
    if factor > 1:
        cut = cut.reduce(factor)
    cut = _in_srgb(cut, parts.profile, grey)
    box = (odd_x / factor, odd_y / factor, (odd_x + side) / factor, (odd_y + side) / factor)
    small = cut.resize((size, size), Image.Resampling.LANCZOS, box, reducing_gap=3.0)
    if not transparent:
        return small, False
    small = small.convert("RGBA")
    below = Image.new("RGB", small.size, (BEHIND[background],) * 3)
    return Image.composite(small.convert("RGB"), below, small.getchannel("A")), True


def _in_srgb(picture: Image.Image, profile: bytes, grey: bool) -> Image.Image:
    """Convert an image of mode L, RGB, RGBa or CMYK to sRGB, as L, RGB or RGBa.

    `grey` says whether its file has no colours.
    """
    if picture.mode != "RGBa":
        return to_srgb(picture, profile)
    if not profile:
        return picture
    plain = picture.convert("RGBA")
    found = to_srgb(plain.convert("L" if grey else "RGB"), profile).convert("RGB")
    found.putalpha(plain.getchannel("A"))
    return found.convert("RGBa")


def _deep_transparency(picture: Image.Image, parts: Parts) -> Image.Image:
    """Convert an image with 16 bits a channel and a transparent colour to RGBA; return others unchanged.

    Pillow keeps only the high bytes of such a PNG, so this function reads the low bytes separately.
    """
    clear = picture.info.get("transparency")
    if clear is None or picture.mode != "RGB" or parts.depth != 16:
        return picture
    with Image.open(io.BytesIO(parts.picture), formats=["PNG"]) as low:
        low.tile = [tile._replace(args="RGB;16L") for tile in low.tile]  # reads the second of two bytes
        opaque = ~(
            (np.asarray(picture) == np.array(clear) >> 8).all(-1)
            & (np.asarray(low) == np.array(clear) & 255).all(-1)
        )
    return Image.merge("RGBA", (*picture.split(), Image.fromarray(opaque.astype(np.uint8) * 255)))


def _eight_bits(picture: Image.Image, depth: int) -> Image.Image:
    """Convert an image to 8 bits a channel, as L, RGB, RGBA or CMYK.

    `depth` is the number of bits a channel in a PNG file. The file gives its transparent colour at that
    depth.
    """
    clear = picture.info.get("transparency")
    if picture.mode == "P" or "A" in picture.getbands():
        return picture.convert("RGBA" if picture.mode != "P" or clear is not None else "RGB")
    if picture.mode.startswith("I"):
        plain = Image.fromarray(np.clip(np.asarray(picture) >> 8, 0, 255).astype(np.uint8))
    elif picture.mode in ("L", "CMYK"):
        plain = picture
    else:
        plain = picture.convert("L" if picture.mode == "1" else "RGB")
    if clear is None:
        return plain
    hidden = _is(np.asarray(picture), clear, picture.mode, depth)
    seen = plain.convert("RGBA")
    seen.putalpha(Image.fromarray(np.where(hidden, 0, 255).astype(np.uint8)))
    return seen


def _is(pixels: np.ndarray, clear: int | tuple[int, ...], mode: str, depth: int) -> np.ndarray:
    """Find the pixels (H, W) or (H, W, 3) that have the transparent colour.

    Pillow gives that colour at the file's depth. It gives all pixels with 8 bits, except 16-bit grey.
    """
    if mode == "1":
        return pixels == bool(clear)
    if mode == "RGB":
        return (pixels == np.array(clear)).all(-1)
    return pixels == (clear * 255 // (2**depth - 1) if depth < 8 else clear)


def _orientation(exif: bytes) -> int:
    """Read the EXIF orientation, 1 to 8; 1 if it is missing or damaged."""
    if not exif:
        return 1
    try:
        found = Image.Exif()
        found.load(exif)
        return int(found.get(ExifTags.Base.Orientation, 1))
    # EXIF data may be damaged in any way, and the image is usable without them.
    except Exception as error:
        refuse_if_full(error)
        return 1


def _is_grey(picture: Image.Image) -> bool:
    """Whether an image of mode L or RGB has no colour."""
    if picture.mode == "L":
        return True
    pixels = np.asarray(picture)
    return bool((pixels.max(-1) - pixels.min(-1)).max() <= GREY)
