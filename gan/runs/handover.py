"""What one process leaves for the next: a server its claim on the directory and word of the runs that its end interrupted, a worker its last words."""

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from gan.errors import UserError
from gan.files import read_json, write_json
from gan.runs import processes
from gan.runs.store import Store


def claim(root: Path) -> Path:
    """Take a directory of runs for this process, and return the file that says so. Raises UserError where another server has it: both would start its runs."""
    path = root / ".supervisor.json"
    try:
        owner = read_json(path)
        other = processes.find(owner["pid"], owner["pid_started"])
    except (OSError, ValueError, TypeError, KeyError):
        other = None
    if other is not None and other.pid != os.getpid():
        raise UserError("runs.in_use", path=str(root), pid=other.pid)
    write_json(path, {"pid": os.getpid(), "pid_started": processes.started()})
    return path


def mark(store: Store, run_ids: Iterable[str]) -> None:
    """Leave word in those of these runs that are paused now, and not for want of space, that they are to go on by themselves."""
    for run_id in run_ids:
        with contextlib.suppress(UserError, OSError):  # without it the run stays paused
            status = store.status(run_id)
            if status["state"] == "paused" and status["error"] is None:
                store.update_status(run_id, interrupted=True)


def take_up(store: Store) -> None:
    """Queue the runs that were marked. The times at which they were queued then put them before those that have waited behind them."""
    for summary in store.list():
        with contextlib.suppress(UserError, OSError):
            if summary["state"] == "paused" and store.status(summary["id"])["interrupted"] is True:
                store.update_status(summary["id"], state="queued", interrupted=False, pid=None, pid_started=None)


def keep_last_words(store: Store, run_id: str, spare_log: Path) -> None:
    """A worker that died before it opened its run's log wrote, as spares do, to the spare's: make that the run's."""
    log = store.path(run_id) / "worker.log"
    if not log.exists() and spare_log.exists():
        shutil.copyfile(spare_log, log)
