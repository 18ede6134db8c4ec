"""Worker processes: started by this server, or found at work after it was started again.

A process is known by its number and its start time together, so that a number which the system gave to
another process is never taken for a worker. psutil reads the start time on every system; it is imported where
it is needed because the page's start must not wait for it.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import gan

if TYPE_CHECKING:
    import psutil

START_TOLERANCE = 2.0  # seconds: start times are computed from the boot time, which a step of the clock moves
NICE = "10"  # the page stays quick beside a training at nice 10


def started(pid: int | None = None) -> float | None:
    """When process `pid` (or this one) started, in seconds since the epoch: `pid_started` in a status. None
    where there is no such process.
    """
    process = _process(os.getpid() if pid is None else pid)
    return None if process is None else process.create_time()


def _process(pid: Any) -> psutil.Process | None:
    """The living process with that number; None for a finished one that only waits to be reaped, and for what
    can't be a number of a process.
    """
    import psutil

    if type(pid) is not int or pid <= 0:
        return None
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except (psutil.Error, OverflowError):
        return None


class Worker:
    """A worker process. `popen` is None where another server, or a person at a terminal, started it."""

    def __init__(self, process: psutil.Process, popen: subprocess.Popen | None = None):
        self._process, self._popen = process, popen
        self.pid, self.started = process.pid, process.create_time()

    def alive(self) -> bool:
        """Whether it still runs. A child of ours that has ended is reaped by this call."""
        if self._popen is not None:
            return self._popen.poll() is None
        return _process(self.pid) is not None and self._process.is_running()

    @property
    def exit_status(self) -> int | None:
        """After its end: 0 or more as it exited, the negative number of the signal that killed it, None where
        we are not its parent.
        """
        return None if self._popen is None else self._popen.returncode

    @property
    def supervised(self) -> bool:
        """Whether a server started it. One at a terminal belongs to a person; supervised ones lead a session
        of their own.
        """
        return self._popen is not None or (hasattr(os, "getsid") and _leads_session(self.pid))

    def hand_over(self, run_dir: Path) -> bool:
        """Tell a spare which run to train; False where it is no longer there to listen."""
        if not self.alive():
            return False
        try:
            with self._popen.stdin as pipe:
                pipe.write(json.dumps({"run_dir": str(run_dir)}).encode() + b"\n")
        except OSError:
            return False
        return True

    def terminate(self) -> None:
        """Ask it to write its checkpoint and end (SIGTERM)."""
        import psutil

        with contextlib.suppress(OSError, psutil.Error):  # it was faster
            (self._popen or self._process).terminate()

    def kill(self, timeout: float = 5.0) -> bool:
        """End it at once, whatever it does (SIGKILL), and reap it; False where it is there after `timeout`
        seconds, as one that waits for a disk is.
        """
        import psutil

        with contextlib.suppress(OSError, psutil.Error):  # it was faster
            (self._popen or self._process).kill()
        wait_for([self], timeout)
        return not self.alive()

    def dismiss(self, timeout: float = 5.0) -> None:
        """End a spare, which has nothing to lose, and reap it."""
        with contextlib.suppress(OSError):
            self._popen.stdin.close()
        self.terminate()
        try:
            self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()


def spawn_spare(command: Sequence[str], log: IO[bytes]) -> Worker:
    """Start `command --spare` with its output in `log`. Raises OSError where it can't be started.

    It leads a session of its own, so that Ctrl-C at the server's terminal does not reach it, and it stops by
    itself when this server's end of its standard input closes, however the server ends.
    """
    home = str(Path(gan.__file__).resolve().parents[1])
    search = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    popen = subprocess.Popen(
        [*command, "--spare"],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        start_new_session=True,
        # its log is UTF-8 wherever it runs
        env={**os.environ, "PYTHONPATH": search, "PYTHONIOENCODING": "utf-8", "GANARIUM_NICE": NICE},
    )
    import psutil

    return Worker(psutil.Process(popen.pid), popen)


def find(pid: Any, pid_started: Any) -> Worker | None:
    """The living worker that a status names, or None: ended, or its number now belongs to another process."""
    process = _process(pid)
    if (
        process is None
        or not isinstance(pid_started, (int, float))
        or abs(process.create_time() - pid_started) > START_TOLERANCE
    ):
        return None
    return Worker(process)


def wait_for(workers: Sequence[Worker], timeout: float) -> None:
    """Return when all have ended, or after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while any(worker.alive() for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.02)


def _leads_session(pid: int) -> bool:
    try:
        return os.getsid(pid) == pid
    except OSError:
        return False
