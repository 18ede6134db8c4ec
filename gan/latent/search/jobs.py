"""Jobs of several seconds that advance only while their visitor polls. Imports no torch."""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gan.errors import UserError

ABREAST = 2  # jobs that may advance; the others wait in the order of their arrival
MAX_JOBS = 64  # jobs at once
PATIENCE = 5.0  # seconds without a poll after which a visitor counts as gone


@dataclass
class Job:
    """last: time of the last poll. polls: how many are being answered, or wait for their turn."""

    work: Any
    last: float
    polls: int = 0


class Jobs:
    """Jobs under unguessable names.

    No thread belongs to them. A job that nobody polls takes no processor time, and is deleted after PATIENCE.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock, self._lock = clock, threading.Lock()
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    def add(self, work: Any) -> str:
        """Store a job and return its name. Raises UserError if there are too many."""
        with self._lock:
            self._sweep()
            if len(self._jobs) >= MAX_JOBS:
                raise UserError("ui.busy")
            name = secrets.token_urlsafe(12)
            self._jobs[name] = Job(work, self._clock())
            return name

    @contextmanager
    def asked(self, name: str) -> Iterator[tuple[Any, int]]:
        """A context for answering one poll, however long it takes.

        It gives the job and the number of jobs that must end before this one may advance (0: now). Raises
        UserError for a job that ended or was deleted.
        """
        with self.kept(name):
            with self._lock:
                if name not in self._jobs:
                    raise UserError("latent.search_over")
                job = self._jobs[name]
                ahead = max(0, list(self._jobs).index(name) + 1 - ABREAST)
            yield job.work, ahead

    @contextmanager
    def kept(self, name: str) -> Iterator[None]:
        """A context in which a job is not deleted, because its visitor has asked. It may have ended.

        It serves also for a poll that waits for a thread, or that finds no place where it could wait: a busy
        server must not take the visitor for gone.
        """
        with self._lock:
            self._sweep()
            job = self._jobs.get(name)
            if job is not None:
                job.polls += 1
        try:
            yield
        finally:
            if job is not None:
                with self._lock:
                    job.polls, job.last = job.polls - 1, self._clock()

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
        for name in [name for name, job in self._jobs.items() if not job.polls and job.last < late]:
            del self._jobs[name]
