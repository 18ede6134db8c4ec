"""A folder or a zip of pictures as one tensor.

Uploads come from strangers, so the limits are checked before anything is decoded: entries, bytes, compression ratio, pixels. Only PNG,
JPEG and WebP are opened. Members of a zip are read in memory one at a time and never written to disk; their names only give labels.
"""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps

from gan.data.dataset import Dataset, check_memory
from gan.errors import UserError

SIZE = 64  # pixels, where none is asked for
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
MAX_ENTRIES = 50_000
MAX_TOTAL = 2 * 2**30  # bytes of all pictures of a zip, unpacked
MAX_MEMBER = 50 * 2**20  # bytes of one file
MAX_PIXELS = 64 * 2**20  # of one picture
MAX_RATIO = 200  # unpacked to packed, for members of more than RATIO_FROM bytes
RATIO_FROM = 2**20
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # zipfile unpacks any other kind whole, whatever the member declares

_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, OverflowError, RuntimeError, NotImplementedError, struct.error, zlib.error,
               zipfile.BadZipFile, Image.DecompressionBombError)


class _Member(NamedTuple):
    """One file that may be a picture: where it lies relative to the top, and how to read it."""

    place: PurePosixPath
    read: Callable[[], bytes]


def load(name: str, size: int | None = None, channels: int | None = None) -> Dataset:
    """The pictures of a folder or .zip as a `Dataset`: centre crop, `size` pixels (64 by default), RGB unless `channels` is 1.

    EXIF orientation is applied and dropped, transparency becomes white, of an animation the first frame is taken. Where every picture
    lies in one of at least two sub-folders, these are the classes. Unreadable pictures are counted in `skipped`. Raises UserError for
    something that is neither folder nor zip, an archive over the limits, and fewer than two usable pictures.
    """
    path, size, channels = Path(name), size or SIZE, channels or 3
    if path.is_dir():
        return _collect(name, list(_in_folder(path)), size, channels)
    try:
        with zipfile.ZipFile(path) as archive:
            return _collect(name, _in_zip(path, archive), size, channels)
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise UserError("data.not_pictures", path=path) from error


def _is_picture(place: PurePosixPath) -> bool:
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in place.parts if part != "..")
    return place.suffix.lower() in SUFFIXES and not hidden


def _in_folder(folder: Path) -> Iterator[_Member]:
    """The pictures under a folder in a fixed order. Links to folders are not followed."""
    entries = 0
    for top, folders, names in os.walk(folder):
        folders.sort()
        entries += len(names)
        if entries > MAX_ENTRIES:
            raise UserError("data.too_many", path=folder, limit=MAX_ENTRIES)
        for file in sorted(names):
            path = Path(top, file)
            place = PurePosixPath(path.relative_to(folder).as_posix())
            if _is_picture(place):
                yield _Member(place, lambda path=path: _read_file(path))


def _read_file(path: Path) -> bytes:
    if not path.is_file() or path.stat().st_size > MAX_MEMBER:
        raise ValueError("not a file, or too large")
    return path.read_bytes()


def _in_zip(path: Path, archive: zipfile.ZipFile) -> list[_Member]:
    """The pictures of an archive by their declared sizes, to which `_read_member` holds them."""
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise UserError("data.too_many", path=path, limit=MAX_ENTRIES)
    pictures = [entry for entry in entries if _is_picture(PurePosixPath(entry.filename)) and not entry.is_dir()]
    if sum(entry.file_size for entry in pictures) > MAX_TOTAL:
        raise UserError("data.too_large", path=path, gigabytes=MAX_TOTAL / 2**30)
    for entry in pictures:
        if entry.file_size > RATIO_FROM and entry.file_size > MAX_RATIO * entry.compress_size:
            raise UserError("data.zip_bomb", path=path, member=entry.filename)
    return [_Member(PurePosixPath(entry.filename), lambda entry=entry: _read_member(archive, entry)) for entry in pictures]


def _read_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    place = PurePosixPath(entry.filename)
    if entry.file_size > MAX_MEMBER or place.is_absolute() or ".." in place.parts:
        raise ValueError("too large, or a name that points outside the archive")
    if entry.compress_type not in PACKINGS:
        raise ValueError("neither stored nor deflated")
    with archive.open(entry) as member:  # archive.read would unpack everything first and cut it to the declared size afterwards
        return member.read(entry.file_size)


def _collect(name: str, members: list[_Member], size: int, channels: int) -> Dataset:
    """Decode the members in turn into one tensor, labelled by sub-folder."""
    check_memory(len(members), channels, size)
    images = torch.empty(len(members), channels, size, size, dtype=torch.uint8)
    places = []
    for member in members:
        try:
            picture = _decode(member.read(), size, channels)
        except _UNREADABLE:
            continue
        images[len(places)] = torch.from_numpy(picture)
        places.append(member.place)
    skipped = len(members) - len(places)
    if len(places) < 2:
        raise UserError("data.too_few", path=name, usable=len(places), skipped=skipped)
    labels, classes = _labels(places)
    return Dataset(name, images[:len(places)], labels, classes, skipped=skipped)


def _labels(places: list[PurePosixPath]) -> tuple[torch.Tensor | None, tuple[str, ...]]:
    """Class labels from the first folder in which the pictures differ, or none if some picture lies in no such folder."""
    folders = [place.parts[:-1] for place in places]
    shortest = min(map(len, folders))
    shared = next((k for k in range(shortest) if len({folder[k] for folder in folders}) > 1), None)
    if shared is None:
        return None, ()
    names = [folder[shared] for folder in folders]
    classes = tuple(sorted(set(names)))
    number = {name: k for k, name in enumerate(classes)}
    return torch.tensor([number[name] for name in names]), classes


def _decode(data: bytes, size: int, channels: int) -> np.ndarray:
    """One picture as uint8 (channels, size, size). Raises one of _UNREADABLE."""
    with Image.open(io.BytesIO(data), formats=["PNG", "JPEG", "WEBP"]) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            raise ValueError("too many pixels")
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
