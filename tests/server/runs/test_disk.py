"""Test the disk use of runs, the quota, and full disks."""

import errno
import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gan.errors import UserError
from gan.files import write_bytes
from gan.runs import disk, supervisor
from gan.runs.store import Store
from gan.runs.supervisor import Supervisor
from tests.fakes.runs import FAKE_WORKER, LONG, reaches, state, tiny, wait_until


@pytest.fixture
def full():
    """The OSError of a full disk."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_sizes_are_sums_of_files_and_links_are_not_followed(tmp_path):
    write_bytes(tmp_path / "runs" / "a" / "deep" / "file", bytes(1000))
    write_bytes(tmp_path / "runs" / "a" / "file", bytes(234))
    write_bytes(tmp_path / "runs" / ".uploads" / "x" / "file", bytes(50))
    write_bytes(tmp_path / "outside" / "file", bytes(10**6))
    (tmp_path / "runs" / "a" / "link").symlink_to(tmp_path / "outside")
    found = disk.Usage(tmp_path / "runs")
    wait_until(found.sizes)
    sizes = found.sizes()
    assert sizes[".uploads"] == 50
    assert 1234 <= sizes["a"] < 2000


def test_a_directory_that_is_not_there_holds_nothing(tmp_path):
    found = disk.Usage(tmp_path / "none", allowed=1)
    found.check()
    assert found.sizes() == {}


def test_asking_never_waits_and_measures_seldom(tmp_path, monkeypatch):
    measured, gate = [], threading.Event()

    def slow(path):
        measured.append(path)
        gate.wait(60)
        return []

    monkeypatch.setattr(disk, "_entries", slow)
    found = disk.Usage(tmp_path)
    assert [found.sizes() for _ in range(100)] == [None] * 100, "the measurement has not ended yet"
    gate.set()
    wait_until(lambda: found.sizes() == {})
    for _ in range(100):
        found.sizes()
    assert len(measured) == 1
    found.forget()
    found.sizes()
    wait_until(lambda: len(measured) == 2)


def test_what_is_forgotten_while_it_is_measured_is_measured_again(tmp_path, monkeypatch):
    found, measured = disk.Usage(tmp_path, allowed=1), []

    def entries(path):
        measured.append(path)
        if len(measured) == 1:
            found.forget()
        return []

    monkeypatch.setattr(disk, "_entries", entries)
    found.check()
    found.sizes()
    wait_until(lambda: len(measured) == 2)
    found.sizes()
    assert len(measured) == 2


def test_a_check_measures_each_time_but_once_for_all_that_ask_together(tmp_path, monkeypatch):
    found, measured, really = disk.Usage(tmp_path, allowed=1000), [], disk._entries
    monkeypatch.setattr(
        disk, "_entries", lambda path: measured.append(path) or time.sleep(0.2) or really(path)
    )
    found.check()
    write_bytes(tmp_path / "large", bytes(1000))
    with pytest.raises(UserError):
        found.check()
    assert len(measured) == 2

    def check(_):
        with pytest.raises(UserError):
            found.check()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(check, range(8)))
    assert len(measured) <= 5, "one is at work while the others ask"


def test_a_full_quota_refuses_new_and_resumed_runs_until_one_is_deleted(tmp_path):
    store = Store(tmp_path, allowed=100_000)
    boss = Supervisor(store, FAKE_WORKER)
    large, paused = boss.submit(tiny()), boss.submit(tiny())
    write_bytes(store.path(large) / "state" / "checkpoint.safetensors", bytes(99_999))
    store.update_status(large, state="finished")
    store.update_status(paused, state="paused")
    store.usage.forget()
    for refused in (lambda: boss.submit(tiny()), lambda: boss.resume(paused)):
        with pytest.raises(
            UserError, match=r"The runs take 0\.00010\d? GB of the 0\.0001 GB that they may\. Delete some"
        ) as caught:
            refused()
        assert caught.value.key == "runs.quota"
    assert (len(store.list()), state(store, paused)) == (2, "paused")
    boss.delete(large)
    boss.resume(paused)
    assert state(store, paused) == "queued"
    boss.submit(tiny())


def test_a_queued_run_waits_while_the_quota_is_full_and_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "PATIENCE", 0.2)
    store = Store(tmp_path / "runs", allowed=1_000_000)
    boss = Supervisor(store, FAKE_WORKER)
    boss.start()
    try:
        first, second = boss.submit(tiny(steps=LONG)), boss.submit(tiny(steps=3))
        reaches(store, first, "running")
        # the run has grown since the server accepted both
        write_bytes(store.path(first) / "snapshots" / "large", bytes(1_000_000))
        boss.stop(first)
        wait_until(boss.blocked)
        assert (boss.blocked().key, boss.active(), state(store, second)) == ("runs.quota", None, "queued")
        with pytest.raises(UserError):
            boss.submit(tiny())
        boss.delete(first)
        reaches(store, second, "finished")
        assert boss.blocked() is None
    finally:
        boss.close()


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "lots", ""])
def test_what_is_no_number_of_gigabytes_is_told(text):
    with pytest.raises(UserError) as caught:
        disk.parse_gigabytes(text)
    assert caught.value.key == "runs.bad_quota"


def test_gigabytes_are_bytes():
    assert [disk.parse_gigabytes(text) for text in ("0", "20", ".0001")] == [0, 20 * 10**9, 10**5]


def test_without_a_quota_nothing_is_measured(store, monkeypatch):
    monkeypatch.setattr(disk, "_entries", lambda path: pytest.fail("measured"))
    Supervisor(store, FAKE_WORKER).submit(tiny())


# A full disk


def test_a_full_disk_is_a_sentence_for_every_command(store, full, monkeypatch):
    boss = Supervisor(store, FAKE_WORKER)
    paused = boss.submit(tiny())
    write_bytes(store.path(paused) / "state" / "checkpoint.safetensors", b"step")
    store.update_status(paused, state="paused")

    def refuse(*_, **__):
        raise full

    monkeypatch.setattr("gan.files.os.replace", refuse)
    for action in (
        lambda: boss.submit(tiny()),
        lambda: boss.resume(paused),
        lambda: boss.stop(paused),
        boss.start,
    ):
        with pytest.raises(UserError, match="The disk is full") as caught:
            action()
        assert caught.value.key == "runs.disk_full"
    assert [summary["id"] for summary in store.list()] == [paused]
    assert os.listdir(store.root) == [paused], "nothing half made stays behind"
    boss.delete(paused)
    assert os.listdir(store.root) == [], "deleting needs no space"
    full.errno, full.strerror = errno.EACCES, "Permission denied"
    with pytest.raises(UserError, match=r"can't be written \(Permission denied\)"):
        boss.submit(tiny())


def test_a_queued_run_waits_for_space_with_the_same_spare(store, supervise, full, monkeypatch):
    monkeypatch.setattr(supervisor, "PATIENCE", 0.05)
    boss = supervise()
    wait_until(boss.spare_ready)
    spare, really, tries, room = boss._launcher.spare.pid, store.update_status, [], threading.Event()

    def update(run_id, **changes):
        tries.append(run_id)
        if not room.is_set():
            raise full
        really(run_id, **changes)

    monkeypatch.setattr(store, "update_status", update)
    run_id = boss.submit(tiny(steps=LONG))
    wait_until(lambda: len(tries) > 3 and str(boss.blocked()).startswith("The disk is full"))
    assert state(store, run_id) == "queued"
    room.set()
    reaches(store, run_id, "running")
    assert boss.blocked() is None
    assert store.status(run_id)["pid"] == spare, "a full disk does not cost a process each time"


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of half a megabyte. Only root may mount one."""
    path = tmp_path / "disk"
    path.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", path], capture_output=True, check=False
    ).returncode:
        pytest.skip("this user can't mount a small file system")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def test_a_disk_that_is_really_full(small_disk, monkeypatch):
    monkeypatch.setattr(supervisor, "PATIENCE", 0.1)
    store = Store(small_disk / "runs")
    boss = Supervisor(store, FAKE_WORKER)
    boss.start()
    try:
        wait_until(boss.spare_ready)
        finished, paused = boss.submit(tiny(steps=3)), boss.submit(tiny(steps=10))
        reaches(store, paused, "finished")
        store.update_status(paused, state="paused")
        with pytest.raises(OSError, match="No space left"):
            (store.path(finished) / "filler").write_bytes(bytes(10**6))
        for refused in (lambda: boss.submit(tiny()), lambda: boss.resume(paused)):
            with pytest.raises(UserError) as caught:
                refused()
            assert caught.value.key == "runs.disk_full"
        assert (state(store, paused), len(store.list())) == ("paused", 2)
        boss.delete(finished)
        after = boss.submit(tiny(steps=3))
        reaches(store, after, "finished")
    finally:
        boss.close()
