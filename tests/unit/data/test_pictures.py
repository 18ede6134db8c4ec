"""Test single image files: extra data of phones and cameras, and files made to cost time."""

import contextlib
import io
import random
import re
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin

from gan.data.decode import pictures
from gan.data.decode.containers import MAX_CHUNKS, MAX_SCANS, MAX_SEGMENTS, take_apart
from gan.data.decode.pictures import Unusable, decode
from tests.support.inputs.image_files import chunk, film, photo, saved
from tests.unit.data.test_files import huge_png


def segment(marker: int, content: bytes, length: int | None = None) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2 if length is None else length) + content


def alike(first: bytes, second: bytes) -> bool:
    return (decode(first, 32, 3).pixels == decode(second, 32, 3).pixels).all()


JPEGS = {
    "baseline": {}, "progressive": {"progressive": True}, "restarts": {"restart_marker_blocks": 2},
    "grey": {}, "cmyk": {},
}  # fmt: skip


def jpeg(name: str) -> bytes:
    picture = photo().convert({"grey": "L", "cmyk": "CMYK"}.get(name, "RGB"))
    return saved(picture, quality=90, **JPEGS[name])


@pytest.mark.parametrize("name", JPEGS)
def test_a_motion_photo_is_the_picture_in_front_of_the_film(name):
    sound = jpeg(name)
    moving = sound + film(6 << 20)
    assert moving.count(b"\xff\xda") > MAX_SCANS
    assert alike(moving, sound)
    assert alike(sound + b"\0\2" + b"\xff\xda\0\2" * 400, sound)


def test_starts_of_scans_in_segments_and_previews_are_none():
    """EXIF holds a small JPEG as a preview. XMP, makers' notes and profiles hold any bytes."""
    sound = saved(photo(), exif=b"")
    preview = segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0" + saved(photo(16), progressive=True) * 12)
    note = segment(0xED, b"\xff\xda\0\x08" * 4000) + segment(0xFE, b"\xff\xd9\xff\xda" * 900)
    busy = sound[:2] + preview + note + sound[2:]
    assert busy.count(b"\xff\xda") > MAX_SCANS
    assert alike(busy, sound)


def test_a_picture_of_several_pictures_is_its_first():
    """Phones and stereo cameras write MPO, also with a broken index.

    HDR photos have a gain map behind the image.
    """
    sound, other = saved(photo(), quality=95), Image.new("RGB", (96, 96), "red")
    several = saved(photo(), "MPO", save_all=True, append_images=[other], quality=95)
    assert Image.open(io.BytesIO(several)).format == "MPO"
    assert alike(several, sound)
    index = several.index(b"MPF\0")
    assert alike(several[: index + 4] + b"MM\0*\0\0\0\x08" + b"\xff" * 40 + several[index + 52 :], sound)
    assert alike(sound + saved(other), sound)
    scans = scan_of(saved(photo(), progressive=True))
    with pytest.raises(Unusable, match="scans"):
        decode(several[:-2].replace(b"\xff\xd9", scans * MAX_SCANS + b"\xff\xd9", 1), 32, 3)


def scan_of(progressive: bytes) -> bytes:
    """Return the last scan of a progressive JPEG, with its header."""
    return progressive[progressive.rindex(b"\xff\xda") : -2]


def hidden(how: str) -> bytes:
    """Return a progressive JPEG with more than the allowed scans.

    libjpeg decodes all of them, but a careless counter finds few.
    """
    sound = saved(photo(), progressive=True, quality=90)
    more = scan_of(sound) * MAX_SCANS
    start = sound.index(b"\xff\xda")
    behind = {
        "fill bytes": lambda: sound[:-2] + more.replace(b"\xff\xda", b"\xff" * 9 + b"\xda") + sound[-2:],
        "rubbish between": lambda: sound[:-2] + more.replace(b"\xff\xda", b"abc\xff\0\xff\xda") + sound[-2:],
        "an end in a segment": lambda: (
            sound[:start] + segment(0xFE, b"\xff\xd9" * 50) + sound[start:-2] + more + sound[-2:]
        ),
        "an end in a segment between scans": lambda: (
            sound[:-2] + (segment(0xEF, b"\xff\xd9") + scan_of(sound)) * MAX_SCANS + sound[-2:]
        ),
        "a segment of no length": lambda: sound[:-2] + segment(0xFE, b"", 0) + more + sound[-2:],
        "a number of lines": lambda: sound[:-2] + segment(0xDC, b"\0\x60") + more + sound[-2:],
        "restarts": lambda: sound[:-2] + more.replace(b"\xff\xda", b"\xff\xd3\xff\xd3\xff\xda") + sound[-2:],
        "no end": lambda: sound[:-2] + more,
    }
    return behind[how]()


@pytest.mark.parametrize(
    "how",
    [
        "fill bytes",
        "rubbish between",
        "an end in a segment",
        "an end in a segment between scans",
        "a segment of no length",
        "a number of lines",
        "restarts",
        "no end",
    ],
)
def test_scans_are_counted_however_they_are_hidden(how):
    crafted = hidden(how)
    if how != "no end":
        JpegImagePlugin.JpegImageFile(io.BytesIO(crafted)).load()  # proof that nothing else is wrong with it
    with pytest.raises(Unusable, match="scans"):
        decode(crafted, 32, 3)


def scans_decoded(data: bytes) -> int:
    """Return the number of scans that libjpeg decodes.

    Without the last of them the image would look different.
    """
    seen = [place.start() for place in re.finditer(rb"\xff\xda", data)]
    whole = np.asarray(JpegImagePlugin.JpegImageFile(io.BytesIO(data)))
    return (
        sum(
            not (
                np.asarray(JpegImagePlugin.JpegImageFile(io.BytesIO(data[:cut] + b"\xff\xd9"))) == whole
            ).all()
            for cut in seen[1:]
        )
        + 1
    )


def test_what_is_kept_ends_where_the_decoder_ends():
    """The parser cuts off a second image behind the first before any decoder reads it.

    The second image may also begin with a bare scan.
    """
    sound = saved(photo(), progressive=True)
    assert scans_decoded(sound) == sound.count(b"\xff\xda")
    for behind in (sound, scan_of(sound) * MAX_SCANS + b"\xff\xd9", b"\0" * 9 + sound, b"\xff" * 40):
        assert take_apart(sound + behind).picture.endswith(sound[sound.index(b"\xff\xda") :])
    # libjpeg stops there
    assert take_apart(sound[:-2] + b"\xff\xd8" + scan_of(sound) + sound[-2:]).picture.count(b"\xff\xd8") == 2


@pytest.mark.parametrize(
    "crafted",
    [
        b"\xff\xd8\xff" + b"\xff" * (8 << 20),
        b"\xff\xd8\xff" + b"\xff\0" * (4 << 20),
        b"\xff\xd8" + segment(0xFE, b"") * 400_000,
        b"\xff\xd8\xff" + bytes(8 << 20),
    ],
)
def test_a_jpeg_that_holds_no_picture_is_given_up_soon(crafted):
    begin = time.process_time()
    with pytest.raises(Unusable):
        decode(crafted, 32, 3)
    assert time.process_time() - begin < 1


def test_segments_beyond_reason():
    sound = saved(photo())
    assert alike(sound[:2] + segment(0xE3, b"a") * (MAX_SEGMENTS - 100) + sound[2:], sound)
    with pytest.raises(Unusable):
        decode(sound[:2] + segment(0xE3, b"a") * MAX_SEGMENTS + sound[2:], 32, 3)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_bytes_behind_a_picture_are_passed_over(kind):
    sound = saved(photo(), kind)
    assert alike(sound + film(1 << 16), sound)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animation_is_its_first_picture(kind):
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("blue", "red", "lime")]
    moving = saved(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    assert Image.open(io.BytesIO(moving)).n_frames == 3
    assert decode(moving, 8, 3).pixels.reshape(3, -1).T.tolist() == [[0, 0, 255]] * 64


def noted_png(*chunks: bytes) -> bytes:
    sound = saved(photo(), "PNG")
    return sound[:33] + b"".join(chunks) + sound[33:]


@pytest.mark.parametrize("extra", [
    chunk(b"zTXt", b"workflow\0\0" + zlib.compress(bytes(3 << 20))),  # longer than Pillow unpacks
    chunk(b"iTXt", b"note\0\1\0\0\0" + zlib.compress(b"a" * (3 << 20))),
    chunk(b"tEXt", b"note\0" + bytes(1000))[:-4] + b"abcd",  # a wrong checksum
    chunk(b"iCCP", b"p"), chunk(b"iCCP", b"p\0\7abc"), chunk(b"iCCP", b"p\0\0abc"), chunk(b"iCCP",
        b"p\0\0" + zlib.compress(bytes(9 << 20))),
    chunk(b"eXIf", b"MM\0*\xff\xff\xff\xff"), chunk(b"eXIf", b"?"), chunk(b"gAMA", b""), chunk(b"pHYs", b"1"),
        chunk(b"acTL", b"\0"), chunk(b"fcTL", b"\0"),
])  # fmt: skip
def test_notes_in_a_png_never_refuse_it(extra):
    assert alike(noted_png(extra), noted_png())


@pytest.mark.parametrize("extra", [
    segment(0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xff"), segment(0xE1, b"Exif\0\0"), segment(0xE1, b"Exif"),
        segment(0xE2, b"ICC_PROFILE\0"),
    segment(0xE2, b"ICC_PROFILE\0\1"),    segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed"), segment(0xE2,
        b"MPF\0"),
    segment(0xE0, b"JFXX\0\x10"), segment(0xEE, b"Ado"),
])  # fmt: skip
def test_notes_in_a_jpeg_never_refuse_it(extra):
    sound = saved(photo())
    assert alike(sound[:20] + extra + sound[20:], sound)


def test_chunks_beyond_reason():
    begin = time.process_time()
    assert alike(noted_png(chunk(b"noNe", b"") * (MAX_CHUNKS - 100)), noted_png())
    with pytest.raises(Unusable):
        decode(noted_png(chunk(b"noNe", b"") * MAX_CHUNKS), 32, 3)
    assert time.process_time() - begin < 3


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("size", [(40, 40), (60, 41), (41, 60)])
def test_a_picture_stands_upright_however_the_camera_was_held(kind, turn, size):
    exif = Image.Exif()
    exif[0x0112] = turn
    stored = Image.merge(
        "RGB", [Image.linear_gradient("L"), Image.linear_gradient("L").rotate(90), Image.radial_gradient("L")]
    ).resize(size)
    found = decode(
        saved(
            stored,
            kind,
            exif=exif,
            **({"quality": 100, "subsampling": 0} if kind == "JPEG" else {"lossless": True}),
        ),
        16,
        3,
    ).pixels
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(saved(stored, "PNG", exif=exif)))).convert("RGB")
    expected = decode(saved(upright, "PNG"), 16, 3).pixels
    assert np.abs(found.astype(int) - expected).max() <= (5 if kind == "JPEG" else 2)


@pytest.mark.parametrize("size", [(301, 200), (200, 301), (1, 500), (500, 1), (7, 7)])
def test_the_centre_of_odd_sizes(size):
    """A symmetric image stays symmetric, also at the half pixel in the middle."""
    wide = (
        np.abs(np.arange(size[0]) - (size[0] - 1) / 2)[None]
        + np.abs(np.arange(size[1]) - (size[1] - 1) / 2)[:, None]
    )
    found = decode(saved(Image.fromarray((wide * 255 / wide.max()).astype(np.uint8)), "PNG"), 12, 1)
    assert found.side == min(size)
    assert np.abs(found.pixels.astype(int) - found.pixels[:, :, ::-1]).max() <= 1
    assert np.abs(found.pixels.astype(int) - found.pixels[:, ::-1]).max() <= 1


def test_a_picture_too_large_says_how_large():
    with pytest.raises(Unusable) as caught:
        decode(huge_png(12_000, 9000), 32, 3)
    assert (caught.value.reason, caught.value.detail) == ("pixels", "108")
    with pytest.raises(Unusable, match="pixels"):
        decode(huge_png(60_000, 60_000), 32, 3)


@pytest.mark.parametrize(
    "wrong", [KeyError("tile"), AssertionError(), IndexError(), AttributeError("fp"), TypeError()]
)
def test_whatever_a_decoder_stumbles_over_leaves_out_the_picture(monkeypatch, wrong):
    def stumble(*_):
        raise wrong

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load_prepare", stumble)
    with pytest.raises(Unusable, match="damaged"):
        decode(saved(photo(), "PNG"), 32, 3)


def test_an_interlaced_png_is_as_any_other():
    """Write an Adam7 image by hand, because Pillow writes none: 8x8 grey pixels in seven passes."""
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    passes = [
        pixels[0::8, 0::8],
        pixels[0::8, 4::8],
        pixels[4::8, 0::4],
        pixels[0::4, 2::4],
        pixels[2::4, 0::2],
        pixels[0::2, 1::2],
        pixels[1::2, :],
    ]
    rows = b"".join(b"\0" + row.tobytes() for part in passes for row in part)
    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 1)
    whole = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    assert (decode(whole, 8, 1).pixels[0] == pixels).all()


def test_random_damage_costs_a_picture_and_nothing_else():
    rng = random.Random(1)
    originals = [jpeg(name) for name in JPEGS] + [noted_png(), saved(photo(), "WEBP")]
    for _ in range(600):
        content = bytearray(rng.choice(originals))
        for _ in range(rng.randint(1, 4)):
            content[rng.randrange(2, len(content))] = rng.choice(
                (0, 0xFF, 0xDA, 0xD9, 0xD8, rng.randrange(256))
            )
        with contextlib.suppress(pictures.UNREADABLE):
            assert decode(bytes(content), 8, 3).pixels.shape == (3, 8, 8)


def test_a_refused_picture_is_told_by_us_alone():
    """Of 108 megapixels Pillow warns too. pytest would take that warning, so this is a process of its own."""
    program = """
import sys
from gan.data.decode.pictures import Unusable, decode
try:
    decode(sys.stdin.buffer.read(), 28, 1)
except Unusable as refusal:
    print(refusal)
"""
    told = subprocess.run(
        [sys.executable, "-c", program], input=huge_png(12_000, 9_000), capture_output=True, check=True
    )
    assert (told.stdout.strip(), told.stderr) == (b"pixels 108", b"")
