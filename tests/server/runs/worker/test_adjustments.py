"""Test that a running run's settings can be changed, and that a kill changes nothing about it."""

import pytest
import torch

from gan.errors import UserError
from gan.files import read_lines
from gan.models import read_tensors
from gan.runs import processes
from gan.runs.store import Store
from gan.runs.supervisor import Supervisor
from gan.train.actions import EVENT
from gan.worker.run_dir import noted_actions
from gan.worker.worker import work
from tests.fakes.runs import LONG, reaches, tiny, wait_until
from tests.support.processes import forked

STEPS = 60


@pytest.fixture
def run(tmp_path):
    store = Store(tmp_path)
    return store, store.create(tiny(steps=STEPS))


def adjusting(store, run_id, at, **values):
    """Return a `report` for the worker that leaves one command once the run has taken `at` steps."""
    sent = []

    def report(status):
        if status["step"] >= at and not sent:
            sent.append(store.send(run_id, "adjust", **values))

    return report


def weights(store, run_id):
    return read_tensors(store.path(run_id) / "state" / "checkpoint.safetensors")


def test_a_change_is_noted_and_repeated_by_a_run_that_begins_again_from_its_checkpoint(run, tmp_path):
    store, run_id = run
    path = store.path(run_id)
    assert work(path, adjusting(store, run_id, 3, name="lr_d", factor=0.5)) == "finished"
    (noted,) = (line for line in read_lines(path / "events.jsonl")[0] if line["key"] == EVENT)
    values = noted["values"]
    assert (values["name"], values["factor"]) == ("lr_d", 0.5)
    assert values["after"] == pytest.approx(values["before"] / 2)
    assert 3 <= values["step"] < STEPS
    assert values["images"] == 8 * values["step"]
    live = weights(store, run_id)
    # the same run, killed before its first further checkpoint: only the events are left of what it did
    other = Store(tmp_path / "other")
    again = other.create(tiny(steps=STEPS))
    (other.path(again) / "events.jsonl").write_bytes((path / "events.jsonl").read_bytes())
    assert work(other.path(again)) == "finished"
    repeated = weights(other, again)
    assert all(torch.equal(live[name], repeated[name]) for name in live)
    plain = other.create(tiny(steps=STEPS))
    assert work(other.path(plain)) == "finished"
    untouched = weights(other, plain)
    assert any(not torch.equal(live[name], untouched[name]) for name in live)


@pytest.mark.parametrize(
    "values",
    [
        {"name": "batch", "factor": 2.0},
        {"name": "lr_d", "factor": 1e9},
        {"name": "lr_d", "factor": "x"},
        {"name": ["lr_d"], "factor": 2.0},
        {"name": "lr_d"},
        {},
    ],
)
def test_an_impossible_command_changes_nothing(run, values):
    store, run_id = run
    assert work(store.path(run_id), adjusting(store, run_id, 3, **values)) == "finished"
    assert noted_actions(store.path(run_id)) == []


def test_only_a_run_that_trains_here_takes_a_change(tmp_path, monkeypatch):

    monkeypatch.setattr(processes, "spawn_spare", forked.spawn_spare)
    boss = Supervisor(Store(tmp_path))
    waiting = boss.submit(tiny())
    with pytest.raises(UserError) as refused:
        boss.adjust(waiting, "lr_d", 0.5)
    assert refused.value.key == "runs.cant_adjust"
    boss.cancel(waiting)
    boss.start()
    try:
        run_id = boss.submit(tiny(steps=LONG, penalty="none"))
        reaches(boss.store, run_id, "running")
        for name, factor, key in (
            ("batch", 2.0, "runs.no_such_adjustment"),
            ("gamma", 2.0, "runs.no_such_adjustment"),  # it weighs a penalty that this run lacks
            ("lr_d", 1e9, "runs.adjusted_too_far"),
            ("lr_d", float("nan"), "runs.adjusted_too_far"),
            ("lr_d", -1.0, "runs.adjusted_too_far"),
        ):
            with pytest.raises(UserError) as refused:
                boss.adjust(run_id, name, factor)
            assert refused.value.key == key, name
        boss.adjust(run_id, "lr_d", 0.5)
        wait_until(lambda: noted_actions(boss.store.path(run_id)))
        boss.stop(run_id)
        reaches(boss.store, run_id, "stopped")
    finally:
        boss.close()
