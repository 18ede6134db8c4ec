"""Measure and limit the disk space of the directory of runs, and handle a full disk.

Adding up thousands of files takes longer than a page may wait. So a background thread measures for pages, and
its result stays valid for FRESH seconds. The check before a new run measures at once.
"""

import contextlib
import logging
import math
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from gan.errors import UserError
from gan.files import FULL, append_line, write_bytes
from gan.worker.events import RESTARTED

GB = 10**9
QUOTA_GB = 20.0
FRESH = 30.0  # seconds for which pages show a measurement
PATIENCE = 5.0  # seconds until the next measurement after the disk or the quota was full
LEARNT = (
    "state",
    "samples",
    "snapshots",
    "stats.jsonl",
    "eyes.json",
    "reals.webp",
    "live.safetensors",
    "scores.json",
    "commands",
    "data.json",
    "tensorboard",  # of gan.export.event_file, which is above this room
)
GONE, NEW = ".gone-", ".new-"  # prefixes that hide a run: while it is deleted, and while it is created
SPARE = 2**30  # bytes of disk space that uploads and downloads leave to the runs
RESERVE = ".reserve"  # the file that reserves disk space
RESERVE_BYTES = 1 << 16  # several blocks of any file system; a run's status takes less than one

T = TypeVar("T")


def parse_gigabytes(text: str) -> int:
    """Parse a number of GB and return it in bytes. Raises UserError."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise UserError("runs.bad_quota", text=text)
    return round(value * GB)


class Usage:
    """The sizes of the entries of `root`. `allowed` is the quota in bytes; 0 means no limit."""

    def __init__(self, root: Path, allowed: int = 0):
        self.root, self.allowed = root, allowed
        self._sizes: dict[str, int] | None = None
        self._until = 0.0
        self._began = float("-inf")  # start of the last measurement
        self._measuring = threading.Lock()

    def sizes(self) -> dict[str, int] | None:
        """Return the bytes of each entry as last measured, or None before the first measurement.

        Never waits: it renews an old measurement in the background.
        """
        if self._old() and not self._measuring.locked():
            threading.Thread(
                target=self._renew, args=(time.monotonic() - FRESH,), name="usage", daemon=True
            ).start()
        return self._sizes

    def check(self) -> None:
        """Raise UserError if the quota is used up. It measures as `measure` does."""
        if not self.allowed:
            return
        used = sum(self.measure().values())
        if used >= self.allowed:
            raise UserError("runs.quota", used=f"{used / GB:.3g}", allowed=f"{self.allowed / GB:.3g}")

    def measure(self) -> dict[str, int]:
        """Measure, and return the bytes of each entry. Simultaneous callers share one measurement."""
        self._renew(time.monotonic())
        return self._sizes or {}

    def forget(self) -> None:
        """Measure again at the next call, because something big was removed or added."""
        self._until = 0.0

    def _old(self) -> bool:
        return time.monotonic() >= self._until

    def _renew(self, since: float) -> None:
        """Measure, unless another thread has begun a measurement after `since`."""
        with self._measuring:
            if self._began < since or self._old():
                self._began = time.monotonic()
                self._until = self._began + FRESH  # set first, so that a `forget` meanwhile is not lost
                self._sizes = {
                    entry.name: _size(entry) for entry in _entries(self.root) if entry.name != RESERVE
                }


class Room:
    """Whether the disk has room for the next run. `lack` is the UserError of the last check, or None."""

    def __init__(self, usage: Usage):
        self._usage = usage
        self.lack: UserError | None = None
        self._not_before = 0.0

    def look(self) -> bool:
        """Measure and return whether there is room; after a failure at most once every PATIENCE seconds.

        Nothing shrinks by itself, so measuring more often would be useless.
        """
        if self.lack is None or time.monotonic() >= self._not_before:
            try:
                self._usage.check()
                self.lack = None
            except UserError as error:
                self.lack, self._not_before = error, time.monotonic() + PATIENCE
        return self.lack is None

    def refused(self) -> None:
        """Note that the disk was full when the next run was to start. The next `look` checks again."""
        self.lack = UserError("runs.disk_full")

    def ask_again(self) -> None:
        """Let the next `look` measure at once, because something was deleted."""
        self._not_before = 0.0


def size_of(path: Path) -> int:
    """Return the bytes of all files in a directory; 0 without one."""
    return sum(map(_size, _entries(path)))


def _size(entry: os.DirEntry) -> int:
    """Return the bytes of a file, or of all files in a directory, without links and vanished files."""
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
    """Rename a run's directory to a hidden name, which needs no disk space. Raises OSError if it can't."""
    os.rename(directory, directory.with_name(f"{GONE}{directory.name}-{time.time_ns()}"))


def fresh(root: Path) -> Path:
    """Create a hidden folder in `root` for a new run. After a crash, the next server deletes it."""
    return Path(tempfile.mkdtemp(prefix=NEW, dir=root))


def sweep(root: Path, *prefixes: str) -> None:
    """Delete the entries with one of these prefixes. The next sweep retries those that it can't delete."""
    for prefix in prefixes:
        for path in root.glob(f"{prefix}*"):
            if path.is_symlink():
                path.unlink(missing_ok=True)
            else:
                shutil.rmtree(path, ignore_errors=True)


def empty(directory: Path) -> None:
    """Delete what a run has learnt, checkpoints first, and note that it restarts.

    Its settings, name, history and log stay. Raises OSError if something can't be deleted.
    """
    for path in (directory / name for name in LEARNT):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    event = {"time": round(time.time(), 3), "key": RESTARTED, "values": {}}
    append_line(directory / "events.jsonl", event)


class Reserve:
    """The file that reserves disk space in `root`."""

    def __init__(self, root: Path):
        self._path = Path(root) / RESERVE
        self._not_before = 0.0

    def keep(self) -> None:
        """Create the file if it is missing and the disk has room."""
        if time.monotonic() < self._not_before or self._path.exists():
            return
        self._not_before = time.monotonic() + PATIENCE
        with contextlib.suppress(OSError):  # the disk is full; other writes report it
            write_bytes(self._path, bytes(RESERVE_BYTES))

    def spend(self, action: Callable[[], T]) -> T:
        """Run an action that writes a little. If the disk is full, delete the reserve and run it once more.

        The action may thus begin twice.
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
    """Turn an OSError from writing to the runs' directory into a UserError that people can act on."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise UserError("runs.disk_full") from error
        raise UserError("runs.cannot_write", reason=error.strerror or type(error).__name__) from error


class Complaints:
    """Logs a background failure that repeats every few seconds only once, until it changes or ends."""

    def __init__(self, log: logging.Logger):
        self._log, self._said = log, ""

    def tell(self, error: Exception) -> bool:
        """Log the error, without a traceback for a full disk. Return whether the disk is full."""
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
        """Note a success: the log reports the next failure again."""
        self._said = ""
