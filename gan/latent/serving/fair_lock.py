"""A lock that serves threads in the order of their requests."""

import threading
from types import TracebackType


class FairLock:
    """A context manager that admits one thread at a time, first come, first served.

    A thread that releases a threading.Lock may take it again before others. A long series of images would
    then block a slider.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._next = self._serving = 0

    def __enter__(self) -> None:
        with self._changed:
            mine = self._next
            self._next += 1
            self._changed.wait_for(lambda: self._serving == mine)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._serving += 1
            self._changed.notify_all()
