"""Test servers that end, crash, start again or meet each other, and the processes that they leave behind.

The worker does not need torch.
"""

import json
import os
import signal
import subprocess
import sys

import psutil
import pytest

from gan.errors import UserError
from gan.files import read_json, write_bytes, write_json
from gan.runs import launcher, processes, recovery, supervisor
from gan.runs.store import LIVE, Store, error_json
from gan.runs.supervisor import Supervisor
from tests import ROOT
from tests.fakes.runs import FAKE_WORKER, LONG, children, reaches, state, tiny, wait_until


def saved(step: int) -> bytes:
    """Return a checkpoint file that ends after its header, without any tensor."""
    header = json.dumps({"__metadata__": {"trainer": json.dumps({"step": step})}}).encode()
    return len(header).to_bytes(8, "little") + header


# The server's end and its next start


def test_close_pauses_the_run_and_ends_the_spare(store, supervise, monkeypatch):
    monkeypatch.setattr(launcher, "SPARE_DELAY", 0.0)
    boss = supervise()
    run_id, waiting = boss.submit(tiny(steps=LONG)), boss.submit(tiny(steps=5))
    reaches(store, run_id, "running")
    wait_until(boss.spare_ready)
    assert len(children()) == 2
    boss.close()
    assert children() == []
    assert (state(store, run_id), state(store, waiting)) == ("paused", "queued")
    assert store.resumable(run_id)
    boss.close()


def test_a_run_that_the_server_s_end_interrupted_goes_on_with_the_next_before_those_that_wait(
    store, supervise
):
    boss = supervise()
    run_id, waiting = boss.submit(tiny(steps=LONG)), boss.submit(tiny(steps=5))
    reaches(store, run_id, "running")
    for _ in range(2):
        boss.close()
        step = store.status(run_id)["step"]
        assert (state(store, run_id), state(store, waiting)) == ("paused", "queued")
        boss = supervise()
        wait_until(
            lambda step=step: state(store, run_id) == "running" and store.status(run_id)["step"] > step
        )
        assert boss.queue() == [waiting]
    boss.pause(run_id)
    reaches(store, waiting, "finished")
    assert state(store, run_id) == "paused"


@pytest.mark.parametrize("at", ["long before", "while it closes"])
def test_a_run_that_a_person_paused_stays_so_at_the_next_start(store, supervise, at, monkeypatch):
    boss = supervise()
    run_id = boss.submit(tiny(steps=LONG))
    reaches(store, run_id, "running")
    if at == "while it closes":
        monkeypatch.setattr(store, "send", lambda *_: None)  # the worker ends before the server notices
        boss.pause(run_id)
    else:
        boss.pause(run_id)
        reaches(store, run_id, "paused")
    boss.close()
    again = supervise()
    assert (state(store, run_id), again.queue(), again.active()) == ("paused", [], None)


def test_what_a_person_takes_back_out_of_the_queue_is_not_taken_up_again(store, supervise):
    boss = supervise()
    run_id = boss.submit(tiny(steps=LONG))
    reaches(store, run_id, "running")
    boss.close()
    again = Supervisor(store, FAKE_WORKER)
    recovery.requeue_flagged(store)
    assert state(store, run_id) == "queued"
    again.cancel(run_id)
    recovery.requeue_flagged(store)
    assert state(store, run_id) == "paused"


def test_a_run_that_a_full_disk_paused_is_not_taken_up(store):
    run_id = store.create(tiny())
    store.update_status(
        run_id, state="paused", error={"key": "train.disk_full", "values": {}, "text": "full"}
    )
    recovery.flag_interrupted(store, [run_id])
    recovery.requeue_flagged(store)
    assert state(store, run_id) == "paused"


def test_close_before_the_worker_could_listen_leaves_the_run_paused(store, supervise):
    boss = supervise((sys.executable, "-c", "import time; time.sleep(60)"))
    run_id = boss.submit(tiny())
    reaches(store, run_id, "starting")
    boss.close()
    assert state(store, run_id) == "paused"
    supervise()
    reaches(store, run_id, "finished")


def test_close_without_start_does_nothing(store):
    Supervisor(store, FAKE_WORKER).close()


def test_no_zombies_after_several_servers(store, supervise):
    for _ in range(3):
        boss = supervise()
        ids = [boss.submit(tiny(steps=5)), boss.submit(tiny(steps=LONG))]
        reaches(store, ids[1], "running")
        boss.close()
        assert children() == []
        assert [state(store, run_id) for run_id in ids] == ["finished", "paused"]
        # without this the run would resume, and block the next two
        store.update_status(ids[1], interrupted=False)


def test_the_worker_outlives_a_killed_server_and_is_adopted(store, supervise, server):
    process, run_id = server(LONG)
    pid = store.status(run_id)["pid"]
    process.kill()
    process.wait()
    step = store.status(run_id)["step"]
    wait_until(lambda: store.status(run_id)["step"] > step)
    boss = supervise()
    assert (boss.active(), state(store, run_id)) == (run_id, "running")
    waiting = boss.submit(tiny(steps=5))
    assert boss.queue() == [waiting], "the device is not free"
    boss.pause(run_id)
    reaches(store, run_id, "paused")
    assert store.status(run_id)["pid"] == pid
    reaches(store, waiting, "finished")


def test_an_adopted_worker_that_dies_shows_as_failed(store, supervise, server):
    process, run_id = server(LONG)
    process.kill()
    process.wait()
    boss = supervise()
    os.kill(store.status(run_id)["pid"], signal.SIGKILL)
    reaches(store, run_id, "failed")
    assert store.status(run_id)["error"]["key"] == "runs.worker_lost"
    wait_until(lambda: boss.active() is None)


def test_close_pauses_an_adopted_worker(store, supervise, server):
    process, run_id = server(LONG)
    process.kill()
    process.wait()
    worker = psutil.Process(store.status(run_id)["pid"])
    supervise().close()
    assert state(store, run_id) == "paused"
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


def test_the_spare_of_a_killed_server_ends_by_itself(store, server):
    process, _ = server(steps=1)
    server_children = psutil.Process(process.pid).children
    wait_until(
        lambda: store.root.joinpath(".spare.log").read_text() == "ready\n" and len(server_children()) == 1
    )
    spare = server_children()[0]
    process.kill()
    process.wait()
    wait_until(lambda: not spare.is_running() or spare.status() == psutil.STATUS_ZOMBIE)


def test_leaving_python_closes_the_supervisor(store, server):
    process, run_id = server(LONG)
    process.communicate("", timeout=180)
    assert process.returncode == 0
    assert state(store, run_id) == "paused"


def test_a_second_server_on_the_same_folder_is_refused(store, server):
    process, _ = server(steps=1)
    second = Supervisor(store, FAKE_WORKER)
    with pytest.raises(UserError, match=f"process {process.pid}"):
        second.start()
    second.close()
    assert read_json(store.root / ".supervisor.json")["pid"] == process.pid, (
        "the refused one leaves the claim of the first"
    )


@pytest.mark.parametrize("checkpoint", [True, False])
@pytest.mark.parametrize("before", LIVE)
def test_runs_whose_worker_is_gone_are_settled_at_the_start(store, supervise, before, checkpoint):
    """The machine was switched off, so process ids mean nothing any more.

    Our own id stands for one that the system has given out again.
    """
    ids = [store.create(tiny()) for _ in range(3)]
    for run_id, (pid, since) in zip(
        ids, [(os.getpid(), processes.started() - 3600), (2**22 + 5, 1.0), (None, None)], strict=True
    ):
        store.update_status(run_id, state=before, pid=pid, pid_started=since)
        if checkpoint:
            write_bytes(store.path(run_id) / "state" / "checkpoint.safetensors", saved(7))
    supervise()
    for run_id in ids:
        reaches(store, run_id, "finished")
        events = [(event["key"], event["values"]) for event in store.get(run_id)["events"]]
        assert events == ([("went_on", {"step": 7})] if checkpoint else [("began_anew", {})])


def test_a_run_that_a_power_cut_ended_goes_on_before_those_that_wait(store, supervise, server):
    process, run_id = server(LONG)
    waiting = store.create(tiny(steps=5))
    process.kill()
    process.wait()
    write_bytes(store.path(run_id) / "state" / "checkpoint.safetensors", saved(12))
    psutil.Process(store.status(run_id)["pid"]).kill()
    wait_until(
        lambda: processes.find(store.status(run_id)["pid"], store.status(run_id)["pid_started"]) is None
    )
    boss = supervise()
    reaches(store, run_id, "running")
    assert (boss.active(), boss.queue(), state(store, waiting)) == (run_id, [waiting], "queued")
    assert [(event["key"], event["values"]) for event in store.get(run_id)["events"]] == [
        ("went_on", {"step": 12})
    ]
    boss.pause(run_id)
    reaches(store, waiting, "finished")
    assert state(store, run_id) == "paused"


@pytest.mark.parametrize(("asked", "left"), [("pause", "paused"), ("stop", "stopped")])
def test_a_run_that_a_person_had_just_told_to_end_does_not_go_on_after_a_power_cut(
    store, supervise, asked, left
):
    run_id = store.create(tiny(steps=LONG))
    store.update_status(run_id, state="running", pid=2**22 + 5, pid_started=1.0)
    store.send(run_id, asked)
    boss = supervise()
    assert (state(store, run_id), boss.queue()) == (left, [])


def test_a_run_that_a_person_began_at_a_terminal_is_left_paused(store, supervise):
    write_json(store.root / "mine" / "config.json", tiny(steps=LONG).to_json())
    write_json(
        store.root / "mine" / "status.json", {"state": "running", "pid": 2**22 + 5, "pid_started": 1.0}
    )
    supervise()
    assert state(store, "mine") == "paused"


def test_a_run_with_which_the_machine_ends_again_and_again_is_left_paused(store):
    run_id = store.create(tiny(steps=LONG))

    def cut(step):
        """Switch the machine off after the worker's checkpoint of this step, and let the next server look."""
        store.update_status(run_id, state="running", pid=2**22 + 5, pid_started=1.0)
        write_bytes(store.path(run_id) / "state" / "checkpoint.safetensors", saved(step))
        recovery.requeue_orphan(store, run_id)
        return state(store, run_id)

    assert [cut(step) for step in (0, 0, 5, 5, 6, 6, 6)] == ["queued"] * 6 + ["paused"]
    assert store.status(run_id)["error"] == error_json(UserError("runs.interrupted_often", times=3))
    Supervisor(store, FAKE_WORKER).resume(run_id)
    assert [cut(6) for _ in range(3)] == ["queued", "queued", "paused"], (
        "a person may have done something about it"
    )


def test_queued_runs_start_with_the_next_server(store, supervise):
    ids = [store.create(tiny(steps=3)) for _ in range(2)]
    supervise()
    for run_id in ids:
        reaches(store, run_id, "finished")


def test_damaged_runs_do_not_stand_in_the_way(store, supervise):
    for content in (
        b"",
        b"{",
        b'{"state": "queued", "queued_at": "soon"}',
        b'{"state": "running", "pid": "x"}',
    ):
        write_bytes(store.path(store.create(tiny())) / "status.json", content)
    (store.root / "empty").mkdir()
    run_id = supervise().submit(tiny(steps=3))
    reaches(store, run_id, "finished")


# A run that a person started at a terminal, in the same folder

TERMINAL = """
import sys
from pathlib import Path
from tests.fakes.worker import FakeRun
FakeRun(Path(sys.argv[1])).train()
"""


def test_a_run_from_the_terminal_is_seen_waited_for_and_left_alone_at_the_end(store, supervise, monkeypatch):
    monkeypatch.setattr(supervisor, "SURVEY", 0.1)
    boss = supervise()
    path = store.root / "mine"
    write_json(path / "config.json", tiny(steps=LONG).to_json())
    write_json(path / "status.json", {"state": "paused", "step": 0})
    with subprocess.Popen(
        [sys.executable, "-c", TERMINAL, str(path)], cwd=ROOT, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until(lambda: boss.active() == "mine")
            waiting = boss.submit(tiny(steps=3))
            assert boss.queue() == [waiting]
            boss.close()
            assert (state(store, "mine"), process.poll()) == ("running", None)
            Store(store.root).send("mine", "stop")
            assert process.wait(20) == 0
        finally:
            process.kill()


# Processes


def test_a_process_is_known_by_number_and_start_time():
    pid, since = os.getpid(), processes.started()
    assert processes.find(pid, since).alive()
    assert processes.find(pid, since + 60) is None
    assert processes.find(pid, None) is None
    for nobody in (None, "1", -1, 0, True, 2**22 + 5, 2**80, 1.5):
        assert processes.find(nobody, since) is None


def test_a_zombie_is_not_alive():
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as process:
        since = processes.started(process.pid)
        worker = processes.find(process.pid, since)
        assert worker.alive()
        process.stdin.close()
        wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE)
        assert not worker.alive()
        assert processes.find(process.pid, since) is None
