"""Run Python modules as child processes that print one JSON value.

Files of strangers are read in such a child, never in the server. Children have a low priority.
"""

import contextlib
import json
import logging
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWorking
from pathlib import Path
from typing import Any, Generic, TypeVar

import gan

NICE = 10
ENDS = (0, 2)  # exit status of a command that has answered, see gan.runs.processes.tell
MOST_SAID = 2000  # bytes of what a child that failed has said, for the log
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

    def read(self, command: Sequence[str], seconds: float) -> bytes:
        """Return what a command prints.

        Raises subprocess.TimeoutExpired where it takes longer than `seconds`. Raises ValueError where it
        fails, and after `close`.
        """
        with self._started(command, subprocess.DEVNULL, subprocess.PIPE) as child:
            said, complaint = child.communicate(timeout=seconds)
            if child.returncode:
                _complain(command, child, complaint)
                raise ValueError(f"ended with status {child.returncode}")
            return said

    def ask(self, command: Sequence[str], seconds: float) -> Any:
        """Return the JSON that a command prints.

        Raises subprocess.TimeoutExpired where it takes longer than `seconds`. Raises ValueError or
        RecursionError where it prints no JSON, and ValueError after `close`.
        """
        complaint = b""
        with self._started(command, subprocess.DEVNULL, subprocess.PIPE) as child:
            try:
                said, complaint = child.communicate(timeout=seconds)
                return json.loads(said)
            except (ValueError, RecursionError):
                _complain(command, child, complaint)
                raise

    def follow(
        self,
        command: Sequence[str],
        seconds: float,
        given: bytes,
        told: Callable[[Any], None],
        environment: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the JSON in the last line that a command prints; `told` gets that of each line as it comes.

        given: what the command reads from its standard input. It must fit into a pipe, 64 KB on Linux.
        environment: that of the command, None for ours. Raises what `ask` raises.
        """
        late, answer = threading.Event(), None
        with (
            tempfile.TemporaryFile() as complaints,  # a pipe that nobody empties would block the command
            self._started(command, subprocess.PIPE, complaints, environment) as child,
        ):

            def end() -> None:
                late.set()
                child.kill()

            timer = threading.Timer(seconds, end)
            timer.daemon = True
            timer.start()
            try:
                _give(child, given)
                for line in child.stdout or ():
                    answer = json.loads(line)
                    told(answer)
                child.wait()
                if late.is_set() or child.returncode not in ENDS:  # its last line is no answer
                    raise ValueError(f"ended with status {child.returncode}")
                return answer
            except (ValueError, RecursionError) as error:
                if late.is_set():
                    raise subprocess.TimeoutExpired(command, seconds) from error
                child.wait()
                complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - MOST_SAID))
                _complain(command, child, complaints.read())
                raise
            finally:
                timer.cancel()

    @contextlib.contextmanager
    def _started(
        self,
        command: Sequence[str],
        stdin: int,
        stderr: Any,
        environment: Mapping[str, str] | None = None,
    ) -> Iterator[subprocess.Popen]:
        """Start a command with a low priority, and end it with the block. Raises ValueError after `close`."""
        with self._lock:
            if self._closed:
                raise ValueError("the server closes")
            child = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=Path(gan.__file__).resolve().parents[1],
                env=environment,
            )
            self.running.add(child)
        try:
            with contextlib.suppress(OSError, AttributeError):  # the child has ended, or this is Windows
                os.setpriority(os.PRIO_PROCESS, child.pid, NICE)
            yield child
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


def _give(child: subprocess.Popen, given: bytes) -> None:
    """Write what a child is to read, and close its standard input."""
    stdin, child.stdin = child.stdin, None  # communicate() could not flush what is closed
    assert stdin is not None
    with contextlib.suppress(BrokenPipeError), stdin:  # the child has ended already
        stdin.write(given)


def _complain(command: Sequence[str], child: subprocess.Popen, complaint: bytes) -> None:
    """Log what a child without an answer has said."""
    said = complaint.decode("utf-8", "replace")[-MOST_SAID:]
    _log.error("%s ended with status %s: %s", " ".join(command[1:3]), child.poll(), said)
