"""Start, find and end worker processes: this server's own, and those of an earlier server.

A process number and a start time together identify a process, because the system reuses numbers. psutil reads
the start time on every system. It is imported where it is used, so that the page starts sooner.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import gan
from gan.errors import MESSAGES, UserError
from gan.train.autotune import allocator

if TYPE_CHECKING:
    import psutil

# seconds: psutil adds the ticks since boot to the boot time, and a clock adjustment moves the boot time
START_TOLERANCE = 2.0
LOOK = 1.0  # seconds between two looks of a child whether its parent is still there
WATCH = "watch-parent"  # the name of the thread that looks
NICE = "10"  # keeps the page responsive while a run trains


def end_with(parent: int) -> None:
    """End this child when its parent, the process with this number, is gone, however that ended."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK)
        os._exit(1)

    if all(thread.name != WATCH for thread in threading.enumerate()):
        threading.Thread(target=watch, name=WATCH, daemon=True).start()


def tell(act: Callable[[], dict[str, Any]]) -> int:
    """Print what `act` returns, or {"error": {key, values}}, as JSON. Returns the exit status."""
    try:
        answer, status = act(), 0
    except UserError as error:
        values = {name: str(value) for name, value in error.values.items()}
        answer, status = {"error": {"key": error.key, "values": values}}, 2
    print(json.dumps(answer))
    return status


def checked(answer: Any, otherwise: str, **about: Any) -> dict[str, Any]:
    """Return the answer of a child that ends with `tell`, or raise the UserError that it printed.

    otherwise: the key of the error for an answer that is none. about: values of the error that the child does
    not give.
    """
    if isinstance(answer, dict) and isinstance(error := answer.get("error"), dict):
        key, values = error.get("key"), error.get("values")
        if key in MESSAGES and isinstance(values, dict):
            raise UserError(key, **{**about, **values})
    elif isinstance(answer, dict):
        return answer
    raise UserError(otherwise, **about)


def started(pid: int | None = None) -> float | None:
    """Return when process `pid` (or this one) started, in seconds since the epoch; None if it does not exist.

    A status keeps it as `pid_started`.
    """
    process = _process(os.getpid() if pid is None else pid)
    return None if process is None else process.create_time()


def _process(pid: Any) -> psutil.Process | None:
    """Return the living process with this number; None for a zombie or an impossible number."""
    import psutil

    if type(pid) is not int or pid <= 0:
        return None
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except (psutil.Error, OverflowError):
        return None


class Worker:
    """A worker process. `popen` is None if another server, or a person at a terminal, started it."""

    def __init__(self, process: psutil.Process, popen: subprocess.Popen[bytes] | None = None):
        self._process, self._popen = process, popen
        self.pid, self.started = process.pid, process.create_time()

    def alive(self) -> bool:
        """Return whether it still runs. If a child has ended, this call reaps it."""
        if self._popen is not None:
            return self._popen.poll() is None
        return _process(self.pid) is not None and self._process.is_running()

    @property
    def exit_status(self) -> int | None:
        """Its exit code, or the negative number of the signal that killed it; None if it is not our child."""
        return None if self._popen is None else self._popen.returncode

    @property
    def supervised(self) -> bool:
        """Whether a server started it, not a person at a terminal: then it leads its own session."""
        return self._popen is not None or (hasattr(os, "getsid") and _leads_session(self.pid))

    def terminate(self) -> None:
        """Ask it to write its checkpoint and end (SIGTERM)."""
        import psutil

        with contextlib.suppress(OSError, psutil.Error):  # it has ended already
            (self._popen or self._process).terminate()

    def kill(self, timeout: float = 5.0) -> bool:
        """End it at once (SIGKILL) and reap it.

        Returns False if it is still there after `timeout` seconds: a process that waits for a disk can't be
        killed.
        """
        import psutil

        with contextlib.suppress(OSError, psutil.Error):  # it has ended already
            ranks = self._process.children(recursive=True)  # of a team, which its torchrun would start again
            (self._popen or self._process).kill()
            for rank in ranks:
                rank.kill()
        wait_for([self], timeout)
        return not self.alive()


class Spare(Worker):
    """A child process that waits for a run. Its standard input brings the run; it trains one, then ends."""

    def __init__(self, process: psutil.Process, popen: subprocess.Popen[bytes], pipe: IO[bytes]):
        super().__init__(process, popen)
        self._child, self._pipe = popen, pipe

    def hand_over(self, run_dir: Path, prepare: bool = False) -> bool:
        """Tell it which run to train, or only to `prepare`. Return False if it has ended."""
        if not self.alive():
            return False
        try:
            with self._pipe as pipe:
                pipe.write(json.dumps({"run_dir": str(run_dir), "prepare": prepare}).encode() + b"\n")
        except OSError:
            return False
        return True

    def dismiss(self, timeout: float = 5.0) -> None:
        """End it, because it has no work to save, and reap it."""
        with contextlib.suppress(OSError):
            self._pipe.close()
        self.terminate()
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


class TeamWorker(Worker):
    """A torchrun process, whose ranks train one run together on several GPUs (gan.train.parallel.team)."""

    _asked = False

    def terminate(self) -> None:
        self._asked = True
        super().terminate()

    @property
    def exit_status(self) -> int | None:
        """As of a Worker; torchrun says 1 where a signal ended it."""
        status = super().exit_status
        return -signal.SIGTERM if status == 1 and self._asked else status


RESTARTS = 5  # of all ranks after one has ended, each time from the checkpoint


def spawn_team(command: Sequence[str], size: int, run_dir: Path, log: IO[bytes]) -> TeamWorker:
    """Start `size` ranks of `command RUN_DIR` by torchrun, with their output in `log`.

    command: a Python and its arguments. It leads its own session, as a spare does. Raises OSError.
    """
    python, *rest = command
    torchrun = ("-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={size}")
    popen = subprocess.Popen(
        [python, *torchrun, f"--max-restarts={RESTARTS}", *rest, str(run_dir)],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        env=_environment(),
    )
    import psutil

    return TeamWorker(psutil.Process(popen.pid), popen)


def _environment() -> dict[str, str]:
    """Return the environment of workers: they find this code, are nice, log in UTF-8 and keep memory."""
    home = str(Path(gan.__file__).resolve().parents[1])
    search = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    own = {"PYTHONPATH": search, "PYTHONIOENCODING": "utf-8", "GANARIUM_NICE": NICE}
    return {**os.environ, **allocator.environment(), **own}


def spawn_spare(command: Sequence[str], log: IO[bytes]) -> Spare:
    """Start `command --spare` with its output in `log`. Raises OSError if it can't start.

    It leads its own session, so that Ctrl-C at the server's terminal does not reach it. It ends when the
    server's end of its standard input closes, however the server ends.
    """
    popen = subprocess.Popen(
        [*command, "--spare"],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        start_new_session=True,
        env=_environment(),
    )
    import psutil

    assert popen.stdin is not None, "a pipe was asked for"
    return Spare(psutil.Process(popen.pid), popen, popen.stdin)


def find(pid: Any, pid_started: Any) -> Worker | None:
    """Return the living worker that a status names; None if it ended or another process has its number."""
    process = _process(pid)
    if (
        process is None
        or not isinstance(pid_started, (int, float))
        or abs(process.create_time() - pid_started) > START_TOLERANCE
    ):
        return None
    return Worker(process)


def wait_for(workers: Sequence[Worker], timeout: float) -> None:
    """Return when all workers have ended, or after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while any(worker.alive() for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.02)


def _leads_session(pid: int) -> bool:
    try:
        return os.getsid(pid) == pid
    except OSError:
        return False
