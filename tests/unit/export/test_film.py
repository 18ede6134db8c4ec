"""Test exported films by opening them again: frames, size, content, duration, and the mark.

The mark says that a trained model drew them.
"""

import io
import json
import subprocess
import sys

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from gan.export.film import FORMS, film
from gan.provenance import COMMENT, XMP
from gan.ui.explore import film_routes
from tests.support.page.browsing import ROOT

MARK = b"trainedAlgorithmicMedia"
SIDE, COUNT, FACTOR = 16, 9, 4


def frames(channels: int) -> list[np.ndarray]:
    """Return frames in which a soft blob moves to the right."""
    y, x = np.mgrid[:SIDE, :SIDE]
    grey = [np.exp(-((x - 2 - step) ** 2 + (y - 8) ** 2) / 20) for step in range(COUNT)]
    bright = [(255 * picture).astype(np.uint8) for picture in grey]
    return (
        bright
        if channels == 1
        else [
            np.stack([picture, 255 - picture, picture // 2 + 9 * step], 2)
            for step, picture in enumerate(bright)
        ]
    )


def opened(data: bytes, form: str) -> tuple[list[np.ndarray], float]:
    """Return the frames (H, W, 3) of a file, and their duration in seconds."""
    if form != "mp4":
        picture = Image.open(io.BytesIO(data))
        found, lasting = [], 0.0
        for each in ImageSequence.Iterator(picture):
            found.append(np.asarray(each.convert("RGB")).astype(int))
            lasting += each.info["duration"] / 1000
        assert picture.info["loop"] == 0
        return found, lasting
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p"), (
            "what every player and phone reads"
        )
        return [each.to_ndarray(format="rgb24").astype(int) for each in container.decode(stream)], float(
            stream.duration * stream.time_base
        )


# WebP is exact. A GIF frame has 255 colours, which is enough for grey ones. H.264 is lossy, and halves the
# resolution of colours.
WRONG = {
    ("webp", 1): (0, 0),
    ("webp", 3): (0, 0),
    ("gif", 1): (0, 0),
    ("gif", 3): (1.5, 24),
    ("mp4", 1): (1.5, 24),
    ("mp4", 3): (3, 48),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("form", FORMS)
def test_a_film_shows_its_frames(form, channels):
    drawn = frames(channels)
    found, lasting = opened(film(drawn, form, 7, FACTOR), form)
    wanted = [
        np.repeat(
            np.repeat(picture if channels == 3 else np.stack([picture] * 3, 2), FACTOR, 0), FACTOR, 1
        ).astype(int)
        for picture in drawn
    ]
    assert len(found) == COUNT
    assert lasting == pytest.approx(COUNT / 7, abs=0.011)  # a tick of GIF's clock
    mean, most = WRONG[form, channels]
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == (FACTOR * SIDE, FACTOR * SIDE, 3)
        difference = np.abs(one - other)
        assert difference.mean() <= mean
        assert difference.max() <= most


@pytest.mark.parametrize("form", FORMS)
def test_a_film_says_that_a_model_drew_it(form):
    data = film(frames(3), form, 12, 2)
    assert data.count(XMP.encode()) == 1
    if form == "webp":
        assert Image.open(io.BytesIO(data)).info["xmp"] == XMP.encode()
    elif form == "gif":
        assert Image.open(io.BytesIO(data)).info["comment"] == COMMENT.encode()
        assert data.endswith(b"\x02\x01\x00\x00\x3b")
    else:
        with av.open(io.BytesIO(data)) as container:
            assert container.metadata["comment"] == COMMENT
        boxes, place = {}, 0
        while place < len(data):
            size = int.from_bytes(data[place : place + 4], "big")
            boxes[data[place + 4 : place + 8]] = data[place + 8 : place + size]
            place += size
        assert boxes[b"uuid"][16:] == XMP.encode()
        assert {b"ftyp", b"moov", b"mdat"} < set(boxes)


def test_the_process_packs_what_it_reads():
    header = json.dumps({"form": "webp", "fps": 10, "factor": 2, "shape": [SIDE, SIDE]}).encode()
    raw = b"".join(picture.tobytes() for picture in frames(1))
    done = subprocess.run(
        [sys.executable, "-m", "gan.cli.film"],
        input=header + b"\n" + raw,
        capture_output=True,
        cwd=ROOT,
        check=True,
    )
    assert done.stdout == film(frames(1), "webp", 10, 2)


def test_the_packer_starts_without_torch():
    code = "import sys, gan.export.film; print('torch' in sys.modules)"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
        ).stdout
        == "False\n"
    )


def test_the_routes_know_every_form():
    assert {form: entry.media_type for form, entry in FORMS.items()} == film_routes.TYPES
