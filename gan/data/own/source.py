"""Describe pictures that come from the Hub: from where, by which licence, and with which classes.

The description is a file beside the zip that holds the pictures. gan.hub.sets writes both. Imports neither
torch nor any image library.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from gan.data.own.class_folders import Classes
from gan.data.own.report import REASONS, LeftOut, shown
from gan.files import read_json, write_json

SUFFIX = ".source.json"  # after the name of the zip
UNSTATED = "not stated"  # the licence of a card that names none
MAX_CLASSES = 10_000  # names in one description


@dataclass(frozen=True)
class Source:
    """Where the pictures of a zip come from.

    `classes` are the names of the numbers with which the zip's folders begin; () where the folders have
    names of their own. `left_out` are rows and files that never came into the zip.
    """

    name: str  # "hub:owner/name", with a path inside the repository if there is one
    commit: str
    licence: str = UNSTATED  # as the repository's card says
    title: str = ""  # as the repository's card says
    count: int = 0  # pictures in the zip
    classes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def facts(self) -> dict[str, Any]:
        """Return what a run records and what people read: all but the classes and the rows left out."""
        return {name: value for name, value in asdict(self).items() if name not in ("classes", "left_out")}

    @classmethod
    def from_json(cls, value: Any) -> "Source":
        """Read a description, or facts. Texts become printable and short. Raises ValueError."""
        try:
            texts = {name: value.get(name, "") for name in ("name", "commit", "licence", "title")}
            count, classes = value["count"], tuple(value.get("classes", ()))
            rows = tuple(LeftOut(**one) for one in value.get("left_out", ()))
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("no source of pictures") from error
        if (
            not all(isinstance(text, str) for text in (*texts.values(), *classes))
            or type(count) is not int
            or count < 0
            or len(classes) > MAX_CLASSES
            or any(row.reason not in REASONS for row in rows)
        ):
            raise ValueError("no source of pictures")
        plain = {name: shown(text) for name, text in texts.items() if name != "name"}
        return cls(printable(texts["name"]), **plain, count=count, classes=classes, left_out=rows)


def printable(text: str, most: int = 300) -> str:
    """Return the beginning of a text, with "?" for each unprintable character."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:most])


def write_source(archive: Path, source: Source) -> None:
    """Write the description of a zip. Raises OSError."""
    write_json(_place(archive), asdict(source))


def read_source(archive: Path | str) -> Source | None:
    """Return the description of a zip, or None for pictures that are not from the Hub."""
    try:
        return Source.from_json(read_json(_place(Path(archive))))
    except (OSError, ValueError):
        return None


def folder_of(label: int | None, classes: Sequence[str]) -> str:
    """Return the folder of a class in the zip; "" for a picture without a known class."""
    if label is None or not 0 <= label < len(classes):
        return ""
    plain = "".join(letter if letter.isalnum() else "-" for letter in classes[label][:40])
    return f"{label:05d}-{plain}/"


def classes_of(places: Sequence[PurePosixPath], classes: Sequence[str], most: int) -> Classes:
    """Return the classes of pictures by the numbers of their folders, as class_folders.find does by names.

    Classes without a picture are dropped. The others keep their order.
    """
    numbers = [_number(place) for place in places]
    found = sorted({number for number in numbers if number is not None and number < len(classes)})
    if len(found) < 2:
        return Classes([], ())
    if len(found) > most:
        return Classes([], (), too_many=len(found))
    label = {number: k for k, number in enumerate(found)}
    names = _distinct([shown(classes[number]) for number in found])
    return Classes([None if number is None else label.get(number) for number in numbers], names)


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Return the names, with a number behind each one that would stand there twice."""
    return tuple(name if names.count(name) == 1 else f"{name} {k}" for k, name in enumerate(names))


def _number(place: PurePosixPath) -> int | None:
    digits = place.parts[0].partition("-")[0] if len(place.parts) > 1 else ""
    return int(digits) if digits.isdecimal() and len(digits) < 9 else None


def _place(archive: Path) -> Path:
    return archive.with_name(archive.name + SUFFIX)
