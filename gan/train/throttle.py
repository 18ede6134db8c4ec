"""How often a worker publishes, and what part of its time that may take."""

import time
from collections.abc import Callable

CHUNK_SECONDS = 0.25  # steps are taken in chunks of this length; nothing is published within one
GRID_SECONDS = 0.5  # and up to a chunk more, so that one is in sight about every second
SHARE = 0.05  # an output may cost this part of the training time; where it costs more it comes less often
GRID_SHARE = 0.35  # grids are what people watch


class Throttle:
    """Something due every so many seconds from start to start, or less often where it costs more than `share`
    of the time.
    """

    def __init__(self, seconds: float, share: float = SHARE):
        self.seconds, self.share, self.due = seconds, share, 0.0

    def run(self, action: Callable[[], None], force: bool = False) -> None:
        """Do `action` if it is due or forced, and set when it is due next."""
        start = time.monotonic()
        if force or start >= self.due:
            action()
            self.due = start + max(self.seconds, (time.monotonic() - start) / self.share)
