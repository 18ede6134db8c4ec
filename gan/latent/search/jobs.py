"""Jobs of several seconds that advance only while their visitor polls. Imports no torch."""

import math
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gan.errors import UserError

ABREAST = 2  # jobs that may advance; the others wait in the order of their arrival
MAX_JOBS = 64  # jobs at once
PATIENCE = 5.0  # seconds without a poll after which a visitor counts as gone


class Jobs:
    """Jobs under unguessable names.

    No thread belongs to them. A job that nobody polls takes no processor time, and is deleted after PATIENCE.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock, self._lock = clock, threading.Lock()
        self._jobs: OrderedDict[str, tuple[Any, list[float]]] = OrderedDict()

    def add(self, work: Any) -> str:
        """Store a job and return its name. Raises UserError if there are too many."""
        with self._lock:
            self._sweep()
            if len(self._jobs) >= MAX_JOBS:
                raise UserError("ui.busy")
            name = secrets.token_urlsafe(12)
            self._jobs[name] = (work, [self._clock()])
            return name

    @contextmanager
    def asked(self, name: str) -> Iterator[tuple[Any, int]]:
        """A context for answering one poll, however long it takes.

        It gives the job and the number of jobs that must end before this one may advance (0: now). Raises
        UserError for a job that ended or was deleted.
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
        """Delete a job, if it still exists."""
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
