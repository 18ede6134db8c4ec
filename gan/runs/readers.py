"""Read the files that a worker is still writing, parsed once for any number of viewers.

No reader raises for the content of a file. It treats a half-written or garbled file as a missing one, because
a page with thirty viewers must survive a bad disk.
"""

import json
import math
import os
import re
import sys
import threading
import time
import zlib
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

from gan.files import shallow

_SAMPLE = re.compile(r"([0-9]{8,})\.webp")
# File systems stamp times in steps of about 10 ms and reuse inode numbers: two replacements can look alike.
# The next call therefore rereads a file that changed this recently, as git's index does.
RACY_SECONDS = 0.1
INDEXED = 1 << 14  # lines of statistics with a known file offset: over an hour of training
NEWEST = 64  # newest lines in memory: polls rarely ask for older ones
EVENTS_SHOWN = 20  # the newest
PLACE, LINE = 16, 1200  # bytes of memory for an offset, and for a line


def read_bytes(path: str) -> bytes | None:
    """Return a file's bytes, or None if it can't be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def listing(path: str) -> bytes | None:
    """Return the names in a directory, one a line, for a CachedFile: new entries change its time."""
    try:
        return "\n".join(os.listdir(path)).encode("utf-8", "surrogateescape")
    except OSError:
        return None


class CachedFile:
    """The result of `parse` on a file's bytes (None if unreadable), kept until the file changes.

    If an existing file can't be read for a moment, the last result stands. Reasons are too many open files,
    or a disk error.
    """

    def __init__(
        self,
        path: str,
        parse: Callable[[bytes | None], Any],
        load: Callable[[str], bytes | None] = read_bytes,
    ):
        self.path = path
        self._parse = parse
        self._load = load
        self._cached: tuple[tuple[int, int, int], Any] | None = None

    def read(self) -> Any:
        """Return the parsed content. All callers share it and must not change it."""
        try:
            found = os.stat(self.path)
        except OSError:
            return self._parse(None)
        seen = (found.st_mtime_ns, found.st_ino, found.st_size)
        cached = self._cached
        if cached is not None and cached[0] == seen:
            return cached[1]
        # compared before reading, so that a write during the read makes the next call read again
        settled = time.time() - found.st_mtime > RACY_SECONDS
        data = self._load(self.path)
        if data is None:
            return cached[1] if cached is not None else self._parse(None)
        value = self._parse(data)
        self._cached = (seen, value) if settled else None
        return value


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        _refuse(text)
    return value


# json.loads with an option would build a decoder at each call, which costs more than the decoding
_DECODER = json.JSONDecoder(parse_constant=_refuse)
# also refuses 1e999, which becomes infinity; too slow for thousands of lines
_WARY = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)


def parse_json(data: bytes | None) -> Any:
    """Parse JSON in UTF-8. Raises ValueError for anything else, and for NaN, infinity and deep nesting.

    A page could not receive those values.
    """
    if data is None:
        raise ValueError("the file can't be read")
    return shallow(_decode(data, _WARY))


def _decode(data: bytes, decoder: json.JSONDecoder) -> Any:
    try:
        return decoder.decode(data.decode())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


class AppendedLines:
    """A file of lines that a worker appends to. `_read_on` gives each new whole line to `_take`, once.

    `_forget` runs after a replacement, or when the file was cut because the run resumed from an older
    checkpoint; all lines then come again. Both run under `_lock`.
    """

    def __init__(self, path: str):
        self.path = path
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._offset, self._inode, self._last = 0, -1, b""

    def _take(self, raw: bytes) -> None:
        """Take a line, which begins at `_offset`."""
        raise NotImplementedError

    def _read_on(self, file: BinaryIO) -> None:
        found = os.fstat(file.fileno())
        if found.st_ino == self._inode and found.st_size == self._offset:
            return
        # if the last line has changed, somebody rewrote the file: forget everything
        file.seek(self._offset - len(self._last))
        if (
            found.st_ino != self._inode
            or found.st_size < self._offset
            or file.read(len(self._last)) != self._last
        ):
            self._forget()
            file.seek(0)
        self._inode = found.st_ino
        for raw in file:
            if not raw.endswith(b"\n"):  # half written; the next call reads it
                break
            self._take(raw)
            self._last = raw
            self._offset += len(raw)


class StatsFile(AppendedLines):
    """The lines of stats.jsonl. Memory holds file offsets and the newest lines: at most 400 KB for any run.

    Each call reads only the lines that it returns and those appended since the last call. It rereads the
    whole file after a replacement, or when the file was cut because the run resumed from an older checkpoint.
    Beyond INDEXED lines it thins the offsets of older lines evenly: every second, fourth, eighth... stays.
    """

    def _forget(self) -> None:
        super()._forget()
        # numbers and file offsets of the indexed lines, ascending; older ones are _stride lines apart
        self._numbers, self._places = array("q"), array("q")
        self._stride = 1
        self._count = 0
        self._newest: deque[dict[str, Any]] = deque(maxlen=NEWEST)

    @property
    def held(self) -> int:
        """Approximate memory, in bytes."""
        return PLACE * len(self._numbers) + LINE * (len(self._newest) + 1)

    def follow(self, since: int, last: str, limit: int) -> tuple[list[dict[str, Any]], int, int]:
        """Return up to `limit` lines after the first `since`, the number of lines, and the `since` used.

        See Store.follow. If the offset of the line for `last` was thinned out, it starts again from 0.
        """
        with self._lock:
            try:
                with open(self.path, "rb") as file:
                    self._read_on(file)
                    stands = 0 < since <= self._count and (not last or self._mark(file, since - 1) == last)
                    start = since if stands else 0
                    # the next indexed line replaces one that was thinned out; the last line is always indexed
                    wanted = dict.fromkeys(
                        bisect_left(self._numbers, number)
                        for number in thin(range(start, self._count), limit)
                    )
                    lines = [self._line(file, index) for index in wanted]
            except OSError:
                self._forget()
                return [], 0, 0
            return [line for line in lines if line is not None], self._count, start

    def _mark(self, file: BinaryIO, number: int) -> str | None:
        index = bisect_left(self._numbers, number)
        line = self._line(file, index) if self._numbers[index] == number else None
        return None if line is None else mark(line)

    def _line(self, file: BinaryIO, index: int) -> dict[str, Any] | None:
        """Return an indexed line; None if somebody wrote into the file since."""
        recent = self._numbers[index] - self._count + len(self._newest)
        if recent >= 0:
            return self._newest[recent]
        file.seek(self._places[index])
        return stats_line(file.readline())

    def _take(self, raw: bytes) -> None:
        line = stats_line(raw)
        if line is not None:
            self._numbers.append(self._count)
            self._places.append(self._offset)
            self._newest.append(line)
            self._count += 1
            if len(self._numbers) > INDEXED:
                self._thin()

    def _thin(self) -> None:
        """Thin the offsets before the last INDEXED / 2 lines to at most half as many.

        The index is then a quarter below INDEXED, so this runs seldom.
        """
        recent = self._count - INDEXED // 2
        while True:
            kept = [
                index
                for index, number in enumerate(self._numbers)
                if number >= recent or number % self._stride == 0
            ]
            if len(kept) <= INDEXED * 3 // 4:
                break
            self._stride *= 2
        self._numbers = array("q", [self._numbers[index] for index in kept])
        self._places = array("q", [self._places[index] for index in kept])


def stats_line(raw: bytes) -> dict[str, Any] | None:
    """Return the numbers on a line, without its other fields; None if the line is no JSON object."""
    try:
        value = _decode(raw, _DECODER)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    # interned: otherwise each of tens of thousands of lines would carry its own copies of the names
    return {sys.intern(name): number for name, number in value.items() if number is None or is_number(number)}


def mark(line: dict[str, Any]) -> str:
    """Return a short digest of a line, with which a viewer checks that the file still has its last line."""
    return f"{zlib.crc32(json.dumps(line, sort_keys=True).encode()):08x}"


def is_number(value: Any) -> bool:
    """Return whether `value` is an int or a finite float (a bool is not)."""
    return type(value) is int or (type(value) is float and math.isfinite(value))


def thin(lines: Sequence[Any], limit: int) -> list[Any]:
    """Return at most `limit` (2 or more) of `lines`, evenly spaced, with the first and the last."""
    count = len(lines)
    if count <= limit:
        return list(lines)
    return [lines[round(place * (count - 1) / (limit - 1))] for place in range(limit)]


def parse_samples(names: bytes | None) -> list[int]:
    """Return the steps of the sample sheets in a listing, ascending."""
    found = (_SAMPLE.fullmatch(name) for name in (names or b"").decode("utf-8", "replace").split("\n"))
    return sorted(int(match[1]) for match in found if match)


def parse_events(data: bytes | None) -> list[dict[str, Any]]:
    """Return the newest EVENTS_SHOWN events of events.jsonl; what is none is left out."""
    events = []
    for raw in (data or b"").splitlines()[-EVENTS_SHOWN:]:
        try:
            event = parse_json(raw)
        except ValueError:
            continue
        if (
            isinstance(event, dict)
            and is_number(event.get("time"))
            and isinstance(event.get("key"), str)
            and isinstance(event.get("values"), dict)
        ):
            events.append({name: event[name] for name in ("time", "key", "values")})
    return events
