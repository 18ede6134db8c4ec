"""A folder or a zip of pictures as one tensor.

Uploads come from strangers, so the limits are checked before anything is decoded: those of gan.data.archives, and pixels. Only PNG, JPEG and WebP are
opened. Of a picture only its pixels are kept: no EXIF, no place where it was taken.
"""

from pathlib import Path, PurePosixPath

import torch

from gan.data import class_folders
from gan.data.dataset import Dataset, check_memory
from gan.data.members import Members, open_members, refuse_few
from gan.data.pictures import UNREADABLE, Unusable, decode
from gan.data.report import LeftOut, Report, shown
from gan.memory import refuse_if_full
from gan.spec import MAX_CLASSES

SIZE = 64  # pixels, where none is asked for


def load(name: str, size: int | None = None, channels: int | None = None) -> Dataset:
    """The pictures of a folder or .zip as a `Dataset`: centre crop, `size` pixels (64 by default), RGB unless `channels` is 1.

    A picture is what is PNG, JPEG or WebP by its first bytes, whatever its name. EXIF orientation is applied and dropped, transparency becomes white, of an
    animation the first frame is taken. Classes are sub-folders, as `class_folders.find` says. `report` counts them and names what was left out, why. Raises
    UserError for something that is neither folder nor zip, an archive over the limits or with links or ways out, and fewer than two usable pictures.
    """
    with open_members(Path(name)) as members:
        return _collect(name, members, size or SIZE, channels or 3)


def _collect(name: str, members: Members, size: int, channels: int) -> Dataset:
    """Decode the members in turn into one tensor, labelled by sub-folder."""
    check_memory(len(members.pictures), channels, size)
    images = torch.empty(len(members.pictures), channels, size, size, dtype=torch.uint8)
    places, left_out = [], list(members.left_out)
    for member in members.pictures:
        try:
            picture = decode(member.read(), size, channels)
        except UNREADABLE as error:
            refuse_if_full(error)  # else a run would quietly learn from fewer pictures than it was given
            left_out.append(LeftOut(shown(str(member.place)), *((error.reason, error.detail) if isinstance(error, Unusable) else ("damaged", ""))))
            continue
        images[len(places)] = torch.from_numpy(picture)
        places.append(member.place)
    refuse_few(name, len(places), left_out)
    return _labelled(name, images[:len(places)], places, left_out, members.names_read_as)


def _labelled(name: str, images: torch.Tensor, places: list[PurePosixPath], left_out: list[LeftOut], names_read_as: str) -> Dataset:
    """The data set of pictures at these places: without those that lie in no class folder where the others do."""
    labels, classes = class_folders.find(places, MAX_CLASSES)
    outside = [k for k, label in enumerate(labels) if label is None]
    if outside:
        left_out += [LeftOut(shown(str(places[k])), "no_class") for k in outside]
        inside = torch.tensor([k for k, label in enumerate(labels) if label is not None])
        images = images[inside]
    numbered = torch.tensor([label for label in labels if label is not None]) if classes else None
    numbers = [] if numbered is None else torch.bincount(numbered, minlength=len(classes)).tolist()
    report = Report(len(images), tuple(zip(classes, numbers, strict=True)), tuple(left_out), names_read_as=names_read_as)
    return Dataset(name, images, numbered, classes, report=report)
