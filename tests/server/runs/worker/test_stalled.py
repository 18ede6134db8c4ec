"""Test workers that hang: stopped processes, and the heartbeats of runs."""

import os
import signal
import time

import psutil
import pytest

from gan.errors import UserError
from gan.files import write_bytes
from gan.runs import recovery as room
from gan.runs import supervisor
from gan.runs.processes import Worker
from gan.runs.recovery import seconds_stalled
from gan.runs.store import LIVE, STATES
from tests.fakes.runs import LONG, reaches, state, tiny, wait_until


@pytest.fixture
def hanging(store, supervise, monkeypatch):
    """A supervisor, and one of its runs whose worker SIGSTOP has stopped."""
    monkeypatch.setattr(room, "SILENT", 0.5)
    boss = supervise()
    run_id = boss.submit(tiny(steps=LONG))
    reaches(store, run_id, "running")
    worker = psutil.Process(store.status(run_id)["pid"])
    worker.suspend()
    wait_until(lambda: seconds_stalled(store.status(run_id)))
    yield boss, run_id, worker
    if worker.is_running():
        worker.kill()


def test_only_runs_at_work_can_be_silent():
    old = time.time() - 61
    assert {state for state in STATES if seconds_stalled({"state": state, "heartbeat": old})} == set(LIVE)
    assert seconds_stalled({"state": "running", "heartbeat": time.time() - 59}) is None
    assert seconds_stalled({"state": "running", "heartbeat": time.time() + 3600}) is None
    assert seconds_stalled({"state": "starting", "heartbeat": old}) == pytest.approx(61, abs=1)
    assert seconds_stalled({"state": "running", "heartbeat": old, "step_seconds": 7.0}) is None, (
        "ten steps have not passed"
    )
    assert seconds_stalled({"state": "running", "heartbeat": old, "step_seconds": 5.0})


def test_a_hanging_worker_is_killed_and_its_run_can_go_on(store, hanging):
    boss, run_id, worker = hanging
    write_bytes(store.path(run_id) / "state" / "checkpoint.safetensors", b"step")
    waiting = boss.submit(tiny(steps=3))
    boss.end(run_id)
    assert not worker.is_running(), "reaped, not a zombie"
    status = store.status(run_id)
    assert (status["state"], status["error"]["key"], status["pid"], status["eta"]) == (
        "paused",
        "runs.ended",
        None,
        None,
    )
    assert status["error"]["values"]["seconds"] >= 0
    reaches(store, waiting, "finished")
    boss.resume(run_id)
    reaches(store, run_id, "running")
    assert store.status(run_id)["error"] is None


def test_without_a_checkpoint_it_can_begin_anew(store, hanging):
    boss, run_id, _ = hanging
    boss.end(run_id)
    status = store.status(run_id)
    assert (status["state"], status["error"]["key"]) == ("paused", "runs.ended_early")
    boss.resume(run_id)
    reaches(store, run_id, "running")


def test_commands_left_for_the_dead_are_not_obeyed_later(store, hanging):
    boss, run_id, _ = hanging
    write_bytes(store.path(run_id) / "state" / "checkpoint.safetensors", b"step")
    boss.stop(run_id)
    boss.end(run_id)
    boss.resume(run_id)
    reaches(store, run_id, "running")
    time.sleep(0.2)
    assert state(store, run_id) == "running"


def test_a_worker_with_a_pulse_is_not_killed(store, supervise):
    boss = supervise()
    run_id = boss.submit(tiny(steps=LONG))
    reaches(store, run_id, "running")
    with pytest.raises(UserError, match=r"This run responded [01] s ago") as caught:
        boss.end(run_id)
    assert caught.value.key == "runs.not_silent"
    assert psutil.pid_exists(store.status(run_id)["pid"])
    assert state(store, run_id) == "running"


def test_one_that_wakes_up_in_time_goes_on(store, hanging):
    boss, run_id, worker = hanging
    worker.resume()
    wait_until(lambda: seconds_stalled(store.status(run_id)) is None)
    with pytest.raises(UserError):
        boss.end(run_id)
    assert state(store, run_id) == "running"


def test_a_process_that_even_a_kill_does_not_end_is_told(store, hanging, monkeypatch):
    boss, run_id, _ = hanging
    with monkeypatch.context() as patched:
        patched.setattr(Worker, "kill", lambda self: False)
        with pytest.raises(UserError) as caught:
            boss.end(run_id)
    assert caught.value.key == "runs.wont_end"
    assert (state(store, run_id), boss.active()) == ("running", run_id)


def test_the_hanging_worker_of_another_server_is_ended(store, supervise, server, monkeypatch):
    process, run_id = server(LONG)
    process.kill()
    process.wait()
    pid = store.status(run_id)["pid"]
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(room, "SILENT", 0.5)
    boss = supervise()
    wait_until(lambda: seconds_stalled(store.status(run_id)))
    boss.end(run_id)
    assert state(store, run_id) == "paused"
    wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    assert boss.active() is None


def test_a_run_that_lost_its_worker_unseen_is_settled(store, supervise, monkeypatch):
    monkeypatch.setattr(supervisor, "SURVEY", 3600.0)
    monkeypatch.setattr(room, "SILENT", 0.5)
    boss = supervise()
    wait_until(boss.spare_ready)
    run_id = store.create(tiny())
    store.update_status(run_id, state="running", pid=2**22 + 5, pid_started=1.0, heartbeat=time.time() - 9)
    boss.end(run_id)
    assert (state(store, run_id), store.status(run_id)["error"]["key"]) == ("paused", "runs.interrupted")
