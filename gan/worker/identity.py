"""Which pictures a run learns from: noted when it begins, and compared when it goes on.

A run keeps the record in its data.json, and the short form of it in the counters of each checkpoint. Pictures
count as the same where their pixels, labels and names of classes are, wherever they lie and in whatever
order: the order of the record is then restored, because the order in which a run is shown its pictures is a
function of their places in the tensor.
"""

import base64
import binascii
import contextlib
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gan.data import is_named
from gan.errors import Unharmed, UserError, is_out_of_memory
from gan.files import FULL, read_object, write_json

if TYPE_CHECKING:
    from gan.data import Dataset

FILE = "data.json"
MARK = 8  # bytes that tell one picture from the others of its set
NAMED = 3  # classes in a sentence
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Identity:
    """What is known of the pictures of a run. `pixels` and `files` are SHA-256 in hexadecimal digits.

    `marks` and `file_marks` hold MARK bytes for each picture: of its pixels and class, and of its file and
    class. Only the full record of own pictures has them.
    """

    name: str  # of a data set that has one, "" for own pictures
    count: int
    # each class that is learnt, in the order of its labels, with its number of pictures
    classes: tuple[tuple[str, int], ...]
    pixels: str  # of all that is trained on, in its order
    content: str  # the same in whatever order
    files: str  # of the files' bytes and classes in order of their pictures, "" for the named sets
    marks: bytes = b""
    file_marks: bytes = b""

    def short(self) -> dict[str, Any]:
        """The form without marks, which a checkpoint keeps."""
        value = {name: part for name, part in asdict(self).items() if name not in ("marks", "file_marks")}
        return {**value, "classes": [list(pair) for pair in self.classes]}

    def to_json(self) -> dict[str, Any]:
        """The form of data.json."""
        return {
            **self.short(),
            "marks": base64.b64encode(self.marks).decode(),
            "file_marks": base64.b64encode(self.file_marks).decode(),
        }

    @classmethod
    def from_json(cls, value: Any) -> "Identity":
        """What `to_json` or `short` gave. Raises ValueError for anything else."""
        try:
            marks, file_marks = (
                base64.b64decode(value.get(name, ""), validate=True) for name in ("marks", "file_marks")
            )
            classes = tuple((name, number) for name, number in value["classes"])
            found = cls(
                *(value[name] for name in ("name", "count")),
                classes,
                *(value[name] for name in ("pixels", "content", "files")),
                marks,
                file_marks,
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
    """The record of a data set as a run learns from it: by class or not."""
    labels = dataset.labels if conditional else None
    classes = dataset.classes if labels is not None else ()
    names = [classes[label].encode() for label in labels.tolist()] if classes else [b""] * len(dataset.images)
    numbers = torch.bincount(labels, minlength=len(classes)).tolist() if classes else []
    whole = hashlib.sha256(
        f"{tuple(dataset.images.shape)} {classes} {'' if labels is None else labels.tolist()}".encode()
    )
    whole.update(dataset.images.numpy())
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
    )


def _marks(names: list[bytes], contents: Iterable[Any]) -> list[bytes]:
    """MARK bytes for each pair of a class name and a picture's pixels or bytes."""
    return [
        hashlib.blake2b(content, digest_size=MARK, key=hashlib.sha256(name).digest()).digest()
        for name, content in zip(names, contents, strict=False)
    ]


def read(run_dir: Path, counters: dict[str, Any]) -> Identity | None:
    """The record of a run: its data.json, else what its newest checkpoint keeps; None where neither can be
    read.
    """
    for value in (read_object(run_dir / FILE), counters.get("data")):
        try:
            return Identity.from_json(value)
        except ValueError:
            continue
    return None


def write(run_dir: Path, identity: Identity) -> None:
    """Atomically replace the record of a run."""
    write_json(run_dir / FILE, identity.to_json())


def as_it_began(
    dataset: "Dataset", known: Identity, conditional: bool
) -> tuple["Dataset", Identity, str | None]:
    """The pictures in the order, and their classes with the numbers, that a run has `known` them by, their
    record, and one of EVENTS where they differ.

    They may differ where their files are the same, which another decoder read, or a named set is of another
    version. Raises Unharmed for other pictures.
    """
    dataset = _numbered(dataset, known) if conditional else dataset
    found = identify(dataset, conditional)
    order = (
        None if found.pixels == known.pixels else _order(known.marks, found.marks) if known.marks else None
    )
    if order is None and found.pixels != known.pixels and known.file_marks:
        order = _order(known.file_marks, found.file_marks)
    if order is not None:
        dataset = _ordered(dataset, order)
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
    """The data set with its labels as `known` has them, where the classes are the same: names may sort
    differently elsewhere.
    """
    names = tuple(name for name, _ in known.classes)
    if dataset.labels is None or names == dataset.classes or sorted(names) != sorted(dataset.classes):
        return dataset
    number = torch.tensor([names.index(name) for name in dataset.classes])
    return replace(dataset, labels=number[dataset.labels], classes=names)


def _order(known: bytes, found: bytes) -> torch.Tensor | None:
    """At which place among those found each of the known marks is, (N,) int64; None where they are not the
    same.
    """
    ours, theirs = (np.frombuffer(marks, f"V{MARK}").view(">u8") for marks in (known, found))
    if len(ours) != len(theirs):
        return None
    to, since = np.argsort(ours, kind="stable"), np.argsort(theirs, kind="stable")
    if (ours[to] != theirs[since]).any():
        return None
    order = np.empty(len(to), np.int64)
    order[to] = since
    return torch.from_numpy(order)


def _ordered(dataset: "Dataset", order: torch.Tensor) -> "Dataset":
    labels = None if dataset.labels is None else dataset.labels[order]
    attributes = {name: values[order] for name, values in dataset.attributes.items()}
    files = tuple(dataset.files[place] for place in order.tolist()) if dataset.files else ()
    return replace(dataset, images=dataset.images[order], labels=labels, attributes=attributes, files=files)


def _difference(known: Identity, found: Identity) -> Unharmed:
    """The sentence that says what is other about the pictures that were found."""
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
    """Some names for a sentence: the first NAMED of them."""
    return ", ".join(names[:NAMED]) + ("…" if len(names) > NAMED else "") or "–"


def _counted(marks: bytes) -> Counter[bytes]:
    return Counter(marks[place : place + MARK] for place in range(0, len(marks), MARK))


@contextlib.contextmanager
def harmless(began: bool) -> Iterator[None]:
    """Where the pictures of a run that `began` can't be had just now, that is Unharmed: whatever is wrong
    with them, what it has learnt is sound.
    """
    try:
        yield
    except UserError as error:
        raise Unharmed(error.key, **error.values) if began else error from error
    except OSError as error:
        if not began or error.errno in FULL or is_out_of_memory(error):
            raise
        raise Unharmed(
            "train.no_file", file=Path(str(error.filename or "?")).name, reason=error.strerror or error
        ) from error
