"""What was found in a folder or zip of pictures: how many, of which classes, and what was left out, why.
Imports neither torch nor Pillow.

The page shows it before Train is pressed, a run keeps it in its history, the terminal prints it.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from gan.config import RunConfig
from gan.errors import UserError
from gan.recipes import RECIPES
from gan.spec import MAX_CLASSES

# Why a file can be left out. Each has a text in LEFT_OUT.
REASONS = (
    "damaged",  # cut off, or not what its header says
    "pixels",  # too many of them; detail: megapixels
    "scans",  # a JPEG made to cost hours
    "bytes",  # a file that is too large; detail: MB
    "unpacks",  # a member of a zip that unpacks to far more than a picture should
    "kind",  # a picture of a kind that is not read; detail: HEIC, GIF, BMP...
    "other",  # no picture at all
    "locked",  # a member of a zip that needs a password
    "packing",  # a member of a zip packed in a way that is not read; detail: its name
    "rights",  # a file that may not be read
    "link",  # a link that leads in circles, to nothing, or to a folder that was entered by another name
    "no_class",  # lies in no class folder, where the others do
)
SMALL, LARGE = (28, 32), 64  # sizes to train at: the first that holds the largest picture, else the last
# pictures of every class from which it is learnt by class: of fewer D knows each by heart before it knows
# what they share
PER_CLASS = 8
NAME = 80  # characters that are shown of a name
# After a number of pictures and before their names, as in "2 damaged: a.png, b.png". The other languages have
# the same in gan/ui/strings.
LEFT_OUT = {
    "damaged": "damaged",
    "pixels": "too large (more than 67 megapixels)",
    "scans": "made of far more parts than a camera writes",
    "bytes": "too large (more than 50 MB each)",
    "unpacks": "that unpack to far more than an image should",
    "kind": "of a format that can't be read ({detail}; export them as JPEG or PNG)",
    "other": "that are not images",
    "locked": "locked by a password",
    "packing": "packed in a way that can't be read ({detail}; pack them again as an ordinary zip)",
    "rights": "that may not be read",
    "link": "that are links to nothing, in circles, or to a folder that was read under another name",
    "no_class": "in no class folder",
}
_BY_DETAIL = ("kind", "packing")  # reasons under which each detail is told on its own


@dataclass(frozen=True)
class LeftOut:
    """One file that is not used: its place in the folder or zip, one of REASONS, and what the reason's
    sentence names.

    Names are anybody's and are shown to people: they are made printable, and of long ones the end is kept.
    """

    name: str
    reason: str
    detail: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", shown(self.name))
        object.__setattr__(self, "detail", shown(self.detail))


def shown(name: str) -> str:
    """A name as it can be shown anywhere: "?" for what can't be printed, at most NAME characters."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in name[-NAME:])
    return f"…{plain[1:]}" if len(name) > NAME else plain


@dataclass(frozen=True)
class Report:
    """What there is to learn from. `classes` are (name, pictures of it), () where there are none."""

    count: int  # usable pictures
    classes: tuple[tuple[str, int], ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    transparent: int = 0  # pictures of which some pixel is, so that the background shows
    copies: int = 0  # pictures that are equal to an earlier one
    grey: bool = False  # no picture has any colour
    side: int = 0  # pixels of the shorter side of the largest picture
    unread: int = 0  # of count: pictures that were not decoded for lack of time, and may yet be left out
    # how a zip's names were read that do not say so themselves: a code page such as "GBK", "" where nothing
    # had to be guessed
    names_read_as: str = ""
    # the folders are called by numbers that may as well number the parts of one set
    classes_doubtful: bool = False
    # class folders, where these are more than a network here learns by class; `classes` is () then
    too_many_classes: int = 0

    def to_json(self) -> dict[str, Any]:
        """A plain dict; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Report":
        """The report that `to_json` wrote. Raises TypeError, KeyError or ValueError for anything else."""
        classes = tuple((str(name), int(number)) for name, number in value["classes"])
        return cls(
            **{
                **value,
                "classes": classes,
                "left_out": tuple(LeftOut(**entry) for entry in value["left_out"]),
            }
        )


def grouped(left_out: Iterable[LeftOut], names: int = 5) -> list[tuple[str, str, list[str], int]]:
    """What was left out by reason, the commonest first: (reason, detail, its first `names` names, how many
    there are).

    Pictures of different kinds, or packed in different ways, are groups of their own. For any other reason
    `detail` is what all of the group have, else "".
    """
    groups: dict[tuple[str, str], list[LeftOut]] = {}
    for entry in left_out:
        groups.setdefault((entry.reason, entry.detail if entry.reason in _BY_DETAIL else ""), []).append(
            entry
        )
    order = sorted(
        groups.items(), key=lambda group: (-len(group[1]), REASONS.index(group[0][0]), group[0][1])
    )
    return [
        (
            reason,
            found[0].detail if len({entry.detail for entry in found}) == 1 else "",
            [entry.name for entry in found[:names]],
            len(found),
        )
        for (reason, _), found in order
    ]


def told_left_out(left_out: Iterable[LeftOut]) -> str:
    """What was left out in words: "3 too large (more than 67 megapixels): a.jpg, b.jpg, c.jpg; 1 damaged:
    d.png".
    """
    return "; ".join(
        f"{count} {LEFT_OUT[reason].format(detail=detail or '?')}: {', '.join(names)}{', …' if count > len(names) else ''}"  # noqa: E501
        for reason, detail, names, count in grouped(left_out)
    )


def told(report: Report, background: str) -> list[str]:
    """What was found in words, a line each, as the terminal prints it. `background` is what is put behind
    transparent pictures.
    """
    lines = [
        f"{report.count} images"
        + (
            f": {', '.join(f'{shown(name)} {number}' for name, number in report.classes)}."
            if report.classes
            else "."
        )
    ]
    if report.classes_doubtful:
        lines.append(
            "The folders have numbers as names: these may be classes, or only parts of one set. "
            "--conditional uses them as classes."
        )
    if report.too_many_classes:
        lines.append(
            f"There are no classes: {report.too_many_classes} folders are more than the {MAX_CLASSES} "
            f"that a model can learn."
        )
    if report.left_out:
        lines.append(f"Left out {len(report.left_out)}: {told_left_out(report.left_out)}.")
    if report.names_read_as:
        lines.append(f"The names in this zip were read as {report.names_read_as}.")
    if report.transparent:
        lines.append(
            f"{report.transparent} of {report.count} are partly transparent; the background becomes "
            f"{background}."
        )
    if report.copies:
        lines.append(f"{report.copies} of {report.count} images are copies of another one.")
    if report.unread:
        lines.append(f"{report.unread} of {report.count} were not checked yet, for lack of time.")
    return lines


def no_classes(report: Report | None, name: str) -> UserError:
    """Why a data set of this name, which has no classes, can't be learnt by class. `report` is None where it
    is no folder or zip.
    """
    if report is not None and report.too_many_classes:
        return UserError(
            "train.too_many_classes", data=name, count=report.too_many_classes, limit=MAX_CLASSES
        )
    return UserError("train.no_labels", data=name)


def suggestions(report: Report, defaults: RunConfig) -> dict[str, Any]:
    """The settings that the pictures themselves ask for, where these differ from `defaults`, the recipe's:
    some of size, channels, batch and conditional.

    A recipe that fixes one of them, as the textbook one does its size, keeps it.
    """
    enough = (
        len(report.classes) > 1
        and not report.classes_doubtful
        and min(number for _, number in report.classes) >= PER_CLASS
    )
    size = next((size for size in SMALL if 0 < report.side <= size), LARGE)
    asked = {
        "size": size,
        "channels": 1 if report.grey else 3,
        "batch": max(2, min(defaults.batch, report.count)),
        "conditional": enough,
    }
    fixed = {"size", "conditional"} & set(RECIPES[defaults.recipe])
    return {
        name: value for name, value in asked.items() if name not in fixed and value != getattr(defaults, name)
    }
