"""Find the runs of visitors that hold this machine for longer than their minutes.

A worker looks at its budget between chunks of steps, and counts the training alone. Loading, clusters and
checkpoints come on top, and one step of odd settings may last for an hour. So the server looks at the clock.
"""

import math
from collections.abc import Mapping

from gan.errors import UserError
from gan.runs.processes import Worker
from gan.runs.store import Store

GRACE = 300.0  # seconds beside the budget: to load the data, find clusters and write the end
AGAIN = 30.0  # seconds until a worker that could not be ended is late again


class Overtime:
    """The ends of the runs at work, by the clock of time.monotonic(). Runs without a mark have none."""

    def __init__(self, store: Store):
        self._store = store
        self._ends: dict[tuple[str, int], float] = {}

    def late(self, live: Mapping[str, Worker], now: float) -> list[str]:
        """Return the runs whose time is over. live: the workers at work, by run."""
        at_work = [(run_id, worker.pid) for run_id, worker in live.items()]
        self._ends = {key: self._ends.get(key) or now + self._seconds(key[0]) for key in at_work}
        late = [key for key, end in self._ends.items() if now >= end]
        self._ends |= dict.fromkeys(late, now + AGAIN)
        return [run_id for run_id, _ in late]

    def _seconds(self, run_id: str) -> float:
        """Return how many seconds a run may still take: what its budget leaves, and GRACE."""
        try:
            if not self._store.visitor(run_id):
                return math.inf
            elapsed = max(0.0, self._store.status(run_id)["elapsed"])
            left = 60 * self._store.config(run_id).minutes - elapsed
        except UserError:  # deleted or damaged, which no visitor can do to a run at work
            return math.inf
        return max(0.0, left) + GRACE
