"""Run Python modules as child processes that print one JSON value.

Files of strangers are read in such a child, never in the server. Children have a low priority.
"""

import contextlib
import json
import logging
import os
import subprocess
import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWorking
from pathlib import Path
from typing import Any, Generic, TypeVar

import gan

NICE = 10
Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")
_log = logging.getLogger(__name__)


class Shared(Generic[Key, Result]):
    """Work in threads of its own: once for each key, shared by all who ask for it meanwhile."""

    def __init__(self, threads: int, name: str):
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._running: dict[Key, Future[Result]] = {}
        # Reentrant: a future that is done at once calls back in the same thread.
        self._lock = threading.RLock()

    def result(
        self,
        key: Key,
        work: Callable[[], Result],
        seconds: float | None = None,
        known: Callable[[], Result | None] = lambda: None,
    ) -> Result | None:
        """Return the result of `work`, or None where it takes longer than `seconds`.

        known: called first if nobody works on the key; returns an earlier result, or None. Raises what `work`
        raises.
        """
        with self._lock:
            future = self._running.get(key)
            if future is None:
                found = known()
                if found is not None:
                    return found
                future = self._running[key] = self._threads.submit(work)
                future.add_done_callback(lambda _: self._forget(key))
        try:
            return future.result(seconds)
        except StillWorking:
            return None

    def close(self) -> None:
        """Begin no more work, and wait for what runs."""
        self._threads.shutdown(cancel_futures=True)

    def _forget(self, key: Key) -> None:
        with self._lock:
            self._running.pop(key, None)


class Children:
    """The children of one server. Closing it kills them."""

    def __init__(self) -> None:
        self.running: set[subprocess.Popen] = set()
        self._lock = threading.Lock()
        self._closed = False

    def ask(self, command: Sequence[str], seconds: float) -> Any:
        """Return the JSON that a command prints.

        Raises subprocess.TimeoutExpired where it takes longer than `seconds`. Raises ValueError or
        RecursionError where it prints no JSON, and ValueError after `close`.
        """
        with self._lock:
            if self._closed:
                raise ValueError("the server closes")
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=Path(gan.__file__).resolve().parents[1],
            )
            self.running.add(child)
        complaint = b""
        try:
            with contextlib.suppress(OSError, AttributeError):  # the child has ended, or this is Windows
                os.setpriority(os.PRIO_PROCESS, child.pid, NICE)
            said, complaint = child.communicate(timeout=seconds)
            return json.loads(said)
        except (ValueError, RecursionError):
            _log.error(
                "%s ended with status %s: %s",
                " ".join(command[1:3]),
                child.poll(),
                complaint.decode("utf-8", "replace")[-2000:],
            )
            raise
        finally:
            with self._lock:
                self.running.discard(child)
            child.kill()
            child.communicate()

    def close(self) -> None:
        """Kill the running children, and start no more."""
        with self._lock:
            self._closed = True
            for child in self.running:
                child.kill()
