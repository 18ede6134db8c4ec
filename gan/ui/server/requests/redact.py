"""Remove the server's folders from messages that visitors see."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath
from typing import Any

import gan
from gan.data.cache import cache_dir
from gan.errors import MESSAGES

# Absolute paths of any system: as the whole text, in quotes, and in running text with at least two parts.
_PATH = re.compile(r"/|[A-Za-z]:[\\/]")
_START = r"(?:/|[A-Za-z]:[\\/])"
_QUOTED = re.compile(
    "|".join(
        rf"(?<={opening}){_START}[^{closing}\n]*(?={closing})" for opening, closing in ("“”", '""', "''")
    )
)
_PLAIN = re.compile(r"""(?<![\w.:/\\])(?:(?:/[^\s/“”"'<>|:;,()]+){2,}/?|[A-Za-z]:[\\/][^\s“”"'<>|:;,()]+)""")
_PROGRAMS = (Path(gan.__file__).resolve().parents[1], sys.prefix, sys.base_prefix)


def without(value: Any, folders: Iterable[Path | None]) -> Any:
    """Remove known folders from the paths in the texts of a JSON value.

    These are the given folders, those of the downloads and those of the programs. The folder named by an
    upload's hash is removed as well.
    """
    known = sorted(
        {str(folder) for folder in (*folders, cache_dir(), cache_dir().absolute(), *_PROGRAMS) if folder},
        key=len,
        reverse=True,
    )
    beginning = "|".join(re.escape(folder) for folder in known if len(folder) > 1)
    return _cut(value, re.compile(rf"(?<![\w.-])(?:{beginning})[\\/](?:[0-9a-f]{{16}}[\\/])?", re.ASCII))


def public(error: dict[str, Any]) -> dict[str, Any]:
    """Shorten every path in an error {key, values, text} to its last part, wherever it lies."""
    found = error["values"] if isinstance(error["values"], dict) else {}
    values = {
        name: _last(value) if isinstance(value, str) and _PATH.match(value) else shortened(value)
        for name, value in found.items()
    }
    try:
        text = MESSAGES[error["key"]].format(**values)
    # Another program may have written anything into the status.
    except (KeyError, IndexError, ValueError, TypeError):
        text = shortened(error["text"])
    return {**error, "values": values, "text": text}


def shortened(value: Any) -> Any:
    """Replace each absolute path in a text, or in a list of texts, by its last part.

    This covers paths outside the folders that the server knows.
    """
    if isinstance(value, list):
        return [shortened(part) for part in value]
    if not isinstance(value, str):
        return value
    quoted = _QUOTED.sub(lambda found: _last(found[0]), value)
    # The user's name in the home folder may contain a space.
    return _PLAIN.sub(lambda found: _last(found[0]), quoted.replace(f"{Path.home()}/", "/home/"))


def _last(path: str) -> str:
    # The name of a home folder is the user's name.
    return "…" if path.rstrip("/") == str(Path.home()) else PureWindowsPath(path).name or "…"


def _cut(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub("", value)
    if isinstance(value, dict):
        return {name: _cut(part, pattern) for name, part in value.items()}
    return [_cut(part, pattern) for part in value] if isinstance(value, list) else value
