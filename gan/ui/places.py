"""Where the server keeps things is nobody's business: the folders of its files are taken out of what viewers are told."""

import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gan.data.cache import cache_dir

_PROGRAMS = (Path(__file__).resolve().parents[2], sys.prefix, sys.base_prefix, Path.home(), tempfile.gettempdir())


def without(value: Any, folders: Iterable[Path | None]) -> Any:
    """A JSON value whose texts name files in these folders, in that of the downloads and in those of the programs, by the rest of their paths.

    Where the rest begins with the folder that an upload's hash names, that is left out too.
    """
    known = sorted({str(folder) for folder in (*folders, cache_dir(), cache_dir().absolute(), *_PROGRAMS) if folder}, key=len, reverse=True)
    beginning = "|".join(re.escape(folder) for folder in known if len(folder) > 1)
    return _cut(value, re.compile(rf"(?<![\w.-])(?:{beginning})[\\/](?:[0-9a-f]{{16}}[\\/])?", re.ASCII))


def _cut(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub("", value)
    if isinstance(value, dict):
        return {name: _cut(part, pattern) for name, part in value.items()}
    return [_cut(part, pattern) for part in value] if isinstance(value, list) else value
