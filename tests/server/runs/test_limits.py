"""Test the limits of runs: how many wait, how many there are, and how long those of visitors take."""

from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import pytest

from gan.errors import UserError
from gan.files import write_bytes
from gan.runs import overtime
from gan.runs import store as room
from gan.runs.overtime import AGAIN, GRACE, Overtime
from tests.fakes.runs import LONG, reaches, state, tiny


def test_a_queue_has_an_end_also_for_who_asks_at_once(store, supervise, monkeypatch):
    monkeypatch.setattr(room, "QUEUED", 3)
    boss = supervise()
    reaches(store, boss.submit(tiny(steps=LONG)), "running")
    ended, *_ = [boss.submit(tiny()) for _ in range(2)]
    boss.stop(ended)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(boss.submit, tiny()) for _ in range(8)]
        errors = [each.exception() for each in asked]
    assert [error.key for error in errors if error] == ["runs.queue_full"] * 6
    assert len(boss.queue()) == 3
    with pytest.raises(UserError, match="3 runs are waiting already"):
        boss.command(ended, "restart")
    assert state(store, ended) == "stopped"
    assert len(store.list()) == 5, "what was refused left nothing"


def test_a_paused_run_is_not_resumed_into_a_full_queue(store, supervise, monkeypatch):
    boss = supervise()
    reaches(store, boss.submit(tiny(steps=LONG)), "running")
    paused = boss.submit(tiny())
    store.update_status(paused, state="paused")
    boss.submit(tiny())
    monkeypatch.setattr(room, "QUEUED", 1)
    with pytest.raises(UserError, match="1 runs are waiting already"):
        boss.resume(paused)
    assert state(store, paused) == "paused"


def test_there_can_be_only_so_many_runs(store, supervise, monkeypatch):
    monkeypatch.setattr(room, "RUNS", 2)
    boss = supervise()
    reaches(store, boss.submit(tiny(steps=LONG)), "running")
    other = boss.submit(tiny())
    boss.stop(other)
    with pytest.raises(UserError, match="There are 2 runs already"):
        boss.submit(tiny())
    boss.command(other, "restart")
    boss.stop(other)
    boss.delete(other)
    assert boss.submit(tiny()) in boss.queue()


MARK = "ab" * 32  # of a visitor
Worker = namedtuple("Worker", "pid")


def test_a_visitors_run_ends_by_the_clock_whatever_its_worker_does(store, supervise, monkeypatch):
    """A worker looks at its minutes between steps. This one has a budget of images, and trains for ever."""
    monkeypatch.setattr(overtime, "GRACE", 0.0)
    boss = supervise()
    run_id = boss.submit(tiny(steps=LONG, minutes=0.05), MARK)
    write_bytes(store.path(run_id) / "state" / room.CHECKPOINTS[0], b"step")
    after = boss.submit(tiny(steps=3))
    reaches(store, run_id, "stopped")
    assert store.status(run_id)["error"]["key"] == "runs.over_time"
    assert store.resumable(run_id), "its last checkpoint is kept"
    reaches(store, after, "finished")


def test_each_session_of_a_visitors_run_has_what_its_budget_leaves(store):
    store.root.mkdir()
    late, run_id = Overtime(store).late, store.create(tiny(minutes=2), MARK)
    owners = store.create(tiny(minutes=2))
    live = {run_id: Worker(1), owners: Worker(2)}
    assert late(live, 1000.0) == []
    store.update_status(run_id, elapsed=60.0)
    assert late(live, 1000.0 + 120 + GRACE - 1) == []
    assert late(live, 1000.0 + 120 + GRACE) == [run_id]
    assert late(live, 1000.0 + 120 + GRACE + AGAIN - 1) == [], "one that can't be ended waits"
    assert late(live, 1000.0 + 120 + GRACE + AGAIN) == [run_id]
    resumed = {run_id: Worker(3), "deleted": Worker(4)}
    assert late(resumed, 5000.0) == late(resumed, 5000.0 + 60 + GRACE - 1) == []
    assert late(resumed, 5000.0 + 60 + GRACE) == [run_id]
