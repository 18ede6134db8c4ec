"""Encode loops as GIF, WebP or MP4, each with a mark that a trained model generated it.

The process in gan.cli.film calls this module. It imports no torch.
"""

import io
import itertools
from collections.abc import Callable, Iterable
from typing import NamedTuple

import av
import numpy as np
from PIL import Image

from gan.provenance import COMMENT, XMP

COLOURS = 255  # colours in a GIF frame; the 256th marks pixels that did not change
# Options for x264. Half the default quantiser keeps the edges of the enlarged pixels sharp.
SHARP = {"crf": "14", "preset": "veryfast"}
# id of the box with XMP in an MP4 (XMP Specification, part 3)
XMP_UUID = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
# Before and after the XMP of a GIF. The "magic trailer" lets readers without XMP support skip it.
GIF_XMP, GIF_XMP_END = b"\x21\xff\x0bXMP DataXMP", bytes([1, *range(255, -1, -1), 0])


class Form(NamedTuple):
    """A file format: its media type, and `write(frames, fps, factor)`, which returns the bytes."""

    media_type: str
    write: Callable[[Iterable[np.ndarray], int, int], bytes]


def film(frames: Iterable[np.ndarray], form: str, fps: int, factor: int) -> bytes:
    """Encode uint8 frames (H, W) or (H, W, 3) at `fps` frames per second in a format of FORMS.

    Each pixel becomes a block of `factor` x `factor` pixels. GIFs and WebPs loop for ever; in an MP4 the
    player decides.

    A GIF measures time in hundredths of a second, so its frames have the right duration only on average. It
    has at most COLOURS colours in a frame, without dithering.
    """
    return FORMS[form].write(frames, fps, factor)


def _gif(frames: Iterable[np.ndarray], fps: int, factor: int) -> bytes:
    pictures = [_enlarged(_few_colours(Image.fromarray(frame)), factor) for frame in frames]
    ticks = [round(100 * count / fps) for count in range(len(pictures) + 1)]
    lasting = [10 * (after - before) for before, after in itertools.pairwise(ticks)]
    data = _saved(pictures, "GIF", duration=lasting, comment=COMMENT.encode())
    return data[:-1] + GIF_XMP + XMP.encode() + GIF_XMP_END + data[-1:]


def _webp(frames: Iterable[np.ndarray], fps: int, factor: int) -> bytes:
    pictures = [_enlarged(Image.fromarray(frame), factor) for frame in frames]
    ticks = [round(1000 * count / fps) for count in range(len(pictures) + 1)]
    lasting = [after - before for before, after in itertools.pairwise(ticks)]
    return _saved(pictures, "WEBP", duration=lasting, lossless=True, quality=20, method=1, xmp=XMP.encode())


def _mp4(frames: Iterable[np.ndarray], fps: int, factor: int) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        container.metadata["comment"] = COMMENT
        stream = container.add_stream("libx264", rate=fps, options=SHARP)
        stream.pix_fmt, stream.thread_count = "yuv420p", 1
        for count, frame in enumerate(frames):
            large = np.repeat(np.repeat(frame, factor, 0), factor, 1)
            if count == 0:
                stream.height, stream.width = large.shape[:2]
            colour = large if large.ndim == 3 else np.repeat(large[:, :, None], 3, 2)
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(colour), format="rgb24"))
            )
        container.mux(stream.encode())
    packet = XMP_UUID + XMP.encode()
    return buffer.getvalue() + (8 + len(packet)).to_bytes(4, "big") + b"uuid" + packet


FORMS = {"gif": Form("image/gif", _gif), "webp": Form("image/webp", _webp), "mp4": Form("video/mp4", _mp4)}


def _few_colours(picture: Image.Image) -> Image.Image:
    return (
        picture
        if picture.mode == "L"
        else picture.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    )


def _enlarged(picture: Image.Image, factor: int) -> Image.Image:
    return picture.resize((factor * picture.width, factor * picture.height), Image.Resampling.NEAREST)


def _saved(pictures: list[Image.Image], form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    pictures[0].save(buffer, form, save_all=True, append_images=pictures[1:], loop=0, **options)
    return buffer.getvalue()
