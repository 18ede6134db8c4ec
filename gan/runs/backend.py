"""Decide what becomes of a queued run: a process trains it here, or it waits for leases of a GPU."""

from typing import Protocol

from gan.errors import UserError
from gan.kinds import DEFAULT
from gan.runs.store import Store

TRAIN, PREPARE, WAIT = "train", "prepare", "wait"


class Backend(Protocol):
    """Where runs train. lends: whether runs train in leases of a GPU, which their visitors ask for."""

    lends: bool

    def order(self, store: Store, run_id: str) -> str:
        """Return TRAIN or PREPARE for a queued run that a process takes, WAIT for one that needs a lease."""
        ...


class Processes:
    """A process of this machine trains each run, and a spare process waits for the next one."""

    lends = False

    def order(self, store: Store, run_id: str) -> str:
        """Return TRAIN."""
        return TRAIN


class Leases:
    """Leases of a GPU train the runs, and no run trains by itself.

    A process of this machine first prepares a new run. It trains points, and runs that were sent to the CPU.
    """

    lends = True

    def order(self, store: Store, run_id: str) -> str:
        """Return PREPARE for a run without a checkpoint, and WAIT or TRAIN for one that has it."""
        try:
            if store.status(run_id)["on_cpu"] or store.config(run_id).kind != DEFAULT:
                return TRAIN
        except UserError:  # its files are damaged, and the process will say so
            return TRAIN
        return WAIT if store.resumable(run_id) else PREPARE
