"""Test the deletion of runs, and the names that people give them."""

import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from gan.errors import UserError
from gan.files import append_line, write_bytes
from gan.runs import disk, names
from gan.runs.processes import started
from gan.runs.supervisor import Supervisor
from tests.fakes.runs import FAKE_WORKER, LONG, reaches, state, tiny, wait_until
from tests.fakes.worker import SEEDS

ENDED = ("paused", "finished", "stopped", "failed")


@pytest.fixture
def ended(store):
    """Make a finished run with statistics, a grid and a checkpoint."""
    run_id = store.create(tiny())
    append_line(store.path(run_id) / "stats.jsonl", {"step": 1})
    for name in ("samples/00000001.webp", "state/checkpoint.safetensors"):
        write_bytes(store.path(run_id) / name, b"bytes")
    store.update_status(run_id, state="finished")
    return run_id


def given_names(store) -> list[str]:
    return [summary["name"] for summary in store.list()]


# Deleting


@pytest.mark.parametrize("before", ENDED)
def test_a_run_at_rest_is_deleted_with_all_its_files(store, ended, before):
    other = store.create(tiny())
    store.update_status(ended, state=before)
    store.list(), store.stats(ended)
    Supervisor(store, FAKE_WORKER).delete(ended)
    assert os.listdir(store.root) == [other]
    assert [summary["id"] for summary in store.list()] == [other]
    assert (ended in store._files, ended in store._stats) == (False, False), "the caches let go of it"
    with pytest.raises(UserError) as caught:
        store.get(ended)
    assert caught.value.key == "runs.unknown"


@pytest.mark.parametrize("before", ["starting", "running"])
def test_a_run_that_trains_is_not_deleted(store, ended, before):
    store.update_status(ended, state=before)
    with pytest.raises(UserError, match=f"This run is {before}, so it can't be deleted"):
        Supervisor(store, FAKE_WORKER).delete(ended)
    assert state(store, ended) == before


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", None])
@pytest.mark.parametrize("name", ["config.json", "status.json"])
def test_a_damaged_run_is_deleted(store, ended, name, content):
    path = store.path(ended) / name
    path.unlink() if content is None else path.write_bytes(content)
    Supervisor(store, FAKE_WORKER).delete(ended)
    assert os.listdir(store.root) == []


def test_what_is_no_run_of_ours_is_deleted_as_well(store):
    (store.root / "mine" / "deep" / "down").mkdir(parents=True)
    (store.root.parent / "elsewhere").mkdir()
    (store.root.parent / "elsewhere" / "kept").write_text("")
    (store.root / "link").symlink_to(store.root.parent / "elsewhere")
    boss = Supervisor(store, FAKE_WORKER)
    for run_id in ("mine", "link"):
        boss.delete(run_id)
    assert os.listdir(store.root) == []
    assert os.listdir(store.root.parent / "elsewhere") == ["kept"], "a link is removed, not what it leads to"


def test_the_directory_is_out_of_sight_before_its_files_are_removed(store, ended, monkeypatch):
    seen = []
    monkeypatch.setattr(
        disk.shutil, "rmtree", lambda path, **options: seen.append((path.name[:6], store.list()))
    )
    Supervisor(store, FAKE_WORKER).delete(ended)
    assert seen == [(".gone-", [])]


def test_what_a_crash_left_is_removed_at_the_next_start(store, supervise, ended, monkeypatch):
    monkeypatch.setattr(disk.shutil, "rmtree", lambda path, **options: None)
    Supervisor(store, FAKE_WORKER).delete(ended)
    (store.root / ".new-abc").mkdir()
    (store.root / ".uploads").mkdir()
    monkeypatch.undo()
    assert len(os.listdir(store.root)) == 3
    supervise()
    # files that the server keeps for itself
    left = {name for name in os.listdir(store.root) if not name.startswith((".s", ".reserve", "..reserve"))}
    assert left == {".uploads"}


def test_a_damaged_run_that_trains_on_is_not_taken_from_under_its_worker(store, ended):
    store.update_status(ended, state="running", pid=os.getpid(), pid_started=started())
    (store.path(ended) / "config.json").unlink()
    with pytest.raises(UserError, match="can't be deleted"):
        Supervisor(store, FAKE_WORKER).delete(ended)
    assert state(store, ended) == "damaged"


def test_a_run_whose_worker_is_still_leaving_is_deleted_for_good(store, supervise):
    boss = supervise()
    run_id = boss.submit(tiny(steps=LONG, seed=SEEDS["slow to leave"]))
    reaches(store, run_id, "running")
    worker = psutil.Process(store.status(run_id)["pid"])
    boss.stop(run_id)
    reaches(store, run_id, "stopped")
    boss.delete(run_id)
    assert worker.is_running()
    after = boss.submit(tiny(steps=3))
    assert boss.queue() == [after], "the device is not free yet"
    reaches(store, after, "finished")
    assert not worker.is_running()
    assert [run["id"] for run in store.list()] == [after]


def test_many_may_delete_the_same_run(store, ended):
    boss, outcomes = Supervisor(store, FAKE_WORKER), []

    def press():
        try:
            boss.delete(ended)
            outcomes.append("done")
        except UserError as error:
            outcomes.append(error.key)

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done"] + 7 * ["runs.unknown"]


# Names


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("My cats", "My cats"),
        ("  My \t\n cats\r\n", "My cats"),
        ("a\x00b\x1b[31mc\x7f", "ab[31mc"),
        ("a\u202eb\u2066c\ufeff", "abc"),
        ("a\ud800b", "ab"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("猫 👩‍🚀", "猫 👩‍🚀"),
        ("x" * 60, "x" * 60),
        (f" {'x' * 30}{' ' * 50}{'y' * 29} ", f"{'x' * 30} {'y' * 29}"),
    ],
)
def test_a_name_is_kept_as_one_plain_line(store, ended, given, kept):
    assert store.rename(ended, given) == kept
    assert given_names(store) == [kept]
    assert store.get(ended)["name"] == kept
    assert (store.path(ended) / names.FILE).read_text(encoding="utf-8") == kept
    assert state(store, ended) == "finished"


@pytest.mark.parametrize("empty", ["", "  \n", "\u200d \x00", "\u202e"])
def test_an_empty_name_gives_back_the_default(store, ended, empty):
    store.rename(ended, "My cats")
    assert store.rename(ended, empty) == ""
    assert given_names(store) == [None]
    assert not (store.path(ended) / names.FILE).exists()
    assert store.rename(ended, empty) == ""


def test_a_long_name_is_refused_and_the_old_one_stays(store, ended):
    store.rename(ended, "My cats")
    with pytest.raises(UserError, match="60 characters, and this one has 61"):
        store.rename(ended, "x" * 61)
    with pytest.raises(UserError):
        store.rename("none", "My cats")
    assert given_names(store) == ["My cats"]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"a\nb\n", b"x" * 100_000])
def test_a_name_that_somebody_else_wrote_is_harmless(store, ended, content):
    (store.path(ended) / names.FILE).write_bytes(content)
    found = given_names(store)[0]
    assert found is None or (len(found) <= names.MAX_LENGTH and found.isprintable())


def test_a_directory_in_the_place_of_a_name_is_harmless(store, ended):
    (store.path(ended) / names.FILE).mkdir()
    assert given_names(store) == [None]


def test_a_run_keeps_its_name_while_it_trains(store, supervise):
    boss = supervise()
    run_id = boss.submit(tiny(steps=LONG))
    reaches(store, run_id, "running")
    store.rename(run_id, "My cats")
    step = store.status(run_id)["step"]
    wait_until(lambda: store.status(run_id)["step"] > step)
    assert given_names(store) == ["My cats"]
    boss.stop(run_id)
    reaches(store, run_id, "stopped")
    assert given_names(store) == ["My cats"]


# A server that dies while it deletes

DELETE = """
import os, signal, sys
from pathlib import Path
from gan.runs import disk
from gan.runs.store import Store
from gan.runs.supervisor import Supervisor
disk.shutil.rmtree = lambda path, **options: os.kill(os.getpid(), signal.SIGKILL)
Supervisor(Store(Path(sys.argv[1]))).delete(sys.argv[2])
"""


def test_a_server_killed_in_the_middle_leaves_nothing_after_the_next_start(store, supervise, ended):
    done = subprocess.run([sys.executable, "-c", DELETE, str(store.root), ended], check=False)
    assert done.returncode == -signal.SIGKILL
    assert store.list() == []
    assert [name[:6] for name in os.listdir(store.root)] == [".gone-"]
    supervise()
    assert not list(store.root.glob(".gone-*"))


# Runs that start again from nothing


def test_a_run_starts_again_from_nothing(store, supervise):
    boss = supervise()
    run_id = boss.submit(tiny(steps=LONG))
    reaches(store, run_id, "running")
    with pytest.raises(UserError) as caught:
        boss.command(run_id, "restart")
    assert caught.value.key == "runs.cant_restart"
    boss.stop(run_id)
    reaches(store, run_id, "stopped")
    wait_until(lambda: boss.active() is None)
    config, before = store.config(run_id), store.status(run_id)
    store.rename(run_id, "Kept")
    append_line(store.path(run_id) / "events.jsonl", {"time": 1.0, "key": "disk_full", "values": {}})
    for name in (
        "samples/00000040.webp",
        "snapshots/00000040.safetensors",
        "live.safetensors",
        "commands/1-stop.json",
    ):
        write_bytes(store.path(run_id) / name, b"old")
    other = boss.submit(tiny(steps=LONG))
    wait_until(lambda: boss.active() == other)
    boss.command(run_id, "restart")
    assert sorted(path.name for path in store.path(run_id).iterdir()) == [
        "config.json",
        "events.jsonl",
        "name.txt",
        "status.json",
        "worker.log",
    ]
    shown, status = store.get(run_id), store.status(run_id)
    assert (shown["name"], [event["key"] for event in shown["events"]], store.config(run_id)) == (
        "Kept",
        ["disk_full", "restarted"],
        config,
    )
    assert (status["state"], status["step"], status["created"], boss.queue()) == (
        "queued",
        0,
        before["created"],
        [run_id],
    )
    boss.stop(other)
    reaches(store, run_id, "running")
    assert store.log_tail(run_id)[-1] == "training from step 0"
