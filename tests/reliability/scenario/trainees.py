"""What trains a run until kills.py kills it: a command in a terminal, or a lease of a ZeroGPU Space."""

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import httpx
import psutil

from gan.files import read_object
from tests.fakes.runs import wait_until
from tests.support.processes import forked
from tests.support.processes.leasing import Visitor, visited_space

PATIENCE = 600.0  # seconds for a first step or a server's preparations, on a busy machine


class Trainee(Protocol):
    """What trains a run now."""

    def trains(self) -> bool:
        """Return whether it has begun to train."""
        ...

    def ended(self) -> bool:
        """Return whether it has ended."""
        ...

    def kill(self) -> None:
        """Send SIGKILL, and return when its processes are gone."""
        ...

    def wait(self) -> bool:
        """Wait for its end. Returns whether it ended well."""
        ...


Start = Callable[[list[str]], Trainee]  # from further arguments of `gan train RUN`
Place = Callable[[Path], AbstractContextManager[Start]]  # from a run's directory


def _new_process(run: Path, words: list[str]) -> subprocess.Popen:
    with open(run.parent / "log", "ab") as said:
        command = [sys.executable, "-m", "gan", "train", str(run), *words]
        return subprocess.Popen(command, stdout=said, stderr=said)


def _forked(run: Path, words: list[str]) -> forked.Command:
    return forked.Command("train", run, *words)


class Command:
    """`python -m gan train RUN WORDS`. begin: starts it."""

    def __init__(self, begin: Callable[[Path, list[str]], Any], run: Path, words: list[str]):
        self._run, self._process = run, begin(run, words)

    def trains(self) -> bool:
        status = read_object(self._run / "status.json")
        return status.get("pid") == self._process.pid and status.get("state") == "running"

    def ended(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def wait(self) -> bool:
        return self._process.wait() == 0


@contextlib.contextmanager
def in_terminal(run: Path) -> Iterator[Start]:
    """Train a run by commands."""
    yield partial(Command, _new_process, run)


@contextlib.contextmanager
def in_forks(run: Path) -> Iterator[Start]:
    """Train a run by commands in processes that have imported torch, which spares tests the import."""
    yield partial(Command, _forked, run)


class Space:
    """A Space with ZeroGPU and a visitor who owns the run. Its server starts anew after each kill."""

    def __init__(self, run: Path, server_dies: bool):
        self.run, self.server_dies = run, server_dies
        self.visitor: Visitor | None = None  # of the server that runs now
        self._server = contextlib.ExitStack()

    def start(self, words: list[str]) -> "Lease":
        """Begin a lease once the run waits for one. A lease needs no words."""
        assert not words
        if self.visitor is None:
            self.visitor = self._server.enter_context(visited_space(self.run.parent, self.run.parent))
        self.visitor.marks(self.run)
        store, run_id = self.visitor.store, self.run.name
        wait_until(lambda: store.status(run_id)["state"] == "paused", PATIENCE)
        return Lease(self, self.visitor)

    def close(self) -> None:
        """End the server, or clear away one that was killed."""
        self._server.close()
        self.visitor = None


class Lease:
    """A lease that a visitor has asked for, and waits for in a thread."""

    def __init__(self, space: Space, visitor: Visitor):
        self._space, self._status = space, 0
        self._thread = threading.Thread(target=self._ask, args=(visitor,))
        self._thread.start()

    def _ask(self, visitor: Visitor) -> None:
        with contextlib.suppress(httpx.HTTPError):  # the server was killed
            self._status = visitor.lease(self._space.run.name, None)[0]

    def _training(self) -> psutil.Process | None:
        status = read_object(self._space.run / "status.json")
        if status.get("state") != "running":
            return None
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(status["pid"])
        return None

    def trains(self) -> bool:
        return self._training() is not None

    def ended(self) -> bool:
        return not self._thread.is_alive()

    def kill(self) -> None:
        child = self._training()
        if child is not None:
            (child.parent() if self._space.server_dies else child).send_signal(signal.SIGKILL)
            wait_until(lambda: _is_gone(child))
        self._thread.join()
        if self._space.server_dies:
            self._space.close()

    def wait(self) -> bool:
        self._thread.join()
        return self._status == 200


def _is_gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@contextlib.contextmanager
def _of_space(run: Path, server_dies: bool) -> Iterator[Start]:
    space = Space(run, server_dies)
    try:
        yield space.start
    finally:
        space.close()


lease_killed, server_killed = (partial(_of_space, server_dies=dies) for dies in (False, True))
