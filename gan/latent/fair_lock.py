"""A lock that is taken in the order of asking."""

import threading
from types import TracebackType


class FairLock:
    """A context manager that lets one thread in at a time, first come, first served.

    A threading.Lock may be taken again at once by the thread that has just released it, so that a long series
    of pictures would keep a slider waiting.
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
