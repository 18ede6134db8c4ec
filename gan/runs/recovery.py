"""Recover runs after a server, a worker or the machine has ended.

A server leaves its claim on the directory and flags the runs that it interrupts. A worker leaves its last
words in its log.
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
from gan.worker.growth import settle

ENOUGH = 3  # interruptions without a newer checkpoint, after which a run stays paused


def claim(root: Path) -> Path:
    """Claim a directory of runs for this process, and return the claim file.

    Raises UserError if another server has claimed it: both would start its runs.
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
    """Flag those of these runs that are paused without an error, so that the next server resumes them."""
    for run_id in run_ids:
        with contextlib.suppress(UserError, OSError):  # an unflagged run stays paused
            status = store.status(run_id)
            if status["state"] == "paused" and status["error"] is None:
                store.update_status(run_id, interrupted=True)


def settle_growth(store: Store) -> None:
    """Write the larger budgets that a kill left in the status alone (see gan.worker.growth)."""
    for summary in store.list():
        if summary["state"] not in LIVE:  # a worker writes its own
            with contextlib.suppress(UserError, OSError):  # a run stays damaged
                settle(store.path(summary["id"]))


def requeue_flagged(store: Store) -> None:
    """Queue the flagged runs. Their old queue times put them before the runs that waited behind them."""
    for summary in store.list():
        with contextlib.suppress(UserError, OSError):
            if summary["state"] == "paused" and store.status(summary["id"])["interrupted"] is True:
                store.update_status(
                    summary["id"], state="queued", interrupted=False, pid=None, pid_started=None
                )


def find_orphans(store: Store) -> set[str]:
    """Return the runs that an earlier server gave to a worker which is gone.

    Call it before this server starts a run. Either the machine ended, or server and worker were killed.
    """
    found = set()
    for summary in store.list():
        # a run without a queue time was started at a terminal, and belongs to that person
        if summary["state"] in LIVE and summary["queued_at"] and not summary["where"]:
            with contextlib.suppress(UserError):
                status = store.status(summary["id"])
                if processes.find(status["pid"], status["pid_started"]) is None:
                    found.add(summary["id"])
    return found


def requeue_orphan(store: Store, run_id: str) -> None:
    """Queue a run whose worker ended with its server, at its old queue time, and note it in its history.

    If a person had asked for a pause or a stop, the run is paused or stopped instead. After ENOUGH
    interruptions without a newer checkpoint it is paused, because the run itself may crash the machine.
    Raises OSError if the status can't be written.
    """
    status, step, asked = (
        store.status(run_id),
        saved_step(store, run_id),
        store.commands(run_id),
    )
    times = (
        1 if step > status["interrupted_at"] or not status["interruptions"] else status["interruptions"] + 1
    )
    error = None if store.resumable(run_id) else UserError("runs.interrupted")
    if times >= ENOUGH:
        error = UserError("runs.interrupted_often", times=times)
    state = "stopped" if "stop" in asked else "paused" if "pause" in asked or times >= ENOUGH else "queued"
    store.update_status(
        run_id,
        state=state,
        error=error_json(error) if error and state == "paused" else None,
        pid=None,
        pid_started=None,
        eta=None,
        interrupted=False,
        interruptions=times,
        interrupted_at=step,
    )
    store.drop_commands(run_id)
    # otherwise both checkpoints are damaged, and the worker will report it
    if state == "queued" and (step >= 0 or not store.resumable(run_id)):
        event = (
            {"key": "went_on", "values": {"step": step}} if step >= 0 else {"key": "began_anew", "values": {}}
        )
        with contextlib.suppress(OSError):
            append_line(store.path(run_id) / "events.jsonl", {"time": round(time.time(), 3), **event})


def last_state(
    store: Store, run_id: str, code: int | None, closing: bool, spare_log: Path
) -> tuple[str, UserError | None]:
    """Return the state, and the reason, for a run whose worker ended without writing a last status.

    code: Worker.exit_status. closing: the server is ending all workers.
    """
    if code == -SIGTERM or (code is None and closing):  # SIGTERM came before the worker handled it
        return "paused", None
    if code is None and store.status(run_id)["leased"]:  # whoever lends the GPU also ends its processes
        return "paused", UserError("lease.cut")
    if code is None:
        return "failed", UserError("runs.worker_lost")
    if code < 0:
        return "failed", UserError("runs.worker_killed", signal=-code)
    keep_last_words(store, run_id, spare_log)
    return "failed", UserError("runs.worker_ended", status=code)


def saved_step(store: Store, run_id: str) -> int:
    """Return the step of the newest checkpoint of a run with a readable header, or -1.

    gan/train/checkpoint.py does the same, but imports torch.
    """
    for name in CHECKPOINTS:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            return int(json.loads(read_header(store.path(run_id) / "state" / name)[1]["trainer"])["step"])
    return -1


def keep_last_words(store: Store, run_id: str, spare_log: Path) -> None:
    """Copy the spare's log to the run, if the worker died before it opened the run's own log."""
    log = store.path(run_id) / "worker.log"
    if not log.exists() and spare_log.exists():
        shutil.copyfile(spare_log, log)


SILENT, STEPS = 60.0, 10  # a run hangs when its heartbeat is older than both: seconds, and steps


def seconds_stalled(status: dict[str, Any]) -> float | None:
    """Return the age of the heartbeat, in seconds, if a run at work on this machine hangs; else None.

    Whether a run in a job is alive says the Hub (see gan.mirror.jobs).
    """
    if status.get("where"):
        return None
    age = time.time() - status["heartbeat"]
    return (
        age
        if status["state"] in LIVE and age > max(SILENT, STEPS * status.get("step_seconds", 0.0))
        else None
    )
