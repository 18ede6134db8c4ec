"""Image files for tests: of a photo, of one colour, packed by hand; and the colour that comes out."""

import io
import random
import struct
import zlib

import numpy as np
from PIL import Image

from gan.data.decode.pictures import decode


def photo(side: int = 96) -> Image.Image:
    """Return an image with colours and edges, always the same."""
    rows, columns = np.mgrid[0:side, 0:side]
    return Image.fromarray(
        np.stack(
            [rows * 255 // side, columns * 255 // side, (rows // 12 + columns // 12) % 2 * 200], -1
        ).astype(np.uint8)
    )


def saved(picture: Image.Image, kind: str = "JPEG", **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def gamma(value: int) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", value))


def film(size: int) -> bytes:
    """Return the film behind the image of a motion photo.

    By chance, 6 MiB contain the two bytes of a scan's start more than 64 times.
    """
    return random.Random(0).randbytes(size)


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
