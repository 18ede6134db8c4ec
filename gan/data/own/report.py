"""Report on a folder or zip of images: their number, their classes, and the files left out.

The page shows the report before the user presses Train. A run stores it in its history, and the terminal
prints it. Imports neither torch nor Pillow.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from gan.config import RunConfig
from gan.errors import UserError
from gan.recipes import RECIPES
from gan.spec import MAX_CLASSES

# Why a file can be left out. Each reason has a text in LEFT_OUT.
REASONS = (
    "damaged",  # cut off, or not what its header says
    "pixels",  # too many pixels; detail: megapixels
    "scans",  # a JPEG crafted to cost hours
    "bytes",  # too large a file; detail: MB
    "unpacks",  # a zip member that unpacks to far more than an image should
    "kind",  # an image format that is not supported; detail: HEIC, GIF, BMP...
    "other",  # not an image
    "locked",  # a zip member with a password
    "packing",  # a zip member with an unsupported compression; detail: its name
    "rights",  # a file without read permission
    "link",  # a circular link, or one to nothing or to a folder that was entered by another name
    "no_class",  # outside all class folders
    "no_bytes",  # a row of a table that holds no image
)
# Training sizes: the first that holds the largest image, else the last.
SMALL, LARGE = (28, 32), 64
# Conditional training needs this many images in every class. With fewer, D memorises each image before it
# learns what they share.
PER_CLASS = 8
NAME = 80  # longest shown name, in characters
# Each text follows a number of files and precedes their names, as in "2 damaged: a.png, b.png". The folder
# gan/ui/strings has the same texts in the other languages.
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
    "no_bytes": "rows without an image",
}
_BY_DETAIL = ("kind", "packing")  # reasons that list each detail separately


@dataclass(frozen=True)
class LeftOut:
    """A file that is left out: its place in the folder or zip, one of REASONS, and the reason's detail.

    Names come from untrusted uploads and are shown to people. So unprintable characters are replaced, and
    only the end of a long name is kept.
    """

    name: str
    reason: str
    detail: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", shown(self.name))
        object.__setattr__(self, "detail", shown(self.detail))


def shown(name: str) -> str:
    """Make a name safe to show: "?" for each unprintable character, and at most NAME characters."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in name[-NAME:])
    return f"…{plain[1:]}" if len(name) > NAME else plain


@dataclass(frozen=True)
class Report:
    """A report on the images. `classes` lists (name, number of images), or is () if there are none."""

    count: int  # usable images
    classes: tuple[tuple[str, int], ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    transparent: int = 0  # images with a pixel through which the background shows
    copies: int = 0  # images equal to an earlier one
    grey: bool = False  # whether no image has any colour
    side: int = 0  # shorter side of the largest image, in pixels
    unread: int = 0  # images in count that time ran out for; some may yet be left out
    # The code page guessed for a zip's names, such as "GBK". "" if none was guessed.
    names_read_as: str = ""
    # The folders may also be the parts of one set: they have numbers as names, or equal folders inside.
    classes_doubtful: bool = False
    # The number of class folders, if a model cannot learn so many classes. `classes` is () then.
    too_many_classes: int = 0
    # The number of images outside the class folders, if these are the majority. `classes` is () then.
    loose: int = 0

    def to_json(self) -> dict[str, Any]:
        """Convert to a dict of JSON values, for `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Report":
        """Read what `to_json` wrote. Raises TypeError, KeyError or ValueError for anything else."""
        classes = tuple((str(name), int(number)) for name, number in value["classes"])
        return cls(
            **{
                **value,
                "classes": classes,
                "left_out": tuple(LeftOut(**entry) for entry in value["left_out"]),
            }
        )


def grouped(left_out: Iterable[LeftOut], names: int = 5) -> list[tuple[str, str, list[str], int]]:
    """Group the files left out by reason, largest group first.

    Each group is (reason, detail, its first `names` names, number of files). Image formats and compressions
    form separate groups. For the other reasons, `detail` is set only if all files of the group share it.
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


def sentence_left_out(left_out: Iterable[LeftOut]) -> str:
    """Describe the files left out.

    For example "3 too large (more than 67 megapixels): a.jpg, b.jpg, c.jpg; 1 damaged: d.png".
    """
    return "; ".join(
        f"{count} {LEFT_OUT[reason].format(detail=detail or '?')}: {', '.join(names)}{', …' if count > len(names) else ''}"  # noqa: E501
        for reason, detail, names, count in grouped(left_out)
    )


def sentences(report: Report, background: str) -> list[str]:
    """Describe a report line by line, as the terminal prints it.

    `background` is the colour behind transparent images.
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
            "The folders have numbers as names, or equal folders inside: they may be classes, or only parts "
            "of one set. --conditional uses them as classes."
        )
    if report.too_many_classes:
        lines.append(
            f"There are no classes: {report.too_many_classes} folders are more than the {MAX_CLASSES} "
            f"that a model can learn."
        )
    if report.loose:
        lines.append(
            f"There are no classes: {report.loose} of {report.count} images lie outside the class folders. "
            f"Sort them into folders, or leave them out, to train by class."
        )
    if report.left_out:
        lines.append(f"Left out {len(report.left_out)}: {sentence_left_out(report.left_out)}.")
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
    """Explain why the data set `name` cannot be learnt by class. `report` is None for sets without files."""
    if report is not None and report.too_many_classes:
        return UserError(
            "train.too_many_classes", data=name, count=report.too_many_classes, limit=MAX_CLASSES
        )
    if report is not None and report.loose:
        return UserError("train.loose_images", data=name, loose=report.loose, count=report.count)
    return UserError("train.no_labels", data=name)


def suggestions(report: Report, defaults: RunConfig) -> dict[str, Any]:
    """Suggest settings that fit the images: size, channels, batch and conditional.

    Returns only those that differ from `defaults`, the recipe's. A recipe may fix a setting, as DCGAN fixes
    its size; then the setting keeps its value.
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
