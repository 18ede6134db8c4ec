"""Limit how often a worker writes its outputs, and the fraction of the time that they take."""

import time
from collections.abc import Callable

CHUNK_SECONDS = 0.25  # length of a chunk of steps; the worker writes outputs only between chunks
GRID_SECONDS = 0.5  # plus up to a chunk: a page shows a new grid about every second
SHARE = 0.05  # default limit on the fraction of time that one kind of output may take
GRID_SHARE = 0.35  # higher, because people watch the grids


class Throttle:
    """An action due every `seconds`, start to start, or less often if it takes more than `share` of them."""

    def __init__(self, seconds: float, share: float = SHARE):
        self.seconds, self.share, self.due = seconds, share, 0.0

    def run(self, action: Callable[[], None], force: bool = False) -> None:
        """Run `action` if it is due or forced, and set the next due time."""
        start = time.monotonic()
        if force or start >= self.due:
            action()
            self.due = start + max(self.seconds, (time.monotonic() - start) / self.share)
