"""Say what a run suffered from, by the oracle's measures alone. The bounds were set first.

A moment has the first cause of CAUSES whose bounds hold. A run fails where one holds at LASTS moments
running. Its primary cause is the one that it has longest, and the onset is the first of those moments. "Far
below" is under PART of the coverage that healthy runs of the same data have at the same age, through both
nets, where these cover FOUND or more. Pixels see less than the net does, so they may be nearer.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

LASTS = 3
FOUND = 0.06  # coverage of healthy runs below which nothing is expected yet
PART = {"own": 1 / 2, "pixels": 2 / 3}
COPIES, KNOWN, R_V = 0.05, 0.75, 0.5
FEW_KINDS, FEWER_KINDS, LIKE_DATA = 0.25, 0.6, 0.3
SURE_D, BLIND_D, LOST_D = 0.95, 0.9, 0.4
Moment = Mapping[str, Any]


class Truth(NamedTuple):
    """What the oracle found. Without a cause the run is healthy."""

    primary: str | None
    causes: frozenset[str]  # all that lasted at some time
    onset: float | None  # seconds of training


def _far_below(moment: Moment, twin: Moment) -> bool:
    return all(
        twin[f"{net} coverage"] >= FOUND and moment[f"{net} coverage"] < part * twin[f"{net} coverage"]
        for net, part in PART.items()
    )


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
    return moment["auc"] < LOST_D or (moment["auc"] < BLIND_D and _far_below(moment, twin))


CAUSES: dict[str, Callable[[Moment, Moment], bool]] = {
    "memorising": _copies,
    "overfit": _by_heart,
    "d_wins": _d_wins,
    "d_blind": _d_blind,
    "collapse": _one_kind,
    "partial": _some_kinds,
}


def truth(record: Mapping[str, Any], twins: Sequence[Mapping[str, Any]]) -> Truth:
    """Return what the run of `record` suffered from. twins: the records of healthy runs of the same data."""
    if record["state"] == "train.diverged":
        seconds = record["moments"][-1]["seconds"] if record["moments"] else 0.0
        return Truth("diverged", frozenset({"diverged"}), seconds)
    labels = [_label(moment, _twin(moment["seconds"], twins)) for moment in record["moments"]]
    begun: dict[str, int] = {}
    for at in range(len(labels) - LASTS + 1):
        if len(set(labels[at : at + LASTS])) == 1 and labels[at]:
            begun.setdefault(labels[at], at)
    if not begun:
        return Truth(None, frozenset(), None)
    primary = max(begun, key=labels.count)
    return Truth(primary, frozenset(begun), record["moments"][begun[primary]]["seconds"])


def _label(moment: Moment, twin: Moment) -> str:
    """Return the cause that a moment has, or ""."""
    if not moment["finite"]:
        return "diverged"
    return next((name for name, holds in CAUSES.items() if holds(moment, twin)), "")


def _twin(seconds: float, twins: Sequence[Mapping[str, Any]]) -> Moment:
    """Return the median coverages of the healthy runs at this age."""
    sound = [[moment for moment in twin["moments"] if moment["finite"]] for twin in twins]
    near = [min(part, key=lambda moment: abs(moment["seconds"] - seconds)) for part in sound if part]
    return {
        name: statistics.median(moment[name] for moment in near)
        for name in ("own coverage", "pixels coverage")
    }
