"""A run's name: a title that a person gives it. It has a small file of its own in the run's directory,
because status.json belongs to the worker.
"""

import unicodedata

from gan.errors import UserError

FILE = "name.txt"
MOST = 60  # characters
_JOINERS = "\u200c\u200d"  # invisible, but they hold Persian words and emoji together


def checked(text: str) -> str:
    """`text` as a name: one line without control characters and doubled spaces. Raises UserError where that
    is too long.
    """
    name = tidy(text)
    if len(name) > MOST:
        raise UserError("runs.long_name", most=MOST, count=len(name))
    return name


def parse(data: bytes | None) -> str | None:
    """The name in a file's bytes, or None where there is none. Never raises: anybody may have written the
    file.
    """
    return tidy((data or b"").decode("utf-8", "replace"))[:MOST] or None


def tidy(text: str) -> str:
    """Control (Cc), formatting (Cf, some turn the text around) and broken (Cs) characters are dropped."""
    spaced = "".join(" " if character.isspace() else character for character in text)
    kept = "".join(
        character
        for character in spaced
        if character in _JOINERS or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
    )
    return " ".join(kept.split()).strip(f" {_JOINERS}")
