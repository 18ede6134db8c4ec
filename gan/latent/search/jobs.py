"""Work of seconds for one visitor, done bit by bit only while that visitor asks how it goes. Imports no
torch.
"""

import math
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gan.errors import UserError

ABREAST = 2  # pieces of work that go on; others wait in the order of their coming
MOST = 64  # pieces of work that there are at once
PATIENCE = 5.0  # seconds without a question after which a visitor is taken to have left


class Jobs:
    """Keeps work under names that can't be guessed. No thread belongs to it: what nobody asks for takes no
    time, and is let go after PATIENCE.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock, self._lock = clock, threading.Lock()
        self._jobs: OrderedDict[str, tuple[Any, list[float]]] = OrderedDict()

    def add(self, work: Any) -> str:
        """Keep work in memory; its name. Raises UserError where there is too much already."""
        with self._lock:
            self._sweep()
            if len(self._jobs) >= MOST:
                raise UserError("ui.busy")
            name = secrets.token_urlsafe(12)
            self._jobs[name] = (work, [self._clock()])
            return name

    @contextmanager
    def asked(self, name: str) -> Iterator[tuple[Any, int]]:
        """While a question is answered, however long that takes: the work of a name, and how many have to end
        before it may go on, 0 where it may now.

        Raises UserError for one that is over or was let go.
        """
        with self._lock:
            self._sweep()
            if name not in self._jobs:
                raise UserError("latent.search_over")
            work, last = self._jobs[name]
            last[0] = math.inf
            ahead = max(0, list(self._jobs).index(name) + 1 - ABREAST)
        try:
            yield work, ahead
        finally:
            with self._lock:
                last[0] = self._clock()

    def end(self, name: str) -> None:
        """Let go of work; nothing happens where it is gone already."""
        with self._lock:
            self._jobs.pop(name, None)

    def __len__(self) -> int:
        with self._lock:
            self._sweep()
            return len(self._jobs)

    def _sweep(self) -> None:
        late = self._clock() - PATIENCE
        for name in [name for name, (_, last) in self._jobs.items() if last[0] < late]:
            del self._jobs[name]
