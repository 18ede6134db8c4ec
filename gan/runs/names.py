"""Name runs: clean the title that a person gives to a run, and number the runs of one data set.

The title has its own small file in the run's directory, because the worker writes status.json. The number is
a field of status.json, and never changes while the run is on this server.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from gan.errors import UserError

FILE = "name.txt"
MAX_LENGTH = 60  # characters
MAX_NUMBER = 10**6  # a status file with a larger one came from elsewhere
_JOINERS = "\u200c\u200d"  # invisible, but Persian words and emoji need them


def free_number(summaries: Iterable[Mapping[str, Any]], data: str, wanted: int = 0) -> int:
    """Return the number, from 1, of a new run of this data set: `wanted` where it is free, else the next one.

    summaries: of the runs that exist, as `Store.list` returns them. A deleted run's number comes again only
    if it was the highest.
    """
    taken = {int(summary["number"]) for summary in summaries if summary["data"] == data}
    return wanted if wanted > 0 and wanted not in taken else max(taken, default=0) + 1


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
