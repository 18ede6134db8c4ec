"""A folder or a zip of pictures as one tensor.

Uploads come from strangers, so the limits are checked before anything is decoded: those of
gan.data.own.archives, and pixels. Only PNG, JPEG and WebP are opened. Of a picture only its pixels are kept:
no EXIF, no place where it was taken.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gan.data.own import class_folders
from gan.data.own.members import open_members, refuse_few
from gan.data.own.reading import Reader
from gan.data.own.report import LeftOut, Report
from gan.spec import MAX_CLASSES

if TYPE_CHECKING:
    from gan.data.dataset import Dataset

SIZE = 64  # pixels, where none is asked for


def load(
    name: str, size: int | None = None, channels: int | None = None, background: str = "white"
) -> "Dataset":
    """The pictures of a folder or .zip as a `Dataset`: centre crop, `size` pixels (64 by default), RGB unless
    `channels` is 1.

    A picture is what is PNG, JPEG or WebP by its first bytes, whatever its name. EXIF orientation is applied
    and dropped, what is transparent shows the background, of an animation the first frame is taken. Classes
    are sub-folders, as `class_folders.find` tells. The data set's `report` counts them, and names what was
    left out. Raises UserError for something that is neither folder nor zip, an archive over the limits or
    with links or ways out, and fewer than two usable pictures.
    """
    import torch

    from gan.data.dataset import Dataset

    reader = Reader(size or SIZE, channels or 3, background)
    labels, report = read(name, reader)
    classes = tuple(label for label, _ in report.classes)
    return Dataset(
        name,
        torch.from_numpy(reader.pictures()),
        torch.tensor(labels) if labels else None,
        classes,
        report=report,
        files=reader.files(),
    )


def read(name: str, reader: Reader) -> tuple[list[int] | None, Report]:
    """Give the pictures of a folder or .zip to the reader; returns the class label of each, None where there
    are none, and what was found.

    Imports no torch, and raises UserError as `load` does.
    """
    with open_members(Path(name)) as members:
        reader.left_out += members.left_out
        reader.expect(len(members.pictures))
        places = [member.place for member in members.pictures if reader.take(str(member.place), member.read)]
    refuse_few(name, len(places), reader.left_out)
    labels, classes, doubtful, too_many = class_folders.find(places, MAX_CLASSES)
    if None in labels:
        reader.left_out += [
            LeftOut(str(place), "no_class")
            for place, label in zip(places, labels, strict=True)
            if label is None
        ]
        reader.keep_only([k for k, label in enumerate(labels) if label is not None])
    often = Counter(label for label in labels if label is not None)
    report = reader.report(tuple((name, often[k]) for k, name in enumerate(classes)))
    told = replace(
        report, names_read_as=members.names_read_as, classes_doubtful=doubtful, too_many_classes=too_many
    )
    return [label for label in labels if label is not None] or None, told
