"""Where the server keeps things is nobody's business: the folders of its files are taken out of what viewers
are told.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath
from typing import Any

import gan
from gan.data.cache import cache_dir
from gan.errors import MESSAGES

# An absolute path of any system: a text that is nothing else, one in quotes, and one of at least two parts in
# a line.
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
    """A JSON value whose texts name files in these folders, in that of the downloads and in those of the
    programs, by the rest of their paths.

    Where the rest begins with the folder that an upload's hash names, that is left out too.
    """
    known = sorted(
        {str(folder) for folder in (*folders, cache_dir(), cache_dir().absolute(), *_PROGRAMS) if folder},
        key=len,
        reverse=True,
    )
    beginning = "|".join(re.escape(folder) for folder in known if len(folder) > 1)
    return _cut(value, re.compile(rf"(?<![\w.-])(?:{beginning})[\\/](?:[0-9a-f]{{16}}[\\/])?", re.ASCII))


def public(error: dict[str, Any]) -> dict[str, Any]:
    """An error {key, values, text} whose sentence names files and folders by the last part of their paths,
    wherever they lie.
    """
    found = error["values"] if isinstance(error["values"], dict) else {}
    values = {
        name: _last(value) if isinstance(value, str) and _PATH.match(value) else shortened(value)
        for name, value in found.items()
    }
    try:
        text = MESSAGES[error["key"]].format(**values)
    except (KeyError, IndexError, ValueError, TypeError):  # somebody else's status may hold anything
        text = shortened(error["text"])
    return {**error, "values": values, "text": text}


def shortened(value: Any) -> Any:
    """A text, or a list of them, with the last part of each absolute path in place of it: for what lies in no
    folder that the server knows.
    """
    if isinstance(value, list):
        return [shortened(part) for part in value]
    if not isinstance(value, str):
        return value
    quoted = _QUOTED.sub(lambda found: _last(found[0]), value)
    # whose name may have a space in it
    return _PLAIN.sub(lambda found: _last(found[0]), quoted.replace(f"{Path.home()}/", "/home/"))


def _last(path: str) -> str:
    # a home is called like its owner
    return "…" if path.rstrip("/") == str(Path.home()) else PureWindowsPath(path).name or "…"


def _cut(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub("", value)
    if isinstance(value, dict):
        return {name: _cut(part, pattern) for name, part in value.items()}
    return [_cut(part, pattern) for part in value] if isinstance(value, list) else value
