"""What was found in a folder or zip of pictures: how many, of which classes, and what was left out, why. Imports neither torch nor Pillow.

The page shows it before Train is pressed, a run keeps it in its history, the terminal prints it.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

# Why a file can be left out. Each has a text in both languages, `data.left_out_<reason>`, which may name {detail}.
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
    "link",  # a link that leads in circles or to nothing
    "no_class",  # lies in no class folder, where the others do
)
_BY_DETAIL = ("kind", "packing")  # reasons under which each detail is told on its own


@dataclass(frozen=True)
class LeftOut:
    """One file that is not used: its place in the folder or zip, one of REASONS, and what the reason's sentence names."""

    name: str
    reason: str
    detail: str = ""


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
    names_read_as: str = ""  # how a zip's names were read that do not say so themselves: a code page such as "GBK", "" where nothing had to be guessed

    def to_json(self) -> dict[str, Any]:
        """A plain dict; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Report":
        """The report that `to_json` wrote. Raises TypeError, KeyError or ValueError for anything else."""
        classes = tuple((str(name), int(number)) for name, number in value["classes"])
        return cls(**{**value, "classes": classes, "left_out": tuple(LeftOut(**entry) for entry in value["left_out"])})


def grouped(left_out: Iterable[LeftOut], names: int = 5) -> list[tuple[str, str, list[str], int]]:
    """What was left out by reason, the commonest first: (reason, detail, its first `names` names, how many there are).

    Pictures of different kinds, or packed in different ways, are groups of their own. For any other reason `detail` is what all of the group have, else "".
    """
    groups: dict[tuple[str, str], list[LeftOut]] = {}
    for entry in left_out:
        groups.setdefault((entry.reason, entry.detail if entry.reason in _BY_DETAIL else ""), []).append(entry)
    order = sorted(groups.items(), key=lambda group: (-len(group[1]), REASONS.index(group[0][0]), group[0][1]))
    return [(reason, found[0].detail if len({entry.detail for entry in found}) == 1 else "", [entry.name for entry in found[:names]], len(found))
            for (reason, _), found in order]


def shown(place: str, most: int = 120) -> str:
    """A file's place as it can be shown to people: what can be printed of it, and no more than its last `most` characters."""
    plain = "".join(letter for letter in place if letter.isprintable())
    return plain if len(plain) <= most else "…" + plain[-most:]
