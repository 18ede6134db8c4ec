"""One picture file as pixels: what is opened, how large it may be, and how it becomes a square of 8-bit channels.

Only PNG, JPEG and WebP are opened, and limits are checked before anything is decoded. Of a picture only its pixels are kept: no EXIF, no place where it was
taken. Imports no torch.
"""

import io
import struct
import zipfile
import zlib

import numpy as np
from PIL import Image, ImageOps

from gan.errors import UserError

MAX_PIXELS = 64 * 2**20  # of one picture
MAX_SCANS = 64  # of one JPEG: a progressive one has about ten, and each goes over all pixels, however few bytes it takes

START_OF_SCAN = b"\xff\xda"

UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, OverflowError, RuntimeError, NotImplementedError, struct.error, zlib.error,
              zipfile.BadZipFile, Image.DecompressionBombError)


class Unusable(ValueError):
    """Why a file is left out: `reason` is one of gan.data.report.REASONS, `detail` what its sentence names (a kind of file, a number), "" where nothing."""

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(f"{reason} {detail}".strip())
        self.reason, self.detail = reason, detail


def read_picture(data: bytes, size: int, channels: int, most: int = MAX_PIXELS) -> np.ndarray:
    """One PNG, JPEG or WebP as uint8 (channels, size, size), treated as those of a folder are. Raises UserError for anything else, what is damaged, and more
    than `most` pixels, which its header tells before any is decoded."""
    try:
        return decode(data, size, channels, most)
    except UNREADABLE as error:
        raise UserError("data.no_picture") from error


def decode(data: bytes, size: int, channels: int, most: int = MAX_PIXELS) -> np.ndarray:
    """One picture as uint8 (channels, size, size). Raises one of UNREADABLE."""
    with Image.open(io.BytesIO(data), formats=["PNG", "JPEG", "WEBP"]) as picture:
        if picture.width * picture.height > most:
            raise Unusable("pixels", f"{picture.width * picture.height / 1e6:.0f}")
        if picture.format == "JPEG" and data.count(START_OF_SCAN) > MAX_SCANS:
            raise Unusable("scans")
        picture.draft("RGB", (2 * size, 2 * size))  # lets a JPEG decode at a fraction of its size
        return square(picture, size, channels)


def square(picture: Image.Image, size: int, channels: int) -> np.ndarray:
    """The centre of a picture, upright and opaque, as uint8 (channels, size, size); Lanczos resampling."""
    upright = _opaque(ImageOps.exif_transpose(picture)).convert("RGB" if channels == 3 else "L")
    side = min(upright.size)
    left, top = (upright.width - side) / 2, (upright.height - side) / 2
    cut = upright.resize((size, size), Image.Resampling.LANCZOS, (left, top, left + side, top + side), reducing_gap=3.0)
    pixels = np.array(cut)
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _opaque(picture: Image.Image) -> Image.Image:
    """The picture without transparency, on white, and with 8 bits a channel."""
    if picture.mode.startswith("I"):
        return Image.fromarray((np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture
