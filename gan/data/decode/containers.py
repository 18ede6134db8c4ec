"""Split JPEG and PNG files into the image itself, its colour profile and its EXIF data.

Cameras add much more to a file: films, previews, other images, notes. Decoders get only the parts that this
module keeps. So nothing else can break an image or cost time and memory. Imports neither torch nor Pillow.
"""

import re
import struct
import zlib
from typing import NamedTuple

from gan.data.decode import png_colours

# Of one JPEG. A progressive one has about ten scans; each costs a pass over all pixels, however few its
# bytes.
MAX_SCANS = 64
MAX_SEGMENTS = 5000  # of one JPEG; each costs time to parse
MAX_CHUNKS = 200_000  # of one PNG
MAX_PROFILE = 4 * 2**20  # bytes; a printing press has up to 3 MB, a display some hundred bytes
MAX_EXIF = 2**16  # bytes
MAX_COLOURS = 40  # bytes of a PNG chunk that describes the colours by numbers

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
# FF 00 stands for a data byte. FF D0 to D7 are restart markers without content.
_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_APP0, _EXIF, _ICC, _ADOBE, _APP15, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_ANCILLARY = 0x20  # bit in the first letter of a PNG chunk that decoders may skip


class Unusable(ValueError):
    """Why an image file is left out.

    `reason` is one of gan.data.own.report.REASONS. `detail` fills its sentence with a file format or a
    number, and is "" where the sentence needs none.
    """

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(f"{reason} {detail}".strip())
        self.reason, self.detail = reason, detail


class Parts(NamedTuple):
    """The bytes that a decoder gets, the profile, the EXIF data, and the bits per channel (`depth`)."""

    picture: bytes
    profile: bytes = b""
    exif: bytes = b""
    depth: int = 8


def take_apart(data: bytes) -> Parts:
    """Split a JPEG or PNG into its parts; return other files unchanged.

    Raises Unusable for a JPEG with more scans than a camera writes, and for files with too many segments.
    """
    if data.startswith(JPEG):
        return _jpeg(data)
    return _png(data) if data.startswith(PNG) else Parts(data)


def _jpeg(data: bytes) -> Parts:
    """Split a JPEG, up to its first end-of-image marker, where libjpeg stops too.

    The parser finds markers exactly as libjpeg does. It skips any bytes between a segment and the next
    marker, and searches the pixel data too. So libjpeg cannot meet a scan that was not counted here.
    """
    kept, profile, exif = [data[:2]], {}, b""
    first_scan = scans = segments = 0
    place = 2
    while found := _MARKER.search(data, place):
        at, marker, segments = found.start(), data[found.end() - 1], segments + 1
        place = found.end()
        if marker == _EOI:
            data = data[:place]
            break
        if marker != _SOI:
            place += max(2, int.from_bytes(data[place : place + 2], "big"))
        scans += marker == _SOS
        if scans > MAX_SCANS or segments > MAX_SEGMENTS:
            raise Unusable("scans")
        if scans:
            first_scan = first_scan or at
            continue
        content = data[found.end() + 2 : place]
        if marker == _EXIF and content.startswith(b"Exif\0"):
            exif = exif or content[:MAX_EXIF]
        elif marker == _ICC and content.startswith(b"ICC_PROFILE\0"):
            profile[content[12:13]] = content[14:]
        if marker in (_APP0, _ADOBE) or not (_APP0 < marker <= _APP15 or marker == _COMMENT):
            kept.append(data[at:place])
    if not scans:
        raise Unusable("damaged")
    kept.append(data[first_scan:])
    return Parts(b"".join(kept), b"".join(profile[number] for number in sorted(profile)), exif)


def _png(data: bytes) -> Parts:
    """Split a PNG and drop all chunks that decoders may skip, except transparency.

    Of an animation, the still image remains that programs without animation show.
    """
    kept, profile, exif, place = [PNG], b"", b"", len(PNG)
    colours: dict[bytes, bytes] = {}
    for _ in range(MAX_CHUNKS):
        if place + 8 > len(data):
            break
        length, kind = struct.unpack_from(">I4s", data, place)
        start, place = place, place + 12 + length
        if kind == b"iCCP" and not profile:
            profile = _unpacked(data[start + 8 : place - 4].partition(b"\0")[2][1:])
        elif kind in png_colours.CHUNKS:
            colours.setdefault(kind, data[start + 8 : min(place - 4, start + 8 + MAX_COLOURS)])
        elif kind == b"eXIf":
            exif = data[start + 8 : min(place - 4, start + 8 + MAX_EXIF)]
        elif kind == b"tRNS" or not kind[0] & _ANCILLARY:
            kept.append(data[start:place])
        if kind == b"IEND":
            break
    else:
        raise Unusable("damaged")
    return Parts(
        b"".join(kept), png_colours.profile_of(colours, profile), exif, data[24] if len(data) > 24 else 8
    )


def _unpacked(packed: bytes) -> bytes:
    """Decompress a PNG's profile. Returns b"" if it is damaged or larger than MAX_PROFILE."""
    try:
        decoder = zlib.decompressobj()
        profile = decoder.decompress(packed, MAX_PROFILE)
    except zlib.error:
        return b""
    return profile if decoder.eof else b""
