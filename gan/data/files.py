"""A folder or a zip of pictures as one tensor.

Uploads come from strangers, so the limits are checked before anything is decoded: those of gan.data.archives, and pixels. Only PNG, JPEG and WebP are
opened. Of a picture only its pixels are kept: no EXIF, no place where it was taken.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from gan.data import archives
from gan.data.reading import Reader
from gan.data.report import Report
from gan.errors import UserError
from gan.spec import MAX_CLASSES

if TYPE_CHECKING:
    from gan.data.dataset import Dataset

SIZE = 64  # pixels, where none is asked for
MAX_CLASS_NAME = 60  # characters


class _Member(NamedTuple):
    """One file that may be a picture: where it lies relative to the top, and how to read it."""

    place: PurePosixPath
    read: Callable[[], bytes]


def load(name: str, size: int | None = None, channels: int | None = None, background: str = "white") -> "Dataset":
    """The pictures of a folder or .zip as a `Dataset`: centre crop, `size` pixels (64 by default), RGB unless `channels` is 1.

    EXIF orientation is applied and dropped, what is transparent shows the background, of an animation the first frame is taken. Where every picture
    lies in one of at least two sub-folders, these are the classes. `skipped` counts the files named like pictures that could not be used:
    damaged, too large, or of another kind (GIF, BMP, TIFF, HEIC, AVIF). Raises UserError for something that is neither folder nor zip, an
    archive over the limits or with links or ways out, and fewer than two usable pictures.
    """
    import torch

    from gan.data.dataset import Dataset

    reader = Reader(size or SIZE, channels or 3, background)
    labels, report = read(name, reader)
    classes = tuple(label for label, _ in report.classes)
    return Dataset(name, torch.from_numpy(reader.pictures()), torch.tensor(labels) if labels else None, classes, report=report)


def read(name: str, reader: Reader) -> tuple[list[int] | None, Report]:
    """Give the pictures of a folder or .zip to the reader; returns the class label of each, None where there are none, and what was found.

    Imports no torch, and raises UserError as `load` does.
    """
    path = Path(name)
    if path.is_dir():
        return _collect(name, list(_in_folder(path)), reader)
    with archives.open_zip(path) as archive:
        members = [_Member(PurePosixPath(entry.filename), lambda entry=entry: archives.read_member(archive, entry))
                   for entry in archives.pictures_in(path, archive)]
        return _collect(name, members, reader)


def _in_folder(folder: Path) -> Iterator[_Member]:
    """The pictures under a folder in a fixed order. Links to folders are not followed."""
    entries = 0
    for top, folders, names in os.walk(folder):
        folders.sort()
        entries += len(names)
        if entries > archives.MAX_ENTRIES:
            raise UserError("data.too_many", path=folder, limit=archives.MAX_ENTRIES)
        for file in sorted(names):
            path = Path(top, file)
            place = PurePosixPath(path.relative_to(folder).as_posix())
            if archives.is_picture(place):
                yield _Member(place, lambda path=path: _read_file(path))


def _read_file(path: Path) -> bytes:
    if not path.is_file() or path.stat().st_size > archives.MAX_MEMBER:
        raise ValueError("not a file, or too large")
    return path.read_bytes()


def _collect(name: str, members: list[_Member], reader: Reader) -> tuple[list[int] | None, Report]:
    """Decode the members in turn, labelled by sub-folder."""
    reader.expect(len(members))
    places = [member.place for member in members if reader.take(str(member.place), member.read)]
    if len(places) < 2:
        raise UserError("data.too_few", path=name, usable=len(places), skipped=len(reader.left_out))
    labels, classes = _labels(places)
    return labels, reader.report(tuple((label, labels.count(k)) for k, label in enumerate(classes)))


def _labels(places: list[PurePosixPath]) -> tuple[list[int] | None, tuple[str, ...]]:
    """Class labels from the first folder in which the pictures differ; none if some picture lies in no such folder, or there are more than MAX_CLASSES.

    The names are shown to people, so that they are made plain and short.
    """
    folders = [place.parts[:-1] for place in places]
    shortest = min(map(len, folders))
    shared = next((k for k in range(shortest) if len({folder[k] for folder in folders}) > 1), None)
    if shared is None:
        return None, ()
    names = [_plain(folder[shared]) for folder in folders]
    classes = tuple(sorted(set(names)))
    if not 2 <= len(classes) <= MAX_CLASSES:
        return None, ()
    number = {name: k for k, name in enumerate(classes)}
    return [number[name] for name in names], classes


def _plain(name: str) -> str:
    """A folder's name without what can't be printed, at most MAX_CLASS_NAME characters of it."""
    return "".join(letter for letter in name if letter.isprintable())[:MAX_CLASS_NAME].strip() or "?"
