"""What was found in a folder or zip of pictures: how many, of which classes, and what was left out, why. Imports neither torch nor Pillow.

The page shows it before Train is pressed, a run keeps it in its history, the terminal prints it.
"""

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

    def to_json(self) -> dict[str, Any]:
        """A plain dict; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Report":
        """The report that `to_json` wrote. Raises TypeError, KeyError or ValueError for anything else."""
        classes = tuple((str(name), int(number)) for name, number in value["classes"])
        return cls(**{**value, "classes": classes, "left_out": tuple(LeftOut(**entry) for entry in value["left_out"])})
