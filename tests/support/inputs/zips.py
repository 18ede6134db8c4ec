"""Write zips as programs other than Python do: names in any code page, any compression, any flag."""

import io
import zipfile
from pathlib import Path

from PIL import Image

# Offsets in a member's local header; in the central directory they are larger by 2.
FLAG_BITS, PACKING = 6, 8


def picture(colour="red", size=(40, 30), kind="PNG", **options) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **options)
    return out.getvalue()


class _Raw(zipfile.ZipInfo):
    """A member whose name is stored as these bytes, without the flag for UTF-8."""

    raw = b""

    def _encodeFilenameFlags(self):
        return self.raw, self.flag_bits & ~0x800


def make_zip(path: Path, members, codec: str = "utf-8", system: int = 3, extra=None) -> str:
    """Write a zip of {name: content} or of (name, content) pairs. Returns its path.

    Names are encoded in `codec`, without the UTF-8 flag. `extra` returns a name's extra field.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items() if isinstance(members, dict) else members:
            raw = name if isinstance(name, bytes) else name.encode(codec)
            info = _Raw(raw.decode("cp437"))
            info.raw = raw
            info.create_system, info.compress_type = system, zipfile.ZIP_DEFLATED
            info.extra = extra(info.raw, name) if extra else b""
            archive.writestr(info, content)
    return str(path)


def make_folder(path: Path, members: dict[str, bytes]) -> str:
    for name, content in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return str(path)


def mark(path: str, flags: int = 0, packing: int | None = None, only: bytes = b"") -> str:
    """Set flags, or another compression method, in both headers of the members whose names contain `only`.

    Returns the zip's path.
    """
    whole = bytearray(Path(path).read_bytes())
    for signature, shift, lengths, name in ((b"PK\x03\x04", 0, 26, 30), (b"PK\x01\x02", 2, 28, 46)):
        at = whole.find(signature)
        while at >= 0:
            length = int.from_bytes(whole[at + lengths : at + lengths + 2], "little")
            if only in whole[at + name : at + name + length]:
                whole[at + shift + FLAG_BITS] |= flags
                if packing is not None:
                    whole[at + shift + PACKING] = packing
            at = whole.find(signature, at + 4)
    Path(path).write_bytes(whole)
    return path
