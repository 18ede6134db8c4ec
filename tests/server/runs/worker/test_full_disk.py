"""Test a disk without a free byte: visitors can still cancel and delete runs, and the log names the cause."""

import errno
import logging
import os
import signal
import time

import pytest

from gan.errors import UserError
from gan.files import FULL
from gan.runs import disk, recovery, supervisor
from gan.runs.disk import Reserve
from gan.runs.supervisor import Supervisor
from tests.fakes.runs import FAKE_WORKER, LONG, reaches, state, tiny, wait_until


@pytest.fixture
def full(store, monkeypatch):
    """Fill the disk, until `full(False)`.

    Nobody can write until the server gives up its reserved space. Without a reserve nobody can write at all.
    """
    real = os.replace
    there = {"full": False}

    def refuse(source, target, **rest):
        if there["full"] and (target.name == disk.RESERVE or not there["given up"]):
            there["given up"] = not (store.root / disk.RESERVE).exists() and target.name != disk.RESERVE
            if not there["given up"]:
                raise OSError(errno.ENOSPC, "No space left on device")
        return real(source, target, **rest)

    def fill(now: bool = True) -> None:
        there.update({"full": now, "given up": False})

    monkeypatch.setattr("gan.files.os.replace", refuse)
    return fill


@pytest.fixture
def no_room(monkeypatch):
    """Let every write fail from now on, with or without the reserved space."""

    def begin() -> None:
        def refuse(*_, **__):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("gan.files.tempfile.mkstemp", refuse)

    return begin


def test_the_space_kept_back_is_taken_given_up_and_taken_again(store, monkeypatch):
    monkeypatch.setattr(disk, "PATIENCE", 0.0)
    store.root.mkdir(exist_ok=True)
    kept, tried = Reserve(store.root), []

    def write() -> str:
        tried.append((store.root / disk.RESERVE).exists())
        if tried[-1]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return "done"

    kept.keep()
    assert (store.root / disk.RESERVE).stat().st_size == disk.RESERVE_BYTES
    assert (kept.spend(write), tried) == ("done", [True, False])
    kept.keep()
    assert (store.root / disk.RESERVE).exists()
    with pytest.raises(PermissionError):
        kept.spend(lambda: (_ for _ in ()).throw(PermissionError(errno.EACCES, "no")))
    assert (store.root / disk.RESERVE).exists(), "it helps against nothing else"
    store.usage.allowed = disk.RESERVE_BYTES // 2
    store.usage.check()


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [("cancel", "queued", "stopped"), ("pause", "queued", "stopped"), ("stop", "paused", "stopped")],
)
def test_a_run_leaves_the_queue_of_a_full_disk(store, full, name, before, after):
    boss = Supervisor(store, FAKE_WORKER)
    run_id = store.create(tiny())
    store.update_status(run_id, state=before)
    boss._reserve.keep()
    full()
    with pytest.raises(UserError, match="The disk is full"):
        boss.submit(tiny())
    boss.command(run_id, name)
    assert state(store, run_id) == after


@pytest.mark.parametrize("before", ["queued", "paused", "finished", "stopped", "failed"])
def test_every_run_that_does_not_train_can_be_deleted_where_nothing_can_be_written(store, no_room, before):
    boss = Supervisor(store, FAKE_WORKER)
    run_id = store.create(tiny())
    store.update_status(run_id, state=before)
    no_room()
    boss.delete(run_id)
    assert not any(path.name.endswith(run_id) for path in store.root.iterdir())


def test_what_a_power_cut_ended_is_settled_on_a_full_disk_and_the_queue_is_seen(store, full, no_room):
    lost, waiting = store.create(tiny()), store.create(tiny())
    store.update_status(lost, state="running", pid=2**22 + 5, pid_started=1.0)
    boss = Supervisor(store, FAKE_WORKER)
    boss._reserve.keep()
    boss._lost = recovery.find_orphans(store)
    full()
    boss._look_again()
    assert (boss.queue(), boss._lost) == ([lost, waiting], set())
    store.update_status(lost, state="running")
    boss._lost = recovery.find_orphans(store)
    no_room()
    boss._look_again()
    assert (boss.queue(), boss._lost) == ([waiting], {lost})


def test_why_a_worker_ended_is_told_on_a_full_disk(store, supervise, full):
    boss = supervise()
    run_id = boss.submit(tiny(LONG))
    reaches(store, run_id, "running")
    wait_until((store.root / disk.RESERVE).exists)
    full()
    os.kill(store.status(run_id)["pid"], signal.SIGKILL)
    reaches(store, run_id, "failed", "paused")
    assert store.status(run_id)["error"]["key"] == "runs.worker_killed"
    full(False)


def test_the_log_says_once_that_the_disk_is_full(store, supervise, monkeypatch, caplog):
    monkeypatch.setattr(supervisor, "PATIENCE", 0.01)
    tried, real = [], Supervisor._start_run

    def refuse(self, run_id):
        tried.append(run_id)
        if len(tried) < 8 or 12 < len(tried) < 20:
            raise OSError(min(FULL), "No space left on device")
        if len(tried) < 12:
            raise ValueError("something else")
        real(self, run_id)

    monkeypatch.setattr(Supervisor, "_start_run", refuse)
    boss = supervise()
    with caplog.at_level(logging.ERROR, logger="gan.runs.supervisor"):
        run_id = boss.submit(tiny(LONG))
        reaches(store, run_id, "running")
        boss.stop(run_id)
        wait_until(lambda: boss.active() is None)
        run_id = boss.submit(tiny(LONG))
        reaches(store, run_id, "running")
        time.sleep(0.05)
    assert ["the disk is full" in record.getMessage() for record in caplog.records] == [True, False, True]
    boss.stop(run_id)
