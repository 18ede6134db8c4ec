"""Changes of a running run's settings. What they do to a step depends on the step alone.

So a run that was killed repeats them bit for bit: it reads them from its events and takes its steps anew.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeGuard

LIVE = ("lr_g", "lr_d", "gamma")  # settings that every step reads from the schedule
EVENT = "adjusted"  # the event that keeps an action
BACK = "rolled_back"  # the event of a run that has diverged and begins again at a checkpoint
MOST = 100  # actions of a run
FARTHEST = 64.0  # a setting may become so many times what it was, or that part of it


class Action(NamedTuple):
    """From `step` on, the setting `name` (in LIVE) is `factor` times what it was before."""

    step: int
    name: str
    factor: float


def factor_at(actions: Iterable[Action], name: str, step: int) -> float:
    """Return by how much all actions together multiply a setting at a step, in (0, inf)."""
    return math.prod(action.factor for action in actions if action.name == name and action.step <= step)


def is_number(value: Any) -> TypeGuard[float]:
    """Return whether `value` is an int or a float, and no bool."""
    return type(value) in (int, float)


def allowed(actions: Sequence[Action], name: str, factor: float) -> bool:
    """Return whether one more action changes the setting and leaves it within FARTHEST of its first value."""
    if name not in LIVE or factor == 1 or not 0 < factor <= FARTHEST**2:  # no NaN either
        return False
    total = factor * math.prod(action.factor for action in actions if action.name == name)
    return 1 / FARTHEST <= total <= FARTHEST


def read_actions(events: Iterable[Any], restarted: str) -> list[Action]:
    """Return the actions among a run's events, in their order, at most MOST.

    A run that was killed has noted actions at steps that it takes once more. It repeats them, unless somebody
    changes the same setting before. One that has diverged does not, for they may be the cause. restarted: the
    event after which a run begins anew, without the actions before it. Somebody may have written anything
    into the file, so what is no possible action is left out.
    """
    found: list[Action] = []
    for event in events:
        if not isinstance(event, dict):
            continue
        if event.get("key") == restarted:
            found = []
        values = event.get("values")
        if event.get("key") not in (EVENT, BACK) or not isinstance(values, dict):
            continue
        step, name, factor = (values.get(part) for part in ("step", "name", "factor"))
        if type(step) is not int:
            continue
        if event["key"] == BACK:
            found = [action for action in found if action.step <= step]
            continue
        kept = [action for action in found if action.name != name or action.step <= step]
        if not (isinstance(name, str) and is_number(factor)) or len(kept) >= MOST:
            continue
        if allowed(kept, name, factor):
            found = [*kept, Action(step, name, float(factor))]
    return found
