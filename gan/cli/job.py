"""Train a run of the terminal in a Job of the Hugging Face Hub: `train --on hf-job FLAVOR`."""

import signal
import sys
import time
from pathlib import Path
from typing import Any

from gan.errors import UserError
from gan.mirror.contents import ID
from gan.mirror.jobs.hub import SPARE_MINUTES, JobsHub, cost, minutes_left
from gan.mirror.jobs.jobs import Jobs, refuse_own_data
from gan.mirror.jobs.setup import IMAGE, find_image, remote_of_terminal
from gan.mirror.mirror import Mirror
from gan.runs.store import Store
from gan.worker.growth import settle

HF_JOB = "hf-job"
LOOK = 1.0  # seconds between two looks


def train_in_job(run_dir: Path, flavor: str, place: str | None, image: str | None, show: Any) -> str:
    """Start a job for a run, follow it to its end, and return the run's state.

    A run that is in a job already is only followed. Ctrl-C pauses the run. show: what prints a status.
    Raises UserError as Jobs.resume does.
    """
    if not ID.fullmatch(run_dir.name):
        raise UserError("jobs.bad_name", name=run_dir.name)
    jobs, run_id = _jobs(run_dir, place, image), run_dir.name
    if not (run_dir / "status.json").exists():
        jobs.store.update_status(run_id, state="paused", created=time.time())
    if not jobs.in_job(run_id):
        settle(run_dir)
        if not _agreed(jobs, run_id, flavor):
            return jobs.store.status(run_id)["state"]
        jobs.resume(run_id, flavor)
    where = jobs.store.status(run_id)["where"] or {}
    print(f"{run_id}: job {where.get('id')} on {where.get('flavor')}. Ctrl-C pauses the run.", flush=True)
    before = signal.signal(signal.SIGINT, lambda *_: jobs.store.send(run_id, "pause"))
    try:
        return _follow(jobs, run_id, show)
    finally:
        signal.signal(signal.SIGINT, before)


def _jobs(run_dir: Path, place: str | None, image: str | None) -> Jobs:
    found = find_image(image)
    if found is None:
        raise UserError("jobs.no_image", variable=IMAGE)
    remote, store = remote_of_terminal(place), Store(run_dir.absolute().parent)
    refuse_own_data(store.config(run_dir.name))
    mirror = Mirror(store, remote, only=run_dir.name)
    jobs = Jobs(store, mirror, JobsHub(remote.owner, remote.token), found)
    mirror.prepare()
    return jobs


def _agreed(jobs: Jobs, run_id: str, flavor: str) -> bool:
    """Print what the job costs. At a terminal, ask whether to start it."""
    machine, status = jobs.hub.flavor(flavor), jobs.store.status(run_id)
    minutes = minutes_left(jobs.store.config(run_id).minutes, status["progress"])
    usual, most = cost(machine, minutes)
    print(
        f"{machine.name} ({machine.title}): ${machine.price:.2f} an hour. {minutes:g} minutes cost about "
        f"${usual:.2f}; the job ends at the latest after {minutes + SPARE_MINUTES:g} minutes, ${most:.2f}. "
        f"{jobs.hub.owner} pays.",
        flush=True,
    )
    if not sys.stdin.isatty():
        return True
    return input("Start the job? [y/N] ").strip().lower() in ("y", "yes")


def _follow(jobs: Jobs, run_id: str, show: Any) -> str:
    shown = None
    while True:
        jobs.work()
        status = jobs.store.status(run_id)
        mark = (status["state"], status["step"], status["where"] and status["where"]["stage"])
        if mark != shown and status["device"]:
            show(status)
        shown = mark
        if not jobs.in_job(run_id):
            if status["error"]:
                print(status["error"]["text"], file=sys.stderr)
            return status["state"]
        time.sleep(LOOK)
