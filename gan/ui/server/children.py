"""Run Python modules as child processes that print one JSON value.

Files of strangers are read in such a child, never in the server. Children have a low priority.
"""

import contextlib
import json
import logging
import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gan

NICE = 10
_log = logging.getLogger(__name__)


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
