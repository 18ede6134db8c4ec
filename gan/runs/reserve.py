"""A little of the disk that is kept back, so that on a full one runs can still be paused, stopped, ended and taken out of the queue."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from gan.files import FULL, write_bytes

NAME = ".reserve"
BYTES = 1 << 16  # some blocks of any file system; the status of a run takes less than one
PATIENCE = 5.0  # seconds from one attempt to take it to the next

T = TypeVar("T")


class Reserve:
    """The file that holds the space in `root`."""

    def __init__(self, root: Path):
        self._path = Path(root) / NAME
        self._not_before = 0.0

    def keep(self) -> None:
        """Take the space where it is not taken, and there is room."""
        if time.monotonic() < self._not_before or self._path.exists():
            return
        self._not_before = time.monotonic() + PATIENCE
        with contextlib.suppress(OSError):  # a full disk; all else tells
            write_bytes(self._path, bytes(BYTES))

    def spend(self, action: Callable[[], T]) -> T:
        """Do something that writes a little; where the disk is full, once more with the space given up. `action` may thus be begun twice."""
        try:
            return action()
        except OSError as error:
            if error.errno not in FULL or not self._path.exists():
                raise
        self._path.unlink(missing_ok=True)
        self._not_before = time.monotonic() + PATIENCE
        return action()
