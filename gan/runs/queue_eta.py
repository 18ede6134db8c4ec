"""Estimate when the queued runs will start. It leaves a time open rather than guess."""

import math
from collections.abc import Sequence
from typing import Any

from gan.runs.recovery import seconds_stalled
from gan.runs.store import LIVE


def starts(summaries: Sequence[dict[str, Any]], queue: Sequence[str], active: str | None) -> dict[str, float]:
    """Return the seconds until each run of `queue` starts, by id.

    A run is left out if the end of a run before it is unknown. summaries: see Store.list. active: the run
    that has the device; it may be damaged.
    """
    known = {summary["id"]: summary for summary in summaries}
    wait = max(
        (
            _need(summary)
            for summary in summaries
            if (summary["state"] in LIVE and not summary.get("where")) or summary["id"] == active
        ),
        default=0.0,
    )
    found = {}
    for run_id in queue:
        if math.isfinite(wait):
            found[run_id] = wait
        wait += _need(known[run_id]) if run_id in known else math.inf
    return found


def _need(summary: dict[str, Any]) -> float:
    """Return the seconds that a run still has to train; infinity if unknown."""
    if seconds_stalled(summary) is not None or summary["state"] == "damaged":
        return math.inf
    if summary["state"] == "running" and summary["eta"] is not None:
        return summary["eta"]
    if summary["kimg"]:
        left = max(0.0, 1000 * summary["kimg"] - summary["images"])
        return left / summary["rate"] if summary["rate"] else math.inf
    return 60 * summary["minutes"] * max(0.0, 1 - summary["progress"])
