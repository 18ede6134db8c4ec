"""What one server leaves for the next: the claim on the directory while it lives, and word of the runs that its end interrupted."""

import contextlib
import os
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
