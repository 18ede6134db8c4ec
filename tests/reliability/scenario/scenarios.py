"""The runs whose workers kills.py kills: how each is made, and what trains it."""

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from gan.cli.train import new_run
from gan.files import read_object, write_json
from gan.kinds.points.recipes import make_config as points_config
from gan.runs.store import Store
from gan.worker.run_dir import read_config
from tests.reliability.scenario import trainees
from tests.reliability.scenario.undisturbed import Check, extension, nothing, origin, tracked
from tests.reliability.shipped import RUNS, SLOW, config_of


class Scenario(NamedTuple):
    """A run to kill.

    make: writes the directory of a new run with so many steps, and with settings that differ. train: starts
    what trains it, as a context. check: yields differences besides those of each run. pace: steps of this run
    for one of the command's. first: share of the steps that the run has before it is given more.
    """

    make: Callable[..., None]
    train: trainees.Place = trainees.in_terminal
    check: Check = nothing
    pace: int = 1
    first: float = 1.0
    slow: bool = False  # whether a step takes a second or more

    def steps(self, asked: int) -> tuple[int, int]:
        """Return the steps of the first budget and of the last one, for the command's number of steps."""
        return round(asked * self.pace * self.first), asked * self.pace


def next_words(run: Path, steps: int) -> list[str] | None:
    """Return further arguments for the next `gan train RUN`; None for a run that is over.

    steps: of a budget. A run that finished with a smaller one is given more. One with a larger one is over.
    """
    status, config = read_object(run / "status.json"), read_config(run)
    of_step = config.batch * config.d_steps
    left = steps * of_step - config.budget_images
    if status.get("state") == "failed" or left < 0:
        return None
    if status.get("state") != "finished":
        return []
    return ["--more", str(left / 1000)] if left else None


def _shipped(name: str, run: Path, steps: int, **settings: object) -> None:
    """Write a run of shipped.py, with changed settings."""
    config = config_of(name, steps)
    of_step = config.batch * config.d_steps
    batch = settings.get("batch", config.batch)
    changed = dataclasses.replace(config, kimg=steps * of_step / config.batch * batch / 1000, **settings)
    write_json(run / "config.json", changed.to_json())


def _started(run: Path, steps: int, batch: int = 64, **settings: object) -> None:
    """Write a run that begins with the weights of the shipped digits, and learns other images."""
    new_run(
        {"start_from": "digits", "data": "fashion", "batch": batch, "kimg": steps * batch / 1000, **settings},
        run,
    )


def _queued(run: Path, steps: int, **settings: object) -> None:
    """Write a run of a server, which prepares it at its start."""
    store = Store(run.parent)
    _shipped("digits", run, steps, **settings)
    config = read_config(run)
    (run / "config.json").unlink()
    run.rmdir()
    store.path(store.create(config)).rename(run)


def _points(run: Path, steps: int, **settings: object) -> None:
    write_json(run / "config.json", points_config("grid25", steps=steps, **settings).to_json())


digits = partial(_shipped, "digits")
NEW = {
    "started": Scenario(_started, check=origin),  # it begins with the weights of another model
    "more": Scenario(digits, check=extension, first=0.5),  # it has finished, and is given more
    "lease": Scenario(_queued, trainees.lease_killed),  # the process of a lease is killed
    "server": Scenario(_queued, trainees.server_killed),  # the server is killed amid a lease
    "tracked": Scenario(partial(digits, track="tensorboard"), check=tracked),
    "points": Scenario(_points, pace=50),
}
SCENARIOS = {**{name: Scenario(partial(_shipped, name), slow=name in SLOW) for name in RUNS}, **NEW}
