"""Keep a run to one worker: two would overwrite each other's files."""

import os
from pathlib import Path

import psutil

from gan.errors import UserError
from gan.files import read_json
from gan.worker import ranks


def refuse_second_worker(path: Path) -> None:
    """Raise UserError if another process or a job trains this run: two would overwrite each other's files."""
    try:
        status = read_json(path / "status.json")
        if status["state"] not in ("starting", "running"):
            return
        if status.get("where"):
            raise UserError("train.in_a_job", path=path, id=status["where"].get("id"))
        other = psutil.Process(int(status["pid"]))
        same = (
            other.pid not in (os.getpid(), ranks.owner().pid)
            and abs(other.create_time() - float(status["pid_started"])) < 1
        )
        at_work = same and other.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, TypeError, KeyError, psutil.Error):
        return
    if at_work:
        raise UserError("train.already_training", path=path, pid=other.pid)
