"""Test the supervisor with a worker that does not need torch.

tests/server/runs/worker/test_worker.py does the same with the real worker.
"""

import json
import os
import signal
import sys
import threading
import time

import pytest

from gan.errors import MESSAGES, UserError
from gan.files import append_line, write_bytes
from gan.runs import launcher, supervisor
from gan.runs.store import LIVE, STATES
from gan.runs.supervisor import Supervisor
from tests.fakes.runs import FAKE_WORKER, LONG, children, reaches, state, tiny, wait_until
from tests.fakes.worker import SEEDS

# One run


def test_a_run_goes_from_submit_to_finished(store, supervise):
    boss = supervise()
    run_id = boss.submit(tiny(steps=10))
    reaches(store, run_id, "finished")
    wait_until(lambda: boss.active() is None)
    status = store.status(run_id)
    assert (status["step"], status["progress"], status["error"]) == (10, 1.0, None)
    assert store.stats(run_id)[1] == 10
    assert status["nice"] == 10, "workers are niced"
    assert store.log_tail(run_id) == ["training from step 0"]


def test_submit_wakes_the_supervisor(store, supervise, monkeypatch):
    monkeypatch.setattr(supervisor, "TICK", 60.0)
    boss = supervise()
    wait_until(boss.spare_ready)
    run_id = boss.submit(tiny(steps=5))
    reaches(store, run_id, "starting", "running", "finished")


def test_the_spare_takes_the_run_and_is_replaced_after_it(store, supervise):
    boss = supervise()
    wait_until(boss.spare_ready)
    spare = boss._launcher.spare.pid
    run_id = boss.submit(tiny(steps=LONG))
    reaches(store, run_id, "running")
    assert store.status(run_id)["pid"] == spare
    time.sleep(3 * supervisor.TICK)
    assert len(children()) == 1, "no new spare beside the first steps"
    boss.stop(run_id)
    wait_until(boss.spare_ready)
    assert boss._launcher.spare.pid != spare


def test_a_spare_is_started_beside_a_run_once_it_is_well_under_way(store, supervise, monkeypatch):
    monkeypatch.setattr(launcher, "SPARE_DELAY", 0.5)
    boss = supervise()
    wait_until(boss.spare_ready)
    first = boss.submit(tiny(steps=LONG))
    reaches(store, first, "running")
    wait_until(boss.spare_ready)
    assert boss.active() == first
    assert len(children()) == 2


def test_a_run_starts_even_if_the_spare_was_killed(store, supervise):
    boss = supervise()
    wait_until(boss.spare_ready)
    os.kill(boss._launcher.spare.pid, signal.SIGKILL)
    run_id = boss.submit(tiny(steps=5))
    reaches(store, run_id, "finished")


def test_a_spare_that_dies_is_not_replaced_again_and_again(store, supervise):
    boss = supervise((sys.executable, "-c", "raise SystemExit(1)"))
    pids = set()
    deadline = time.monotonic() + 1.2
    while time.monotonic() < deadline:
        pids |= {child.pid for child in children()}
        time.sleep(0.005)
    assert len(pids) <= 1
    assert not boss.spare_ready()


def test_a_worker_program_that_is_missing_is_told_in_the_run(store, supervise):
    boss = supervise(("/no/such/python",))
    run_id = boss.submit(tiny())
    reaches(store, run_id, "failed")
    assert store.status(run_id)["error"]["key"] == "runs.start_failed"
    assert "/no/such/python" in store.status(run_id)["error"]["text"]


def test_pause_resume_stop(store, supervise):
    boss = supervise()
    run_id = boss.submit(tiny(steps=LONG))
    reaches(store, run_id, "running")
    assert (boss.active(), boss.queue()) == (run_id, [])
    boss.pause(run_id)
    reaches(store, run_id, "paused")
    step = store.status(run_id)["step"]
    boss.resume(run_id)
    reaches(store, run_id, "running")
    assert store.log_tail(run_id)[-1] == f"training from step {step}"
    boss.stop(run_id)
    reaches(store, run_id, "stopped")
    wait_until(lambda: boss.active() is None)
    assert list((store.path(run_id) / "commands").glob("*.json")) == []


def test_a_stop_that_comes_while_a_pause_is_written_still_stops(store, supervise):
    boss = supervise()
    run_id = boss.submit(tiny(steps=LONG, seed=SEEDS["slow to leave"]))
    reaches(store, run_id, "running")
    boss.pause(run_id)
    reaches(store, run_id, "paused")  # its worker takes no more commands, and ends a second later
    store.send(run_id, "stop")
    store.send(run_id, "save")
    reaches(store, run_id, "stopped")
    assert list((store.path(run_id) / "commands").iterdir()) == []


def test_commands_reach_the_worker(store, supervise):
    boss = supervise()
    run_id = boss.submit(tiny(steps=LONG))
    reaches(store, run_id, "running")
    for name in ("sample", "save"):
        boss.command(run_id, name)
        wait_until(lambda name=name: store.status(run_id).get("taken") == name)


def test_a_resumed_run_does_not_obey_commands_meant_for_its_last_worker(store, supervise):
    boss = supervise()
    run_id = boss.submit(tiny(steps=LONG))
    reaches(store, run_id, "running")
    boss.pause(run_id)
    reaches(store, run_id, "paused")
    store.send(run_id, "stop")
    boss.resume(run_id)
    reaches(store, run_id, "running")
    time.sleep(0.1)
    assert state(store, run_id) == "running"


# The queue


def test_two_runs_train_one_after_the_other(store, supervise):
    boss = supervise()
    first, second = boss.submit(tiny(steps=60)), boss.submit(tiny(steps=10))
    wait_until(lambda: boss.active() == first)
    assert boss.queue() == [second]
    both = False
    while state(store, second) != "finished":
        both |= state(store, first) in LIVE and state(store, second) in LIVE
        time.sleep(0.005)
    assert not both
    assert state(store, first) == "finished"
    assert boss.queue() == []


def test_the_queue_keeps_the_order_of_asking(store, supervise):
    boss = supervise()
    first, paused = boss.submit(tiny(steps=LONG)), boss.submit(tiny())
    write_bytes(store.path(paused) / "state" / "checkpoint.safetensors", b"step")
    boss.pause(paused)
    third = boss.submit(tiny())
    boss.resume(paused)
    assert boss.queue() == [third, paused], "a resumed run waits behind those that asked before"
    boss.stop(first)
    reaches(store, paused, "finished")


def test_cancelled_runs_never_start(store, supervise):
    boss = supervise()
    first = boss.submit(tiny(steps=LONG))
    reaches(store, first, "running")
    waiting = {name: boss.submit(tiny()) for name in ("cancel", "pause", "stop")}
    resumed = boss.submit(tiny())
    write_bytes(store.path(resumed) / "state" / "checkpoint.safetensors", b"step")
    for name, run_id in waiting.items():
        boss.command(run_id, name)
        assert state(store, run_id) == "stopped", "a run that never trained is over"
    boss.cancel(resumed)
    assert state(store, resumed) == "paused", "one that has a checkpoint may go on later"
    assert boss.queue() == []
    boss.stop(first)
    wait_until(boss.spare_ready)
    assert not any((store.path(run_id) / "worker.log").exists() for run_id in [*waiting.values(), resumed])


# Transitions that make no sense

WRONG = {
    "pause": set(STATES) - {"queued", "starting", "running"},
    "stop": set(STATES) - {"queued", "starting", "running", "paused"},
    "end": set(STATES) - {"starting", "running"},
    "cancel": set(STATES) - {"queued"},
    "resume": set(STATES) - {"paused", "failed"},
    "restart": set(STATES) - {"paused", "failed", "stopped"},
    "sample": set(STATES) - {"starting", "running"},
    "save": set(STATES) - {"starting", "running"},
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_transitions_are_refused_in_a_sentence(store, name):
    boss = Supervisor(store, FAKE_WORKER)
    run_id = store.create(tiny())
    for before in sorted(WRONG[name]):
        store.update_status(run_id, state=before)
        with pytest.raises(UserError, match=f"This run is {before}, so it can't ") as caught:
            boss.command(run_id, name)
        assert caught.value.key == f"runs.cant_{name}"
        assert state(store, run_id) == before
    write_bytes(store.path(run_id) / "status.json", b"garbled")
    with pytest.raises(UserError, match="This run is damaged"):
        boss.command(run_id, name)
    assert (store.path(run_id) / "status.json").read_bytes() == b"garbled"


def test_unknown_runs_and_commands_are_refused(store):
    boss = Supervisor(store, FAKE_WORKER)
    run_id = store.create(tiny())
    for name in ("explode", "", None, "__class__"):
        with pytest.raises(UserError) as caught:
            boss.command(run_id, name)
        assert caught.value.key == "runs.unknown_command"
    for action in (boss.pause, boss.resume, boss.stop, boss.cancel):
        with pytest.raises(UserError) as caught:
            action("../escape")
        assert caught.value.key == "runs.unknown"


def test_a_paused_run_can_be_stopped_for_good(store):
    boss = Supervisor(store, FAKE_WORKER)
    run_id = store.create(tiny())
    store.update_status(run_id, state="paused")
    boss.stop(run_id)
    assert state(store, run_id) == "stopped"
    with pytest.raises(UserError):
        boss.resume(run_id)


# Failures


@pytest.mark.parametrize(
    ("seed", "key", "log"),
    [
        ("crash", "runs.worker_ended", "training from step 0"),
        ("kill", "runs.worker_killed", "training from step 0"),
        ("exit at once", "runs.worker_ended", "no torch here"),
    ],
)
def test_a_worker_that_dies_shows_as_failed_with_its_last_words(store, supervise, seed, key, log):
    boss = supervise()
    run_id = boss.submit(tiny(seed=SEEDS[seed]))
    reaches(store, run_id, "failed")
    status = store.status(run_id)
    assert status["error"]["key"] == key
    assert status["error"]["text"] == MESSAGES[key].format(**status["error"]["values"])
    assert store.get(run_id)["log"][-1] == log
    healthy = boss.submit(tiny(steps=5))
    reaches(store, healthy, "finished")


def test_a_mistake_told_by_the_worker_is_kept(store, supervise):
    run_id = supervise().submit(tiny(seed=SEEDS["mistake"]))
    reaches(store, run_id, "failed")
    time.sleep(2 * supervisor.TICK)
    assert store.status(run_id)["error"]["key"] == "train.no_labels"


def test_a_failed_run_with_a_checkpoint_goes_on(store, supervise):
    boss = supervise()
    run_id = boss.submit(tiny(steps=LONG))
    reaches(store, run_id, "running")
    write_bytes(store.path(run_id) / "state" / "checkpoint.safetensors", b"step")
    os.kill(store.status(run_id)["pid"], signal.SIGKILL)
    reaches(store, run_id, "failed")
    assert store.status(run_id)["error"]["values"] == {"signal": 9}
    boss.resume(run_id)
    reaches(store, run_id, "running")
    assert store.status(run_id)["error"] is None


def test_a_failed_run_that_leaves_the_queue_still_says_why_it_failed(store, supervise):
    """The page decides by this value whether the run can resume."""
    boss = supervise()
    reaches(store, boss.submit(tiny(steps=LONG)), "running")
    failed = boss.submit(tiny())
    error = {"key": "train.no_sound_checkpoint", "values": {}, "text": "no sound one"}
    store.update_status(failed, state="failed", error=error)
    boss.resume(failed)
    assert state(store, failed) == "queued"
    boss.cancel(failed)
    assert (state(store, failed), store.status(failed)["error"]) == ("paused", error)


def test_a_run_that_died_before_its_first_checkpoint_begins_anew(store, supervise):
    boss = supervise()
    run_id = boss.submit(tiny(steps=LONG))
    reaches(store, run_id, "running")
    os.kill(store.status(run_id)["pid"], signal.SIGKILL)
    reaches(store, run_id, "failed")
    assert not store.resumable(run_id)
    boss.resume(run_id)
    reaches(store, run_id, "running")
    boss.stop(run_id)
    reaches(store, run_id, "stopped")


def test_a_run_that_was_paused_without_a_checkpoint_stays_so_when_it_leaves_the_queue(store, supervise):
    """A full disk pauses a run at its start, before any checkpoint."""
    boss = supervise()
    boss.submit(tiny(steps=LONG))
    paused = boss.submit(tiny())
    store.update_status(paused, state="paused")
    for name in ("cancel", "pause"):
        boss.resume(paused)
        boss.command(paused, name)
        assert state(store, paused) == "paused", name


def test_a_run_whose_files_were_deleted_while_it_trained_can_be_stopped(store, supervise):
    boss = supervise()
    run_id = boss.submit(tiny(steps=LONG))
    reaches(store, run_id, "running")
    (store.path(run_id) / "config.json").unlink()
    after = boss.submit(tiny(steps=5))
    assert (state(store, run_id), boss.active(), boss.queue()) == ("damaged", run_id, [after])
    boss.stop(run_id)
    reaches(store, after, "finished")


def test_a_run_directory_that_vanishes_does_not_end_the_supervision(store, supervise):
    boss = supervise()
    run_id = boss.submit(tiny(steps=LONG))
    reaches(store, run_id, "running")
    worker = store.status(run_id)["pid"]
    os.rename(store.path(run_id), store.root.parent / "taken-away")
    os.kill(worker, signal.SIGKILL)
    after = boss.submit(tiny(steps=5))
    reaches(store, after, "finished")


# Many at once


def test_many_threads_may_press_every_button(store, supervise):
    boss = supervise()
    ids = [boss.submit(tiny(steps=30)) for _ in range(4)]
    wrong = []

    def press(number):
        for turn in range(25):
            name = (
                ("pause", "resume", "stop", "cancel", "sample", "save", "end", "restart")[(number + turn) % 8]
                if turn < 20
                else "stop"
            )
            try:
                boss.command(ids[(number + turn) % 4], name)
            except UserError:
                pass
            except Exception as error:
                wrong.append(error)
            boss.active(), boss.queue(), store.list()

    threads = [threading.Thread(target=press, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    for run_id in ids:
        if state(store, run_id) not in ("finished", "stopped"):
            reaches(store, run_id, "finished", "stopped", "paused")
    wait_until(lambda: boss.active() is None)


def test_status_and_stats_stay_readable_while_a_worker_writes(store, supervise):
    boss = supervise()
    run_id = boss.submit(tiny(steps=150))
    lines, since = [], 0
    while state(store, run_id) != "finished":
        assert state(store, run_id) in ("queued", "starting", "running", "finished")
        new, since = store.stats(run_id, since)
        lines += new
    lines += store.stats(run_id, since)[0]
    assert [line["step"] for line in lines] == list(range(1, 151))
    append_line(store.path(run_id) / "stats.jsonl", {"step": 151})
    assert store.stats(run_id, 150) == ([{"step": 151}], 151)
    json.dumps(store.get(run_id), allow_nan=False)
