"""Test the limits of waiting runs and of all runs, without which a visitor could fill the list endlessly."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gan.errors import UserError
from gan.runs import store as room
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
