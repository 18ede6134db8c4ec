"""Record which images a run learns from, and compare the images when it resumes.

The record is in the run's data.json; each checkpoint's counters hold its short form. Two sets are the same
when their pixels, labels and class names agree. Neither the folder nor the order matters. A resumed run gets
its images in the recorded order, because training draws them by index.
"""

import base64
import binascii
import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gan.data import is_named
from gan.data.dataset import select
from gan.data.own.source import Source
from gan.errors import Unharmed
from gan.files import read_object
from gan.kinds import RECORD

if TYPE_CHECKING:
    from gan.data import Dataset

MARK = 8  # bytes of the hash that identifies one image within its set
NAMED = 3  # class names that an error message lists
_NOT_SHORT = ("marks", "file_marks", "source")  # what a checkpoint does not keep
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Identity:
    """The record of a run's images. `pixels`, `content` and `files` are SHA-256 in hexadecimal digits.

    `marks` and `file_marks` hold a MARK-byte hash per image: of its pixels and class, and of its file and
    class. Only the full record of a user's own images has them.
    """

    name: str  # of a built-in data set; "" for a user's own images
    count: int
    # (class name, number of images) in label order; empty for an unconditional run
    classes: tuple[tuple[str, int], ...]
    pixels: str  # of shape, classes, labels and pixels, in training order
    content: str  # of the sorted marks: independent of the order
    files: str  # of the files' bytes and classes, in image order; "" for a built-in set
    marks: bytes = b""
    file_marks: bytes = b""
    source: Source | None = None  # of images from the Hub, without classes

    def short(self) -> dict[str, Any]:
        """Return the record without marks, as a checkpoint keeps it."""
        value = {name: part for name, part in vars(self).items() if name not in _NOT_SHORT}
        return {**value, "classes": [list(pair) for pair in self.classes]}

    def to_json(self) -> dict[str, Any]:
        """Return the full record, as data.json keeps it."""
        return {
            **self.short(),
            "marks": base64.b64encode(self.marks).decode(),
            "file_marks": base64.b64encode(self.file_marks).decode(),
            **({"source": self.source.facts()} if self.source else {}),
        }

    @classmethod
    def from_json(cls, value: Any) -> "Identity":
        """Parse the output of `to_json` or `short`. Raises ValueError for anything else."""
        try:
            marks, file_marks = (
                base64.b64decode(value.get(name, ""), validate=True) for name in ("marks", "file_marks")
            )
            classes = tuple((name, number) for name, number in value["classes"])
            source = Source.from_json(value["source"]) if "source" in value else None
            found = cls(
                value["name"],
                value["count"],
                classes,
                value["pixels"],
                value["content"],
                value["files"],
                marks,
                file_marks,
                source,
            )
        except (KeyError, TypeError, AttributeError, ValueError, binascii.Error) as error:
            raise ValueError("no record of pictures") from error
        hashes = all(
            isinstance(one, str) and _HASH.fullmatch(one)
            for one in (found.pixels, found.content, found.files or found.pixels)
        )
        numbers = all(
            type(number) is int and number >= 0
            for number in (found.count, *(number for _, number in classes))
        )
        texts = all(isinstance(name, str) for name in (found.name, *(name for name, _ in classes)))
        if not (hashes and numbers and texts) or any(
            len(part) not in (0, MARK * found.count) for part in (marks, file_marks)
        ):
            raise ValueError("no record of pictures")
        return found


def identify(dataset: "Dataset", conditional: bool) -> Identity:
    """Return the record of a data set. `conditional`: the run learns the classes too."""
    labels = dataset.labels if conditional else None
    classes = dataset.classes if labels is not None else ()
    names, numbers = [b""] * len(dataset.images), []
    if labels is not None and classes:
        names = [classes[label].encode() for label in labels.tolist()]
        numbers = torch.bincount(labels, minlength=len(classes)).tolist()
    whole = hashlib.sha256(
        f"{tuple(dataset.images.shape)} {classes} {'' if labels is None else labels.tolist()}".encode()
    )
    whole.update(dataset.images.numpy().data)
    marks = _marks(names, dataset.images.numpy())
    named = is_named(dataset.name)
    content = hashlib.sha256(b"".join(sorted(marks))).hexdigest()
    file_marks = _marks(names, dataset.files)
    files = hashlib.sha256(b"".join((*dataset.files, *file_marks))).hexdigest() if dataset.files else ""
    kept = (b"", b"") if named else (b"".join(marks), b"".join(file_marks))
    return Identity(
        dataset.name if named else "",
        len(marks),
        tuple(zip(classes, numbers, strict=True)),
        whole.hexdigest(),
        content,
        files,
        *kept,
        source=dataset.source and replace(dataset.source, classes=(), left_out=()),
    )


def _marks(names: list[bytes], contents: Iterable[Any]) -> list[bytes]:
    """Return a MARK-byte hash per image, of its pixels or file bytes keyed by its class name."""
    return [
        hashlib.blake2b(content, digest_size=MARK, key=hashlib.sha256(name).digest()).digest()
        for name, content in zip(names, contents, strict=False)
    ]


def read(run_dir: Path, counters: dict[str, Any]) -> Identity | None:
    """Return a run's record from data.json, else from its newest checkpoint, else None."""
    for value in (read_object(run_dir / RECORD), counters.get("data")):
        try:
            return Identity.from_json(value)
        except ValueError:
            continue
    return None


def as_it_began(
    dataset: "Dataset", known: Identity, conditional: bool
) -> tuple["Dataset", Identity, str | None]:
    """Restore the recorded image order and class numbers; return the data set, its record and an event key.

    The event key names a difference that the run survives, else it is None. There are two: another decoder
    read the same files, or a built-in set has a new version. Raises Unharmed when the images are others.
    """
    dataset = _numbered(dataset, known) if conditional else dataset
    dataset = replace(dataset, source=dataset.source or known.source)  # the images may have moved without it
    found = identify(dataset, conditional)
    order = (
        None if found.pixels == known.pixels else _order(known.marks, found.marks) if known.marks else None
    )
    if order is None and found.pixels != known.pixels and known.file_marks:
        order = _order(known.file_marks, found.file_marks)
    if order is not None:
        dataset = select(dataset, order)
        found = identify(dataset, conditional)
    if found.pixels == known.pixels:
        return dataset, found, None
    if (found.count, found.classes) == (known.count, known.classes):
        if found.files and found.files == known.files:
            return dataset, found, "decoded_anew"
        if known.name and found.name == known.name:
            return dataset, found, "set_changed"
        if found.content == known.content:
            raise Unharmed("train.pictures_order")
    raise _difference(known, found)


def _numbered(dataset: "Dataset", known: Identity) -> "Dataset":
    """Renumber the labels as `known` does, if the class names agree: names may sort differently elsewhere."""
    names = tuple(name for name, _ in known.classes)
    if dataset.labels is None or names == dataset.classes or sorted(names) != sorted(dataset.classes):
        return dataset
    number = torch.tensor([names.index(name) for name in dataset.classes])
    return replace(dataset, labels=number[dataset.labels], classes=names)


def _order(known: bytes, found: bytes) -> torch.Tensor | None:
    """Return the index in `found` of each known mark, (N,) int64; None if the sets of marks differ."""
    ours, theirs = (np.frombuffer(marks, f"V{MARK}").view(">u8") for marks in (known, found))
    if len(ours) != len(theirs):
        return None
    to, since = np.argsort(ours, kind="stable"), np.argsort(theirs, kind="stable")
    if (ours[to] != theirs[since]).any():
        return None
    order = np.empty(len(to), np.int64)
    order[to] = since
    return torch.from_numpy(order)


def _difference(known: Identity, found: Identity) -> Unharmed:
    """Return the error that says how the images found differ from the recorded ones."""
    numbers = {"now": found.count, "were": known.count}
    new, lost = (
        [name for name, _ in some.classes if name not in dict(others.classes)]
        for some, others in ((found, known), (known, found))
    )
    if len(new) == 1 and not lost:
        return Unharmed("train.pictures_new_class", **numbers, new=new[0])
    if len(lost) == 1 and not new:
        return Unharmed("train.pictures_lost_class", **numbers, lost=lost[0])
    if new or lost:
        return Unharmed("train.pictures_other_classes", **numbers, new=_list(new), lost=_list(lost))
    if found.count != known.count:
        return Unharmed("train.pictures_number", **numbers)
    if not known.marks or not found.marks:
        return Unharmed("train.pictures_other")
    same = (_counted(known.marks) & _counted(found.marks)).total()
    return Unharmed("train.pictures_changed", now=found.count, changed=found.count - same)


def _list(names: list[str]) -> str:
    """Return the first NAMED names, joined for a sentence."""
    return ", ".join(names[:NAMED]) + ("…" if len(names) > NAMED else "") or "–"


def _counted(marks: bytes) -> Counter[bytes]:
    return Counter(marks[place : place + MARK] for place in range(0, len(marks), MARK))
