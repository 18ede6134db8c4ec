"""How much the directory of runs holds, and how much it may.

What pages show is measured in a thread of its own and kept for a while, because adding up thousands of files
takes longer than a page may wait. Where it decides what may be started it is measured then.
"""

import contextlib
import logging
import math
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from gan.errors import UserError
from gan.files import FULL, write_bytes

GB = 10**9
QUOTA_GB = 20.0
FRESH = 30.0  # seconds that a measurement is good for in a page
PATIENCE = 5.0  # seconds until room is looked for again where there was none
LEARNT = ("state", "samples", "snapshots", "stats.jsonl", "live.safetensors", "commands", "data.json")
GONE, NEW = ".gone-", ".new-"  # hidden names: of what is being deleted, and of what is being made
RESERVE = ".reserve"  # the file that holds a little space back
RESERVE_BYTES = 1 << 16  # some blocks of any file system; the status of a run takes less than one

T = TypeVar("T")


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
        """Bytes of each entry as last measured; None before the first time. Never waits: what is old is
        measured anew in the background.
        """
        if self._old() and not self._measuring.locked():
            threading.Thread(
                target=self._renew, args=(time.monotonic() - FRESH,), name="usage", daemon=True
            ).start()
        return self._sizes

    def check(self) -> None:
        """Raises UserError where nothing more may be kept. Of several threads that ask together one measures
        for all.
        """
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
                # set first: what is forgotten while we measure is measured again
                self._until = self._began + FRESH
                self._sizes = {
                    entry.name: _size(entry) for entry in _entries(self.root) if entry.name != RESERVE
                }


class Room:
    """Whether there is room for the next run. `lack` is the UserError that says why there was none when last
    looked for, else None.
    """

    def __init__(self, usage: Usage):
        self._usage = usage
        self.lack: UserError | None = None
        self._not_before = 0.0

    def look(self) -> bool:
        """Measure, and tell; not again and again where there was none, because nothing grows smaller by
        itself.
        """
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
    """Bytes of a file, or of all files in a directory; links are not followed, and what vanishes meanwhile
    counts nothing.
    """
    try:
        return (
            sum(map(_size, _entries(entry.path)))
            if entry.is_dir(follow_symlinks=False)
            else entry.stat(follow_symlinks=False).st_size
        )
    except OSError:
        return 0


def _entries(path: Path | str) -> list[os.DirEntry]:
    try:
        with os.scandir(path) as found:
            return list(found)
    except OSError:
        return []


def hide(directory: Path) -> None:
    """Take a run's directory out of sight. Needs no space on the disk. Raises OSError where it can't be
    renamed.
    """
    os.rename(directory, directory.with_name(f"{GONE}{directory.name}-{time.time_ns()}"))


def sweep(root: Path, *prefixes: str) -> None:
    """Remove what has one of these hidden names. What can't be removed now is left for the next sweep."""
    for prefix in prefixes:
        for path in root.glob(f"{prefix}*"):
            if path.is_symlink():
                path.unlink(missing_ok=True)
            else:
                shutil.rmtree(path, ignore_errors=True)


def empty(directory: Path) -> None:
    """Remove what a run has learnt, checkpoints first; its settings, name, history and log stay. Raises
    OSError where something can't be removed.
    """
    for path in (directory / name for name in LEARNT):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


class Reserve:
    """The file that holds the space in `root`."""

    def __init__(self, root: Path):
        self._path = Path(root) / RESERVE
        self._not_before = 0.0

    def keep(self) -> None:
        """Take the space where it is not taken, and there is room."""
        if time.monotonic() < self._not_before or self._path.exists():
            return
        self._not_before = time.monotonic() + PATIENCE
        with contextlib.suppress(OSError):  # a full disk; all else tells
            write_bytes(self._path, bytes(RESERVE_BYTES))

    def spend(self, action: Callable[[], T]) -> T:
        """Do something that writes a little; where the disk is full, once more with the space given up.
        `action` may thus be begun twice.
        """
        try:
            return action()
        except OSError as error:
            if error.errno not in FULL or not self._path.exists():
                raise
        self._path.unlink(missing_ok=True)
        self._not_before = time.monotonic() + PATIENCE
        return action()


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Turn an OSError from writing into the runs' directory into a UserError: people can make room, a
    traceback helps nobody.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise UserError("runs.disk_full") from error
        raise UserError("runs.cannot_write", reason=error.strerror or type(error).__name__) from error


class Complaints:
    """What fails in the background and is tried again every few seconds: the log says it once, until it is
    something else or all has been well.
    """

    def __init__(self, log: logging.Logger):
        self._log, self._said = log, ""

    def tell(self, error: Exception) -> bool:
        """Log it, with its traceback unless it is a full disk; returns whether it is that."""
        full = isinstance(error, OSError) and error.errno in FULL
        said = "the disk is full" if full else repr(error)
        if said != self._said:
            again = "and tries again every few seconds, which is not said again"
            self._log.error(
                "the supervisor failed %s%s",
                again,
                ": the disk is full" if full else "",
                exc_info=None if full else error,
            )
        self._said = said
        return full

    def over(self) -> None:
        """All went well."""
        self._said = ""
