"""Files of a run that a worker is still writing, parsed once for any number of viewers.

None of these readers raises for what it finds on disk: a missing, half-written or garbled file reads as one, because a page with thirty
viewers must outlive a bad disk.
"""

import json
import math
import os
import sys
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any

# A file system stamps times in steps of up to 10 ms or so and gives inode numbers out again, so two replacements within one step can look like
# one. A file that was changed this recently is therefore read again the next time (git's index has the same rule for the same reason).
RACY_SECONDS = 0.1


def read_bytes(path: str) -> bytes | None:
    """A file's bytes, or None where it can't be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def listing(path: str) -> bytes | None:
    """The names in a directory, one a line: for a CachedFile over a directory, whose time changes with its entries."""
    try:
        return "\n".join(os.listdir(path)).encode("utf-8", "surrogateescape")
    except OSError:
        return None


class CachedFile:
    """What `parse` makes of a path's bytes (None where it can't be read), made again only after the file was replaced or written."""

    def __init__(self, path: str, parse: Callable[[bytes | None], Any], load: Callable[[str], bytes | None] = read_bytes):
        self.path = path
        self._parse = parse
        self._load = load
        self._cached: tuple[tuple[int, int, int], Any] | None = None

    def read(self) -> Any:
        """The parsed content. The value is shared by all callers, who must not change it."""
        try:
            found = os.stat(self.path)
        except OSError:
            return self._parse(None)
        seen = (found.st_mtime_ns, found.st_ino, found.st_size)
        cached = self._cached
        if cached is not None and cached[0] == seen:
            return cached[1]
        # The time is taken before reading: what is written while we read is then younger than this, and read again.
        settled = time.time() - found.st_mtime > RACY_SECONDS
        value = self._parse(self._load(self.path))
        self._cached = (seen, value) if settled else None
        return value


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        _refuse(text)
    return value


_DECODER = json.JSONDecoder(parse_constant=_refuse)  # made once: json.loads with an option makes one each time, which costs more than the decoding
_WARY = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)  # 1e999 is JSON, but becomes infinity; too slow for thousands of lines


def parse_json(data: bytes | None) -> Any:
    """The value in JSON bytes (UTF-8). Raises ValueError for anything else, NaN and infinity included: they can't be sent to a page."""
    if data is None:
        raise ValueError("the file can't be read")
    return _decode(data, _WARY)


def _decode(data: bytes, decoder: json.JSONDecoder) -> Any:
    try:
        return decoder.decode(data.decode())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


class StatsFile:
    """The lines of stats.jsonl. Each call of `lines` reads only what was appended since the last one.

    Where the file was replaced, or cut back because its run went on from an older checkpoint, everything is read again.
    """

    def __init__(self, path: str):
        self.path = path
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._lines: list[dict[str, Any]] = []
        self._offset, self._inode, self._last = 0, -1, b""

    def lines(self) -> list[dict[str, Any]]:
        """All readable lines so far, oldest first. The list grows with later calls; callers must not change it."""
        with self._lock:
            try:
                with open(self.path, "rb") as file:
                    self._read_on(file)
            except OSError:
                self._forget()
            return self._lines

    def _read_on(self, file: Any) -> None:
        found = os.fstat(file.fileno())
        if found.st_ino == self._inode and found.st_size == self._offset:
            return
        # The last line is read once more: where it is no longer there, somebody rewrote what stands before it.
        file.seek(self._offset - len(self._last))
        data = file.read()
        if found.st_ino != self._inode or found.st_size < self._offset or not data.startswith(self._last):
            self._forget()
            file.seek(0)
            data = file.read()
        self._inode = found.st_ino
        self._take(data[len(self._last) :])

    def _take(self, data: bytes) -> None:
        """Keep the whole lines of `data`; a last line without its line end is left for the next call."""
        end = data.rfind(b"\n") + 1
        if end == 0:
            return
        for raw in data[:end].splitlines():
            line = _stats_line(raw)
            if line is not None:
                self._lines.append(line)
        self._last = data[data.rfind(b"\n", 0, end - 1) + 1 : end]
        self._offset += end


def _stats_line(raw: bytes) -> dict[str, Any] | None:
    """The numbers on one line (others are dropped), or None where the line is not a JSON object."""
    try:
        value = _decode(raw, _DECODER)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    # Interned names: a long run has tens of thousands of lines, and each would else carry its own copies.
    return {sys.intern(name): number for name, number in value.items() if number is None or is_number(number)}


def mark(line: dict[str, Any]) -> str:
    """A short digest of one line of statistics: whoever holds lines can tell by their last one whether they still stand in the file."""
    return f"{zlib.crc32(json.dumps(line, sort_keys=True).encode()):08x}"


def is_number(value: Any) -> bool:
    """Whether `value` is an int or a finite float (a bool is not)."""
    return type(value) is int or (type(value) is float and math.isfinite(value))


def thin(lines: list[Any], limit: int) -> list[Any]:
    """At most `limit` (2 or more) of `lines`, evenly spaced, the first and the last among them."""
    count = len(lines)
    if count <= limit:
        return list(lines)
    return [lines[round(place * (count - 1) / (limit - 1))] for place in range(limit)]
