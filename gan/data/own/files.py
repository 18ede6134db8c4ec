"""Load a folder or zip of images as one tensor.

Uploads are untrusted, so limits are checked before decoding: those of gan.data.own.archives, and the number
of pixels. Only PNG, JPEG and WebP are opened. Only pixels are kept, so neither EXIF nor GPS data remain.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gan.data.own import class_folders
from gan.data.own.members import open_members, refuse_few
from gan.data.own.reading import Reader
from gan.data.own.report import LeftOut, Report
from gan.data.own.source import Source, classes_of, read_source
from gan.spec import MAX_CLASSES

if TYPE_CHECKING:
    from gan.data.dataset import Dataset

SIZE = 64  # default, in pixels


def load(
    name: str, size: int | None = None, channels: int | None = None, background: str = "white"
) -> "Dataset":
    """Load the images of a folder or .zip as a `Dataset`.

    Each image is cropped to its central square of `size` pixels, 64 by default. It is RGB unless `channels`
    is 1. The first bytes of a file, not its name, decide whether it is PNG, JPEG or WebP. EXIF orientation is
    applied and dropped, transparent parts show the background, and animations give their first frame.

    `class_folders.find` derives classes from the sub-folders, except that a zip from the Hub brings the names
    of its classes. The data set's `report` counts them and names the files left out. Raises UserError if the
    path is neither folder nor zip, or has fewer than two usable images. Raises UserError for a zip over the
    limits, with links, or with paths that leave it.
    """
    import torch

    from gan.data.dataset import Dataset

    reader = Reader(size or SIZE, channels or 3, background)
    source = read_source(name)
    labels, report = read(name, reader, source)
    classes = tuple(label for label, _ in report.classes)
    return Dataset(
        name,
        torch.from_numpy(reader.pictures()),
        torch.tensor(labels) if labels else None,
        classes,
        report=report,
        files=reader.files(),
        source=source,
    )


def read(name: str, reader: Reader, source: Source | None = None) -> tuple[list[int] | None, Report]:
    """Pass the images of a folder or .zip to the reader; return their class labels and a report.

    source: the description of a zip from the Hub. The labels are None if there are no classes. Imports no
    torch, and raises UserError as `load` does.
    """
    if source is not None:
        reader.left_out += source.left_out
    with open_members(Path(name)) as members:
        reader.left_out += members.left_out
        reader.expect(len(members.pictures))
        places = [member.place for member in members.pictures if reader.take(str(member.place), member.read)]
    refuse_few(name, len(places), reader.left_out)
    given = source.classes if source else ()
    labels, classes, doubtful, too_many, loose = (
        classes_of(places, given, MAX_CLASSES) if given else class_folders.find(places, MAX_CLASSES)
    )
    if None in labels:
        reader.left_out += [
            LeftOut(str(place), "no_class")
            for place, label in zip(places, labels, strict=True)
            if label is None
        ]
        reader.keep_only([k for k, label in enumerate(labels) if label is not None])
    often = Counter(label for label in labels if label is not None)
    report = reader.report(tuple((name, often[k]) for k, name in enumerate(classes)))
    report = replace(
        report,
        names_read_as=members.names_read_as,
        classes_doubtful=doubtful,
        too_many_classes=too_many,
        loose=loose,
    )
    return [label for label in labels if label is not None] or None, report
