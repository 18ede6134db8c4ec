"""Read and write files that other processes read: atomic replacement, and append-only JSON lines.

The readers survive a half-written last line.
"""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

NESTED = 50  # maximum depth of JSON, because code that writes it again is recursive
FULL = {errno.ENOSPC, errno.EDQUOT}  # errno of an OSError on a full disk or quota


def free_bytes(folder: Path) -> int:
    """Return the bytes that are free on the disk of a folder, or of its nearest parent that exists."""
    place = folder.absolute()
    return shutil.disk_usage(next(each for each in (place, *place.parents) if each.exists())).free


def replace_with(path: Path, write: Callable[[Path], Any], before: Callable[[], Any] = lambda: None) -> None:
    """Replace `path` atomically: `write` fills a temporary file, which is flushed and then renamed.

    `before` runs between flush and rename. A reader sees the old file or the new one, never a part. On any
    error the old file stays and the temporary file is deleted.
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
    """Replace `path` atomically with `data`. `before` runs once the data is safely on disk."""
    replace_with(path, lambda temporary: temporary.write_bytes(data), before)


def write_json(path: Path, value: Any) -> None:
    """Replace `path` atomically with `value` as indented JSON in UTF-8. Raises ValueError for NaN and inf."""
    write_bytes(path, _as_json(value, indent=1))


def _as_json(value: Any, **form: Any) -> bytes:
    """Return a value as JSON in UTF-8 with a line end.

    A file name that is no valid text contains surrogates (os.fsdecode), which need ASCII escapes.
    """
    try:
        return (json.dumps(value, ensure_ascii=False, allow_nan=False, **form) + "\n").encode()
    except UnicodeEncodeError:
        return (json.dumps(value, allow_nan=False, **form) + "\n").encode()


def shallow(value: Any) -> Any:
    """Return a JSON value unchanged. Raises ValueError if it is nested more than NESTED deep."""
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
    """Return the value in a JSON file. Raises OSError, or ValueError for invalid or deeply nested JSON."""
    try:
        return shallow(json.loads(path.read_text(encoding="utf-8")))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, or {} if there is none: for facts that the caller can do without."""
    try:
        value = read_json(path)
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def append_line(path: Path, value: Any) -> None:
    """Append a JSON line with a single write, so that readers see whole lines, except after a crash.

    If a crash left a last line without its line end, a line end comes first. Only the broken line is then
    lost.
    """
    line = _as_json(value, separators=(",", ":"))
    with open(path, "ab+") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line)


def read_lines(path: Path, offset: int = 0) -> tuple[list[Any], int]:
    """Return the JSON values on the whole lines after byte `offset`, and the next offset.

    The next call reads a last line without its line end. A line that is not JSON is skipped. A missing file
    reads as empty.
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
