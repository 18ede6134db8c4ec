"""Check and clean the title that a person gives to a run.

It has its own small file in the run's directory, because the worker writes status.json.
"""

import unicodedata

from gan.errors import UserError

FILE = "name.txt"
MAX_LENGTH = 60  # characters
_JOINERS = "\u200c\u200d"  # invisible, but Persian words and emoji need them


def checked(text: str) -> str:
    """Return `text` as one line without control characters or double spaces. Raises UserError if too long."""
    name = tidy(text)
    if len(name) > MAX_LENGTH:
        raise UserError("runs.long_name", most=MAX_LENGTH, count=len(name))
    return name


def parse(data: bytes | None) -> str | None:
    """Return the name in a file's bytes, or None. Never raises: anybody may have written the file."""
    return tidy((data or b"").decode("utf-8", "replace"))[:MAX_LENGTH] or None


def tidy(text: str) -> str:
    """Drop control (Cc), formatting (Cf) and broken (Cs) characters, and collapse spaces.

    Some formatting characters would reverse the text around them.
    """
    spaced = "".join(" " if character.isspace() else character for character in text)
    kept = "".join(
        character
        for character in spaced
        if character in _JOINERS or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
    )
    return " ".join(kept.split()).strip(f" {_JOINERS}")
