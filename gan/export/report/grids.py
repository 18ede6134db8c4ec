"""The sample sheets of a run in its report: the first, those after a third and two thirds, and the last.

An image may come from a stranger's run. So only a WebP of a moderate size is decoded, and broken ones are
left out. The server makes reports in a process of its own.
"""

import base64
import io
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from gan.provenance import XMP

SHARES = (0.0, 1 / 3, 2 / 3, 1.0)  # of the training
MOST_READ = 2**24  # bytes of a file
MOST_PIXELS = 2**24
MOST_BYTES = 250_000  # of one sheet in the report; a larger one is encoded anew
QUALITIES = (85, 60, 30)


class Grid(NamedTuple):
    """A sheet for the report: its step, its address (a data URI), width and height in pixels."""

    step: int
    address: str
    width: int
    height: int


def choose(run_dir: Path) -> list[Grid]:
    """Return up to four sheets of a run, oldest first. Those that can't be read are left out."""
    sheets = {
        int(path.stem): path for path in (run_dir / "samples").glob("[0-9]*.webp") if path.stem.isdigit()
    }
    if not sheets:
        return []
    last = max(sheets)
    steps = {min(sheets, key=lambda step: (abs(step - share * last), step)) for share in SHARES}
    return [grid for step in sorted(steps) if (grid := _read(step, sheets[step]))]


def _read(step: int, path: Path) -> Grid | None:
    try:
        if path.stat().st_size > MOST_READ:
            return None
        data = path.read_bytes()
        with Image.open(io.BytesIO(data), formats=["WEBP"]) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return None
            plain = picture.convert("L" if picture.mode == "L" else "RGB")
    except (OSError, ValueError):  # Pillow's errors on a broken file are of these kinds
        return None
    kept = data if len(data) <= MOST_BYTES else _smaller(plain)
    address = f"data:image/webp;base64,{base64.b64encode(kept).decode()}"
    return Grid(step, address, plain.width, plain.height)


def _smaller(picture: Image.Image) -> bytes:
    """Encode a sheet with at most MOST_BYTES: with less quality, then with half its sides."""
    while True:
        for quality in QUALITIES:
            buffer = io.BytesIO()
            picture.save(buffer, "WEBP", quality=quality, method=4, xmp=XMP.encode())
            if buffer.tell() <= MOST_BYTES:
                return buffer.getvalue()
        picture = picture.resize((max(1, picture.width // 2), max(1, picture.height // 2)))
