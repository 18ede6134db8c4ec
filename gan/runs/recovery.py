"""What one process leaves for the next: a server its claim on the directory and word of the runs that its end
interrupted, a worker its last words.
"""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from signal import SIGTERM
from typing import Any

from gan.errors import UserError
from gan.files import append_line, read_json, write_json
from gan.runs import processes
from gan.runs.store import CHECKPOINTS, LIVE, Store, error_json
from gan.spec import read_header

ENOUGH = 3  # interruptions without a newer checkpoint, after which a run no longer goes on by itself


def claim(root: Path) -> Path:
    """Take a directory of runs for this process, and return the file that says so. Raises UserError where
    another server has it: both would start its runs.
    """
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


def flag_interrupted(store: Store, run_ids: Iterable[str]) -> None:
    """Leave word in those of these runs that are paused now, and not for want of space, that they are to go
    on by themselves.
    """
    for run_id in run_ids:
        with contextlib.suppress(UserError, OSError):  # without it the run stays paused
            status = store.status(run_id)
            if status["state"] == "paused" and status["error"] is None:
                store.update_status(run_id, interrupted=True)


def requeue_flagged(store: Store) -> None:
    """Queue the runs that were marked. The times at which they were queued then put them before those that
    have waited behind them.
    """
    for summary in store.list():
        with contextlib.suppress(UserError, OSError):
            if summary["state"] == "paused" and store.status(summary["id"])["interrupted"] is True:
                store.update_status(
                    summary["id"], state="queued", interrupted=False, pid=None, pid_started=None
                )


def find_orphans(store: Store) -> set[str]:
    """The runs that a server had handed to a worker which is gone. Asked before this server starts any: the
    machine ended, or server and worker were killed.
    """
    found = set()
    for summary in store.list():
        # one that a person began at a terminal was never in the queue, and is theirs
        if summary["state"] in LIVE and summary["queued_at"]:
            with contextlib.suppress(UserError):
                status = store.status(summary["id"])
                if processes.find(status["pid"], status["pid_started"]) is None:
                    found.add(summary["id"])
    return found


def requeue_orphan(store: Store, run_id: str) -> None:
    """Queue a run whose worker ended together with its server, before those that wait, as the time at which
    it was queued is the same; its history tells.

    One that a person had just told to pause or to stop is paused or stopped instead. So is paused what was
    interrupted ENOUGH times without a newer checkpoint in between: it may be what makes the machine end each
    time. Raises OSError where that can't be written.
    """
    status, step, asked = (
        store.status(run_id),
        _saved_step(store.path(run_id) / "state"),
        store.commands(run_id),
    )
    times = (
        1 if step > status["interrupted_at"] or not status["interruptions"] else status["interruptions"] + 1
    )
    error = None if store.resumable(run_id) else UserError("runs.interrupted")
    if times >= ENOUGH:
        error = UserError("runs.interrupted_often", times=times)
    state = "stopped" if "stop" in asked else "paused" if "pause" in asked or times >= ENOUGH else "queued"
    error = error_json(error) if error and state == "paused" else None
    store.update_status(
        run_id,
        state=state,
        error=error,
        pid=None,
        pid_started=None,
        eta=None,
        interrupted=False,
        interruptions=times,
        interrupted_at=step,
    )
    store.drop_commands(run_id)
    # else both checkpoints are damaged, and the worker will tell
    if state == "queued" and (step >= 0 or not store.resumable(run_id)):
        event = (
            {"key": "went_on", "values": {"step": step}} if step >= 0 else {"key": "began_anew", "values": {}}
        )
        with contextlib.suppress(OSError):
            append_line(store.path(run_id) / "events.jsonl", {"time": round(time.time(), 3), **event})


def last_state(
    store: Store, run_id: str, code: int | None, closing: bool, spare_log: Path
) -> tuple[str, UserError | None]:
    """In what state a worker left its run that ended without saying so, and why. code: its
    Worker.exit_status. closing: whether all are being ended.
    """
    if code == -SIGTERM or (code is None and closing):  # asked to end before it could write anything
        return "paused", None
    if code is None:
        return "failed", UserError("runs.worker_lost")
    if code < 0:
        return "failed", UserError("runs.worker_killed", signal=-code)
    keep_last_words(store, run_id, spare_log)
    return "failed", UserError("runs.worker_ended", status=code)


def _saved_step(directory: Path) -> int:
    """The step of the newest checkpoint whose header can be read; -1 where there is none. As in
    gan/train/checkpoint.py, which needs torch.
    """
    for name in CHECKPOINTS:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            return int(json.loads(read_header(directory / name)[1]["trainer"])["step"])
    return -1


def keep_last_words(store: Store, run_id: str, spare_log: Path) -> None:
    """A worker that died before it opened its run's log wrote, as spares do, to the spare's: make that the
    run's.
    """
    log = store.path(run_id) / "worker.log"
    if not log.exists() and spare_log.exists():
        shutil.copyfile(spare_log, log)


SILENT, STEPS = 60.0, 10  # seconds and steps after both of which a run counts as hanging


def seconds_stalled(status: dict[str, Any]) -> float | None:
    """Seconds since the last heartbeat of a run at work, or None where it is not at work or has given a sign
    of life lately.
    """
    age = time.time() - status["heartbeat"]
    return (
        age
        if status["state"] in LIVE and age > max(SILENT, STEPS * status.get("step_seconds", 0.0))
        else None
    )
