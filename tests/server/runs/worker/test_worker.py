"""Test the supervisor with the real worker: a person's commands, on tiny networks.

The workers are forked, but for the one that outlives its server.
"""

import dataclasses
import os
import signal
import subprocess
import sys

import psutil
import pytest

from gan.runs import processes
from gan.runs.store import LIVE, Store
from gan.runs.supervisor import Supervisor
from tests import ROOT
from tests.fakes.runs import PATIENCE, state, tiny, wait_until
from tests.support.processes import forked

LONG = 10**6  # steps, far more than a test waits for


@pytest.fixture(scope="module")
def boss(tmp_path_factory):
    """One supervisor for all tests. At its end, no worker is left."""
    begun = []

    def spawn_spare(command, log):
        begun.append(forked.spawn_spare(command, log))
        return begun[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "spawn_spare", spawn_spare)
        supervisor = Supervisor(Store(tmp_path_factory.mktemp("runs")))
        supervisor.start()
        yield supervisor
        supervisor.close()
    assert len(begun) > 3
    assert not any(psutil.pid_exists(worker.pid) for worker in begun), "not even a zombie"


def reaches(store, run_id, *states):
    def settled():
        found = state(store, run_id)
        assert found in (*states, "queued", *LIVE), store.get(run_id)
        return found in states

    wait_until(settled, PATIENCE, lambda: str(store.get(run_id)))


def trains(store, run_id, after=0):
    """Wait until the run has trained beyond step `after`."""
    wait_until(
        lambda: state(store, run_id) == "running" and store.status(run_id)["step"] > after,
        PATIENCE,
        lambda: str(store.get(run_id)),
    )


def test_a_queue_one_stopped_one_cancelled_one_finished(boss):
    store = boss.store
    wait_until(boss.spare_ready, PATIENCE)
    stopped, cancelled, finished = (
        boss.submit(tiny(steps=LONG)),
        boss.submit(tiny()),
        boss.submit(tiny(steps=12)),
    )
    boss.cancel(cancelled)
    trains(store, stopped)
    assert (boss.active(), boss.queue()) == (stopped, [finished])
    boss.stop(stopped)
    reaches(store, finished, "finished")
    assert [state(store, run_id) for run_id in (stopped, cancelled)] == ["stopped"] * 2
    assert store.resumable(stopped)
    assert not (store.path(cancelled) / "worker.log").exists()
    check_finished(store.get(finished), store)


def check_finished(run, store):
    """Check the values of a run of 12 steps that readers rely on."""
    assert (run["status"]["step"], run["status"]["images"], run["status"]["progress"]) == (12, 96, 1.0)
    assert run["config"] == tiny(steps=12).to_json()
    assert run["samples"][0] == 0
    assert run["samples"][-1] == run["status"]["sample_step"] == 12
    assert store.sample_path(run["id"], 12).read_bytes()[8:12] == b"WEBP"
    lines, count = store.stats(run["id"])
    assert (count, lines[-1]["step"]) == (len(lines), 12)
    assert {
        "step",
        "images",
        "seconds",
        "loss_d",
        "loss_g",
        "real",
        "fake",
        "pair",
        "penalty",
        "diversity",
        "contrast",
        "noise",
        "rate",
    } <= set(lines[-1])
    assert [summary["state"] for summary in store.list()] == ["finished", "stopped", "stopped"]


def test_pause_resume_save_kill(boss):
    store = boss.store
    run_id = boss.submit(tiny(steps=LONG))
    trains(store, run_id, after=3)
    boss.pause(run_id)
    reaches(store, run_id, "paused")
    paused_at = store.status(run_id)["step"]
    assert store.resumable(run_id)
    boss.resume(run_id)
    trains(store, run_id, after=paused_at)
    steps = [line["step"] for line in store.stats(run_id)[0]]
    assert steps == sorted(set(steps)), "the statistics go on where they ended"
    saved = set((store.path(run_id) / "snapshots").glob("*.safetensors"))
    boss.command(run_id, "save")
    wait_until(lambda: set((store.path(run_id) / "snapshots").glob("*.safetensors")) > saved, PATIENCE)
    with open(store.path(run_id) / "worker.log", "a") as log:
        log.write("last words\n")
    os.kill(store.status(run_id)["pid"], signal.SIGKILL)
    wait_until(lambda: state(store, run_id) == "failed")
    assert store.status(run_id)["error"]["key"] == "runs.worker_killed"
    assert store.get(run_id)["log"][-1] == "last words"
    wait_until(lambda: boss.active() is None)


def test_an_impossible_run_fails_with_its_sentence(boss):
    run_id = boss.submit(dataclasses.replace(tiny(), data="no-such-pictures"))
    wait_until(lambda: state(boss.store, run_id) == "failed", PATIENCE)
    error = boss.store.status(run_id)["error"]
    assert error["key"] == "train.pictures_unplaced"
    assert "no-such-pictures" in error["text"]


SERVER = """
import sys
from pathlib import Path
from gan.runs.store import Store
from gan.runs.supervisor import Supervisor
from tests.fakes.runs import tiny
boss = Supervisor(Store(Path(sys.argv[1])))
boss.start()
print(boss.submit(tiny(steps=10**6)), flush=True)
sys.stdin.read()
"""


def test_a_worker_outlives_its_server_and_is_paused_by_the_next(tmp_path):
    store = Store(tmp_path)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path)], text=True, cwd=ROOT, **pipes
    ) as server:
        run_id = server.stdout.readline().strip()
        trains(store, run_id)
        server.kill()
    step = store.status(run_id)["step"]
    trains(store, run_id, after=step)
    boss = Supervisor(store)
    boss.start()
    assert (boss.active(), state(store, run_id)) == (run_id, "running")
    boss.close()
    assert (state(store, run_id), store.resumable(run_id)) == ("paused", True)
    assert store.status(run_id)["error"] is None


def test_a_run_that_is_killed_before_its_first_checkpoint_begins_anew(boss):
    store = boss.store
    wait_until(boss.spare_ready, PATIENCE)
    run_id = boss.submit(tiny(steps=12))
    wait_until(lambda: state(store, run_id) == "starting", PATIENCE)
    os.kill(store.status(run_id)["pid"], signal.SIGKILL)
    wait_until(lambda: state(store, run_id) == "failed", PATIENCE)
    assert not store.resumable(run_id)
    boss.resume(run_id)
    wait_until(lambda: state(store, run_id) == "finished", PATIENCE, lambda: str(store.get(run_id)))
    assert (store.status(run_id)["step"], store.samples(run_id)[0], store.resumable(run_id)) == (12, 0, True)
