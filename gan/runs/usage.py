"""How much the directory of runs holds, and how much it may.

What pages show is measured in a thread of its own and kept for a while, because adding up thousands of files takes longer than a page may wait. Where it
decides what may be started it is measured then.
"""

import math
import os
import threading
import time
from pathlib import Path

from gan.errors import UserError
from gan.runs import reserve

GB = 10**9
QUOTA_GB = 20.0
FRESH = 30.0  # seconds that a measurement is good for in a page
PATIENCE = 5.0  # seconds until room is looked for again where there was none


def parse_gigabytes(text: str) -> int:
    """GB as somebody writes them, in bytes. Raises UserError."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise UserError("runs.bad_quota", text=text)
    return round(value * GB)


class Usage:
    """The sizes of what lies in `root`. `allowed` is in bytes; 0 allows everything."""

    def __init__(self, root: Path, allowed: int = 0):
        self.root, self.allowed = root, allowed
        self._sizes: dict[str, int] | None = None
        self._until = 0.0
        self._began = float("-inf")  # of the last measurement
        self._measuring = threading.Lock()

    def sizes(self) -> dict[str, int] | None:
        """Bytes of each entry as last measured; None before the first time. Never waits: what is old is measured anew in the background."""
        if self._old() and not self._measuring.locked():
            threading.Thread(target=self._renew, args=(time.monotonic() - FRESH,), name="usage", daemon=True).start()
        return self._sizes

    def check(self) -> None:
        """Raises UserError where nothing more may be kept. Of several threads that ask together one measures for all."""
        if not self.allowed:
            return
        self._renew(time.monotonic())
        used = sum((self._sizes or {}).values())
        if used >= self.allowed:
            raise UserError("runs.quota", used=f"{used / GB:.3g}", allowed=f"{self.allowed / GB:.3g}")

    def forget(self) -> None:
        """Something big was removed or added: measure again when next asked."""
        self._until = 0.0

    def _old(self) -> bool:
        return time.monotonic() >= self._until

    def _renew(self, since: float) -> None:
        """Measure, unless another thread has begun to since then."""
        with self._measuring:
            if self._began < since or self._old():
                self._began = time.monotonic()
                self._until = self._began + FRESH  # set first: what is forgotten while we measure is measured again
                self._sizes = {entry.name: _size(entry) for entry in _entries(self.root) if entry.name != reserve.NAME}


class Room:
    """Whether there is room for the next run. `lack` is the UserError that says why there was none when last looked for, else None."""

    def __init__(self, usage: Usage):
        self._usage = usage
        self.lack: UserError | None = None
        self._not_before = 0.0

    def look(self) -> bool:
        """Measure, and tell; not again and again where there was none, because nothing grows smaller by itself."""
        if self.lack is None or time.monotonic() >= self._not_before:
            try:
                self._usage.check()
                self.lack = None
            except UserError as error:
                self.lack, self._not_before = error, time.monotonic() + PATIENCE
        return self.lack is None

    def refused(self) -> None:
        """The disk was full when the next run was to be started; the next look tells whether it still is."""
        self.lack = UserError("runs.disk_full")

    def ask_again(self) -> None:
        """Something was deleted: look at once the next time."""
        self._not_before = 0.0


def _size(entry: os.DirEntry) -> int:
    """Bytes of a file, or of all files in a directory; links are not followed, and what vanishes meanwhile counts nothing."""
    try:
        return sum(map(_size, _entries(entry.path))) if entry.is_dir(follow_symlinks=False) else entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0


def _entries(path: Path | str) -> list[os.DirEntry]:
    try:
        with os.scandir(path) as found:
            return list(found)
    except OSError:
        return []
