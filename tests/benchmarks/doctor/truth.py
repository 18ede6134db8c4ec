"""Say what a run suffered from, by the oracle's measures alone. The bounds were set first.

A moment fails where a bound of CAUSES holds. A run fails where one holds at LASTS moments running, and its
onset is the first of them. Of several causes at the onset the first of CAUSES is the primary one. "Far
below" is under half of the coverage that healthy runs of the same data have at the same age, through both
nets, where these cover FOUND or more.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

LASTS = 3
FOUND = 0.06  # coverage of healthy runs below which nothing is expected yet
HALF = 0.5
COPIES, KNOWN, R_V = 0.05, 0.75, 0.5
FEW_KINDS, FEWER_KINDS, LIKE_DATA = 0.25, 0.6, 0.3
SURE_D, BLIND_D = 0.95, 0.9
Moment = Mapping[str, Any]


class Truth(NamedTuple):
    """What the oracle found. Without a cause the run is healthy."""

    primary: str | None
    causes: frozenset[str]  # all that lasted at some time
    onset: float | None  # seconds of training


def _far_below(moment: Moment, twin: Moment) -> bool:
    return all(
        twin[f"{net} coverage"] >= FOUND
        and moment[f"{net} coverage"] < HALF * twin[f"{net} coverage"]
        for net in ("own", "pixels")
    )  # fmt: skip


def _copies(moment: Moment, twin: Moment) -> bool:
    return all(moment.get(f"{net} copies", 0) >= COPIES for net in ("own", "pixels"))


def _by_heart(moment: Moment, twin: Moment) -> bool:
    return moment["seen"] > KNOWN and (moment["r_v"] or 0) > R_V


def _one_kind(moment: Moment, twin: Moment) -> bool:
    like_data = moment["own precision"] >= LIKE_DATA
    return moment.get("own kinds", 1) <= FEW_KINDS and like_data and _far_below(moment, twin)


def _some_kinds(moment: Moment, twin: Moment) -> bool:
    like_data = moment["own precision"] >= LIKE_DATA
    return moment.get("own kinds", 1) <= FEWER_KINDS and like_data and _far_below(moment, twin)


def _d_wins(moment: Moment, twin: Moment) -> bool:
    return moment["auc"] >= SURE_D and _far_below(moment, twin)


def _d_blind(moment: Moment, twin: Moment) -> bool:
    return moment["auc"] < BLIND_D and _far_below(moment, twin)


CAUSES: dict[str, Callable[[Moment, Moment], bool]] = {
    "diverged": lambda moment, twin: not moment["finite"],
    "memorising": lambda moment, twin: moment["finite"] and _copies(moment, twin),
    "overfit": lambda moment, twin: moment["finite"] and _by_heart(moment, twin),
    "collapse": lambda moment, twin: moment["finite"] and _one_kind(moment, twin),
    "partial": lambda moment, twin: moment["finite"] and _some_kinds(moment, twin),
    "d_wins": lambda moment, twin: moment["finite"] and _d_wins(moment, twin),
    "d_blind": lambda moment, twin: moment["finite"] and _d_blind(moment, twin),
}


def truth(record: Mapping[str, Any], twins: Sequence[Mapping[str, Any]]) -> Truth:
    """Return what the run of `record` suffered from. twins: the records of healthy runs of the same data."""
    if record["state"] == "train.diverged":
        seconds = record["moments"][-1]["seconds"] if record["moments"] else 0.0
        return Truth("diverged", frozenset({"diverged"}), seconds)
    holds = [
        {name for name, is_so in CAUSES.items() if is_so(moment, _twin(moment["seconds"], twins))}
        for moment in record["moments"]
    ]
    begun: dict[str, int] = {}
    for at in range(len(holds) - LASTS + 1):
        for name in set.intersection(*holds[at : at + LASTS]):
            begun.setdefault(name, at)
    if not begun:
        return Truth(None, frozenset(), None)
    first = min(begun.values())
    primary = next(name for name in CAUSES if begun.get(name) == first)
    return Truth(primary, frozenset(begun), record["moments"][first]["seconds"])


def _twin(seconds: float, twins: Sequence[Mapping[str, Any]]) -> Moment:
    """Return the median coverages of the healthy runs at this age."""
    near = [min(twin["moments"], key=lambda moment: abs(moment["seconds"] - seconds)) for twin in twins]
    return {
        name: statistics.median(moment[name] for moment in near)
        for name in ("own coverage", "pixels coverage")
    }
