"""Test changes of a running run's settings: what they do to a step, and what a file of events may hold."""

import pytest
import torch

from gan.kinds.points.data import load
from gan.kinds.points.recipes import make_config
from gan.kinds.points.trainer import PointsTrainer
from gan.train.actions import BACK, EVENT, FARTHEST, MOST, Action, allowed, factor_at, read_actions
from tests.support.engine import tiny_trainer

HALVED = Action(6, "lr_d", 0.5)


def event(**values):
    return {"time": 1.0, "key": EVENT, "values": {"step": 3, "name": "lr_g", "factor": 2.0, **values}}


def test_an_action_counts_from_its_step_on():
    actions = [HALVED, Action(10, "lr_d", 4.0), Action(8, "gamma", 3.0)]
    assert [factor_at(actions, "lr_d", step) for step in (5, 6, 9, 10)] == [1.0, 0.5, 0.5, 2.0]
    assert factor_at(actions, "lr_g", 99) == 1.0


@pytest.mark.parametrize("name", ["lr_g", "lr_d", "gamma"])
def test_the_schedule_goes_by_the_actions(name):
    trainer = tiny_trainer(gamma=2.0)
    trainer._set_schedule()
    before = getattr(trainer.schedule, name).item()
    trainer.actions = [Action(0, name, 0.25)]
    trainer._set_schedule()
    assert getattr(trainer.schedule, name).item() == pytest.approx(0.25 * before, rel=1e-6)
    others = {"lr_g", "lr_d", "gamma"} - {name}
    plain = tiny_trainer(gamma=2.0)
    plain._set_schedule()
    for other in others:
        assert getattr(trainer.schedule, other) == getattr(plain.schedule, other)


def both_ways(begin):
    """Return the state after 12 steps with an action at step 6: taken live, and repeated from step 4."""
    live, again = begin(), begin()
    live.advance(6)
    live.actions = [HALVED]
    live.advance(6)
    again.advance(4)
    again.actions = [HALVED]  # as a run that was killed reads it from its events
    again.advance(8)
    return live.state(), again.state(), begin()


@pytest.mark.parametrize("begin", [tiny_trainer, lambda: PointsTrainer(make_config(batch=64), load("ring8"))])
def test_an_action_is_repeated_bit_for_bit(begin):
    live, again, plain = both_ways(begin)
    assert all(torch.equal(live[name], again[name]) for name in live)
    plain.advance(12)
    assert any(not torch.equal(live[name], value) for name, value in plain.state().items() if "D." in name)


def test_events_become_actions_and_a_restart_drops_them():
    before = [event(), {"time": 1.0, "key": "rolled_back", "values": {}}, event(name="gamma", step=9)]
    assert read_actions(before, "restarted") == [Action(3, "lr_g", 2.0), Action(9, "gamma", 2.0)]
    restarted = {"time": 2.0, "key": "restarted", "values": {}}
    assert read_actions([*before, restarted, event(step=1)], "restarted") == [Action(1, "lr_g", 2.0)]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "x",
        {"key": EVENT},
        {"key": EVENT, "values": []},
        event(name="batch"),
        event(name=["lr_g"]),
        event(step="3"),
        event(step=True),
        event(factor="2"),
        event(factor=True),
        event(factor=0),
        event(factor=-1.0),
        event(factor=float("nan")),
        event(factor=float("inf")),
        event(factor=2 * FARTHEST),
        event(factor=10**400),
    ],
)
def test_what_is_no_action_is_left_out(odd):
    assert read_actions([odd, event()], "restarted") == [Action(3, "lr_g", 2.0)]


def test_a_change_drops_those_of_its_setting_that_were_to_come():
    """A run that was killed and began at an older step would repeat them."""
    events = [event(step=300), event(step=300, name="gamma"), event(step=150, factor=0.5)]
    assert read_actions(events, "restarted") == [Action(300, "gamma", 2.0), Action(150, "lr_g", 0.5)]


def test_a_run_that_diverged_does_not_repeat_what_came_after_its_checkpoint():
    events = [event(step=100), event(step=300), {"key": BACK, "values": {"step": 250, "at": 310}}]
    assert read_actions(events, "restarted") == [Action(100, "lr_g", 2.0)]


def test_a_run_is_changed_so_often_and_no_more():
    events = [event(step=step, factor=2.0 if step % 2 else 0.5) for step in range(2 * MOST)]
    assert len(read_actions(events, "restarted")) == MOST
    assert not allowed([], "gamma", 1.0), "that changes nothing"


def test_settings_stay_within_reach():
    eight = [Action(1, "lr_g", 8.0), Action(2, "lr_g", 8.0)]
    assert allowed(eight[:1], "lr_g", 8.0)
    assert not allowed(eight, "lr_g", 1.1)
    assert allowed(eight, "lr_g", 1 / FARTHEST), "back to where it was"
    assert allowed(eight, "lr_d", 8.0)
