"""Change a setting of a run that trains: check it, and leave a command for the worker."""

from gan.errors import UserError
from gan.runs.store import Store
from gan.train.actions import FARTHEST, MOST, allowed
from gan.worker.adjustments import has_effect
from gan.worker.run_dir import noted_actions


def send_adjustment(store: Store, run_id: str, name: str, factor: float) -> None:
    """Tell a run's worker to multiply a setting by `factor` from its next step on.

    Raises UserError for a setting that no step reads (see gan.train.actions.LIVE) or that does nothing in
    this run, and for a factor that leads too far.
    """
    if not has_effect(store.config(run_id), name):
        raise UserError("runs.no_such_adjustment", name=name[:40])
    noted = noted_actions(store.path(run_id))
    if len(noted) >= MOST:
        raise UserError("runs.adjusted_too_often", most=MOST)
    if not allowed(noted, name, factor):
        raise UserError("runs.adjusted_too_far", name=name, most=f"{FARTHEST:g}")
    store.send(run_id, "adjust", name=name, factor=factor)
