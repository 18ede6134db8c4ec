"""Files that another process may be reading: atomic replacement, append-only lines, and readers that survive
a half-written tail.
"""

import errno
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

# objects and lists within each other in a file of ours; what shows or writes it again goes through them by
# recursion
NESTED = 50
FULL = {errno.ENOSPC, errno.EDQUOT}  # what an OSError says where a disk, or somebody's share of it, is full


def replace_with(path: Path, write: Callable[[Path], Any], before: Callable[[], Any] = lambda: None) -> None:
    """Let `write` fill a temporary file beside `path`, flush it to disk, call `before`, then rename it over
    `path` in one step.

    A reader sees the old file or the new one, never a part. On any error the old file stays and the temporary
    one is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        before()
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_bytes(path: Path, data: bytes, before: Callable[[], Any] = lambda: None) -> None:
    """Atomically replace `path` with `data`; `before` is called once they are safely on the disk."""
    replace_with(path, lambda temporary: temporary.write_bytes(data), before)


def write_json(path: Path, value: Any) -> None:
    """Atomically replace `path` with `value` as indented JSON (UTF-8; NaN and infinity are refused with
    ValueError).
    """
    write_bytes(path, _as_json(value, indent=1))


def _as_json(value: Any, **form: Any) -> bytes:
    """A value as a line or more of JSON in UTF-8. A name of a file that is no text has half characters
    (os.fsdecode), which only escapes can hold.
    """
    try:
        return (json.dumps(value, ensure_ascii=False, allow_nan=False, **form) + "\n").encode()
    except UnicodeEncodeError:
        return (json.dumps(value, allow_nan=False, **form) + "\n").encode()


def shallow(value: Any) -> Any:
    """A JSON value itself. Raises ValueError where it is nested more than NESTED deep."""
    level, depth = [value], 0
    while level := [
        part
        for one in level
        if isinstance(one, (dict, list))
        for part in (one.values() if isinstance(one, dict) else one)
    ]:
        depth += 1
        if depth >= NESTED:
            raise ValueError("nested too deeply")
    return value


def read_json(path: Path) -> Any:
    """The value in a JSON file. Raises OSError where it can't be read and ValueError where it is not JSON, or
    is nested beyond reason.
    """
    try:
        return shallow(json.loads(path.read_text(encoding="utf-8")))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file, {} where there is none that can be read: for facts that something can do
    without.
    """
    try:
        value = read_json(path)
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def append_line(path: Path, value: Any) -> None:
    """Append one JSON line with a single write, so that concurrent readers see whole lines but for a tail cut
    by a crash.

    Where a crash left such a tail without its line end, a line end is written first, so that only the broken
    line is lost.
    """
    line = _as_json(value, separators=(",", ":"))
    with open(path, "ab+") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line)


def read_lines(path: Path, offset: int = 0) -> tuple[list[Any], int]:
    """The JSON objects on the whole lines after byte `offset`, and the offset to go on from.

    A last line without its line end is left for the next call; a line that is not JSON is skipped. A missing
    file reads as empty.
    """
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            data = file.read()
    except FileNotFoundError:
        return [], offset
    end = data.rfind(b"\n") + 1
    values = []
    for line in data[:end].splitlines():
        try:
            values.append(shallow(json.loads(line)))
        except (ValueError, RecursionError):
            continue
    return values, offset + end
