"""JPEG and PNG files taken apart: the part that holds the picture, and beside it the colour profile and the
EXIF data.

Cameras write much beside a picture: a film behind it, previews, other pictures, notes. Decoders read only
what is kept here, so that nothing of the rest can refuse a picture, or cost time and memory. Imports neither
torch nor Pillow.
"""

import re
import struct
import zlib
from typing import NamedTuple

from gan.data.decode import png_colours

# of one JPEG: a progressive one has about ten, and each goes over all pixels, however few bytes it takes
MAX_SCANS = 64
MAX_SEGMENTS = 5000  # of one JPEG, each of which costs time here
MAX_CHUNKS = 200_000  # of one PNG
MAX_PROFILE = 4 * 2**20  # bytes; the profile of a press has up to 3 MB, that of a display some hundreds
MAX_EXIF = 2**16  # bytes
MAX_COLOURS = 40  # bytes of a PNG's chunk that tells by numbers what its colours mean

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
# FF 00 is a pixel's byte; FF D0 to D7 restart the decoder, and stand alone
_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_APP0, _EXIF, _ICC, _ADOBE, _APP15, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_ANCILLARY = 0x20  # the bit of a PNG chunk's first letter that says that a decoder may pass over it


class Unusable(ValueError):
    """Why a file is left out: `reason` is one of gan.data.own.report.REASONS, `detail` what its sentence
    names (a kind of file, a number), "" where nothing.
    """

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(f"{reason} {detail}".strip())
        self.reason, self.detail = reason, detail


class Parts(NamedTuple):
    """What a decoder is given, and what else of a file counts. `depth` is the number of bits of a channel."""

    picture: bytes
    profile: bytes = b""
    exif: bytes = b""
    depth: int = 8


def take_apart(data: bytes) -> Parts:
    """The parts of a JPEG or PNG; any other file as it is. Raises Unusable for a JPEG of more scans than a
    camera writes, and for absurdly many parts.
    """
    if data.startswith(JPEG):
        return _jpeg(data)
    return _png(data) if data.startswith(PNG) else Parts(data)


def _jpeg(data: bytes) -> Parts:
    """A JPEG up to its first end-of-image marker, where libjpeg stops too.

    The markers are found as libjpeg finds them: whatever stands between a segment and the next marker is
    passed over, also in the pixels' own bytes, so that it cannot meet a scan which was not counted here.
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
    """A PNG without what a decoder may pass over, but for transparency; of an animation the picture that
    programs show which know of none.
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
    """A PNG's profile; none where it is damaged or absurdly large."""
    try:
        decoder = zlib.decompressobj()
        profile = decoder.decompress(packed, MAX_PROFILE)
    except zlib.error:
        return b""
    return profile if decoder.eof else b""
