"""Zips as other programs than Python write them: names in bytes of any code page, any packing, any flag."""

import io
import zipfile
from pathlib import Path

from PIL import Image

FLAG_BITS, PACKING = 6, 8  # where in the header before a member's bytes; 2 more in the list of members


def picture(colour="red", size=(40, 30), kind="PNG", **options) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **options)
    return out.getvalue()


class _Raw(zipfile.ZipInfo):
    """A member whose name is written in these bytes, with no flag that says in which code page they are."""

    raw = b""

    def _encodeFilenameFlags(self):
        return self.raw, self.flag_bits & ~0x800


def make_zip(path: Path, members, codec: str = "utf-8", system: int = 3, extra=None) -> str:
    """A zip of {name: content}, or of (name, content), with names in `codec` and no UTF-8 flag; returns its
    path. `extra` gives a name's extra field.
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
    """Set flags, or another packing, in both headers of all members of a zip whose names hold `only`; returns
    its path.
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
