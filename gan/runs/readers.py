"""Files of a run that a worker is still writing, parsed once for any number of viewers.

None of these readers raises for what it finds on disk: a missing, half-written or garbled file reads as one,
because a page with thirty viewers must outlive a bad disk.
"""

import json
import math
import os
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

# A file system stamps times in steps of up to 10 ms or so and gives inode numbers out again, so two
# replacements within one step can look like one. A file that was changed this recently is therefore read
# again the next time (git's index has the same rule for the same reason).
RACY_SECONDS = 0.1
# lines of statistics whose places are kept: more than an hour of training, and many times what is ever shown
INDEXED = 1 << 14
NEWEST = 64  # of them that are kept whole: polls ask for hardly anything else
PLACE, LINE = 16, 1200  # bytes that one of them takes, and one of these


def read_bytes(path: str) -> bytes | None:
    """A file's bytes, or None where it can't be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def listing(path: str) -> bytes | None:
    """The names in a directory, one a line: for a CachedFile over a directory, whose time changes with its
    entries.
    """
    try:
        return "\n".join(os.listdir(path)).encode("utf-8", "surrogateescape")
    except OSError:
        return None


class CachedFile:
    """What `parse` makes of a path's bytes (None where it can't be read), made again only after the file was
    replaced or written.

    A file that is there and can't be read for once, because the process has too many open or the disk
    stumbled, is what it was before, and tried again.
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
        """The parsed content. The value is shared by all callers, who must not change it."""
        try:
            found = os.stat(self.path)
        except OSError:
            return self._parse(None)
        seen = (found.st_mtime_ns, found.st_ino, found.st_size)
        cached = self._cached
        if cached is not None and cached[0] == seen:
            return cached[1]
        # The time is taken before reading: what is written while we read is then younger than this, and read
        # again.
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


# made once: json.loads with an option makes one each time, which costs more than the decoding
_DECODER = json.JSONDecoder(parse_constant=_refuse)
# 1e999 is JSON, but becomes infinity; too slow for thousands of lines
_WARY = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)


def parse_json(data: bytes | None) -> Any:
    """The value in JSON bytes (UTF-8). Raises ValueError for anything else, NaN, infinity and deep nesting
    included: they can't be sent to a page.
    """
    if data is None:
        raise ValueError("the file can't be read")
    return shallow(_decode(data, _WARY))


def _decode(data: bytes, decoder: json.JSONDecoder) -> Any:
    try:
        return decoder.decode(data.decode())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


class StatsFile:
    """The lines of stats.jsonl, of which only the places in the file are kept, and the newest lines
    themselves: 400 KB at the most, however long a run is.

    Each call reads only what was appended since the last one, and the lines that it returns. Where the file
    was replaced, or cut back because its run went on from an older checkpoint, everything is read again.
    Beyond INDEXED lines the places of the older ones are thinned evenly, to those of every second, fourth,
    eighth... line.
    """

    def __init__(self, path: str):
        self.path = path
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._numbers, self._places = array("q"), array("q")  # of the lines that are indexed, ascending
        self._stride = 1  # of the older ones among them
        self._count = 0
        self._newest: deque[dict[str, Any]] = deque(maxlen=NEWEST)
        self._offset, self._inode, self._last = 0, -1, b""

    @property
    def held(self) -> int:
        """About how many bytes of memory it takes."""
        return PLACE * len(self._numbers) + LINE * (len(self._newest) + 1)

    def follow(self, since: int, last: str, limit: int) -> tuple[list[dict[str, Any]], int, int]:
        """At most `limit` readable lines after the first `since`, how many there are in all, and the `since`
        that they follow: see Store.follow.

        What can't be compared with `last` any more, because that line's place was thinned out, is answered as
        if it did not stand.
        """
        with self._lock:
            try:
                with open(self.path, "rb") as file:
                    self._read_on(file)
                    stands = 0 < since <= self._count and (not last or self._mark(file, since - 1) == last)
                    start = since if stands else 0
                    # Where the place of a wanted line is gone, the next one that is left stands for it; the
                    # last line always is.
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
        """An indexed line; None where somebody wrote into the file since it was indexed."""
        recent = self._numbers[index] - self._count + len(self._newest)
        if recent >= 0:
            return self._newest[recent]
        file.seek(self._places[index])
        return _stats_line(file.readline())

    def _read_on(self, file: BinaryIO) -> None:
        found = os.fstat(file.fileno())
        if found.st_ino == self._inode and found.st_size == self._offset:
            return
        # The last line is read once more: where it is no longer there, somebody rewrote what stands before
        # it.
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
            if not raw.endswith(b"\n"):  # left for the next call
                break
            self._take(raw)

    def _take(self, raw: bytes) -> None:
        line = _stats_line(raw)
        if line is not None:
            self._numbers.append(self._count)
            self._places.append(self._offset)
            self._newest.append(line)
            self._count += 1
            if len(self._numbers) > INDEXED:
                self._thin()
        self._last = raw
        self._offset += len(raw)

    def _thin(self) -> None:
        """Forget places of lines before the last INDEXED / 2, until the others are half as many at the most:
        so it is seldom done.
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
    """A short digest of one line of statistics: whoever holds lines can tell by their last one whether they
    still stand in the file.
    """
    return f"{zlib.crc32(json.dumps(line, sort_keys=True).encode()):08x}"


def is_number(value: Any) -> bool:
    """Whether `value` is an int or a finite float (a bool is not)."""
    return type(value) is int or (type(value) is float and math.isfinite(value))


def thin(lines: Sequence[Any], limit: int) -> list[Any]:
    """At most `limit` (2 or more) of `lines`, evenly spaced, the first and the last among them."""
    count = len(lines)
    if count <= limit:
        return list(lines)
    return [lines[round(place * (count - 1) / (limit - 1))] for place in range(limit)]
