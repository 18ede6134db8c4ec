"""Run commands, servers and workers in forked processes that have already imported torch and Gradio.

The imports take 4 and 4 s of a core in a new process. A forked process has its own signals, threads and exit
status, and may be killed like any other. Tests of the start itself run `python -m gan` and `python app.py`.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO

import psutil

from gan.runs import processes
from gan.train.autotune import allocator
from tests import ROOT
from tests.fakes.runs import PATIENCE

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["gan.cli.serve", "gan.ui.page", "gan.cli.train", "gan.worker.worker", "gan.kinds.images.engine"]
)


class Child:
    """A forked process that calls `target(*arguments)`, with the methods of subprocess.Popen.

    It has the environment of this process, and not that of the test which first forked one.
    """

    def __init__(self, target: Callable[..., None], *arguments: object):
        self._process = _CONTEXT.Process(target=_call, args=(dict(os.environ), target, *arguments))
        self._process.start()
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    poll = returncode.fget

    def wait(self, timeout: float = PATIENCE) -> int:
        """Return the exit status, or the negative number of the signal that ended the process.

        Raises subprocess.TimeoutExpired after `timeout` seconds.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _call(environment: dict[str, str], target: Callable[..., None], *arguments: object) -> None:
    os.environ.clear()
    os.environ.update(environment)
    target(*arguments)


def _nothing() -> None:
    pass


class Command(Child):
    """`python -m MODULE ARGUMENTS`, in the current folder `folder`, with more environment variables.

    `change` is called in the new process first.
    """

    def __init__(
        self, *arguments: object, folder: Path | None = None, module: str = "gan",
        change: Callable[[], None] = _nothing, **variables: str,
    ):  # fmt: skip
        self._said = tempfile.TemporaryDirectory()
        self._files = [Path(self._said.name, name) for name in ("out", "err")]
        words = [str(argument) for argument in arguments]
        environment = {**os.environ, **variables}
        super().__init__(_run, module, words, folder or ROOT, environment, change, *self._files)

    def communicate(self) -> tuple[str, str]:
        """Wait for the end, and return what the process wrote to stdout and stderr."""
        self.wait()
        out, err = (path.read_text() if path.exists() else "" for path in self._files)
        return out, err


def run(
    *arguments: object, folder: Path | None = None, module: str = "gan",
    change: Callable[[], None] = _nothing, **variables: str,
) -> subprocess.CompletedProcess:  # fmt: skip
    """Run `python -m MODULE ARGUMENTS` to its end, as Command does."""
    command = Command(*arguments, folder=folder, module=module, change=change, **variables)
    out, err = command.communicate()
    return subprocess.CompletedProcess(arguments, command.returncode, out, err)


def serve(options: Sequence[str], change: Callable[[], None], log: Path | None, **variables: str) -> Child:
    """Start `python app.py OPTIONS`, whose workers are forked too.

    `change` is called in the new process first. The output goes to the file `log`. Without one, only errors
    are shown.
    """
    return Child(_serve, list(options), change, log, {**os.environ, **variables})


def _run(
    module: str, words: list[str], folder: Path, environment: dict[str, str], change: Callable[[], None],
    out: Path, err: Path,
) -> None:  # fmt: skip
    _enter(folder, environment, out, err)
    os.environ.setdefault(allocator.VARIABLE, "")  # a command that restarted would be no fork any more
    change()
    sys.argv[1:] = words
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _serve(
    options: list[str], change: Callable[[], None], log: Path | None, environment: dict[str, str]
) -> None:
    from gan.cli.serve import run

    _enter(ROOT, environment, log or Path(os.devnull), log)
    processes.spawn_spare = spawn_spare
    change()
    run(options)


def _enter(folder: Path, environment: dict[str, str], out: Path, err: Path | None) -> None:
    """Take over the folder, the environment and the outputs of this process."""
    for path, number in ((out, 1), (err, 2)):
        if path is not None:
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)


def spawn_spare(command: Sequence[str], log: IO[bytes]) -> processes.Spare:
    """Fork a spare worker, like spawn_spare of gan/runs/processes.py."""
    theirs, ours = _CONTEXT.Pipe(duplex=False)
    environment = {**os.environ, "GANARIUM_NICE": processes.NICE}
    child = Child(_wait_as_spare, theirs, Path(log.name), environment)
    theirs.close()
    pipe = os.fdopen(os.dup(ours.fileno()), "wb")
    ours.close()
    return processes.Spare(psutil.Process(child.pid), child, pipe)


def _wait_as_spare(given: Connection, log: Path, environment: dict[str, str]) -> None:
    from gan.cli.train import main

    os.setsid()
    _enter(ROOT, environment, log, log)
    os.dup2(given.fileno(), 0)
    given.close()
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.exit(main(["--spare"]))
