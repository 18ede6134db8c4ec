"""Where the server keeps things is nobody's business: the folders of its files are taken out of what viewers are told."""

import json
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_PROGRAMS = (Path(__file__).resolve().parents[2], sys.prefix, sys.base_prefix, Path.home(), tempfile.gettempdir())


def without(value: Any, folders: Iterable[Path | None]) -> Any:
    """A JSON value whose texts name files in these folders, and in those of the programs, by the rest of their paths.

    Where the rest begins with the folder that an upload's hash names, that is left out too.
    """
    known = {json.dumps(str(folder))[1:-1] for folder in (*folders, *_PROGRAMS) if folder is not None}
    longest_first = "|".join(re.escape(folder) for folder in sorted(known, key=len, reverse=True) if len(folder) > 1)
    return json.loads(re.sub(rf"(?<![\w.-])(?:{longest_first})(?:\\\\|/)(?:[0-9a-f]{{16}}/)?", "", json.dumps(value)))
