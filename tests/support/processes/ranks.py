"""What the processes of tests/server/runs/worker/test_team.py do, as ranks of a team.

`python -m tests.support.processes.ranks trials FOLDER` takes part in all trials below, and writes
FOLDER/RANK.json. `python -m tests.support.processes.ranks dying RUN_DIR [OPTIONS]` trains a run; rank 1 kills
itself once, at step DIES.
"""

import os
import signal
import sys
from pathlib import Path
from unittest import mock

import torch

from gan.files import write_json
from gan.kinds.points import data as points_data
from gan.kinds.points.recipes import FAILING as POINT_FAILING
from gan.kinds.points.recipes import RECIPES as POINT_RECIPES
from gan.kinds.points.recipes import make_config as points_config
from gan.kinds.points.trainer import PointsTrainer
from gan.models import projected
from gan.train.checkpoint import NEWEST, digest, load_file, save_state, tensors_of
from gan.train.parallel.team import ALONE, Team, join, leave
from gan.train.trainer import Trainer
from gan.worker import ranks
from tests.support.engine import CPU, SOUND, tiny_config, tiny_data

DIES = 30
POINT_SOUND = [name for name in POINT_RECIPES if name not in POINT_FAILING]
# everything that is random, and the running statistics of both kinds of layers that have them
SETTINGS = {"conditional": True, "clusters": 2, "flip": True, "augment": "color,translation,cutout"}
EACH = {
    "dcgan": {},
    "projected": {**SETTINGS, "channels": 3, "batch": 4},
    "modern": {**SETTINGS, "adaptive": True},
}
STEPS = 20
SEEN_SIDE = (
    64  # pixels that the fixed extractor of `projected` sees; a step at its own 128 takes half a second
)


def images(recipe: str, team: Team = ALONE) -> Trainer:
    config = tiny_config(recipe, **EACH.get(recipe, SETTINGS))
    return Trainer(config, tiny_data(size=config.size, channels=config.channels), CPU, team)


def points(recipe: str, team: Team = ALONE) -> PointsTrainer:
    return PointsTrainer(points_config("ring8", recipe, batch=16, width=16), points_data.load("ring8"), team)


BUILD = {
    **{f"images {recipe}": (images, recipe) for recipe in SOUND},
    **{
        f"points {recipe}": (points, recipe) for recipe in (*POINT_SOUND, "collapse")
    },  # which updates G often
}


def after(name: str, team: Team = ALONE, splits: int = 1) -> str:
    """Return the digest of the whole state after the steps of a trial."""
    build, recipe = BUILD[name]
    with mock.patch.object(projected, "SEEN_SIDE", SEEN_SIDE):
        trainer = build(recipe, team)
        trainer.splits = splits
        trainer.advance(STEPS)
    return digest(tensors_of(trainer))


def _trials(folder: Path, team: Team) -> dict:
    found: dict = {name: after(name, team) for name in BUILD}
    one = points("modern", team)  # the test has trained it for 5 steps, alone
    load_file(folder / "one" / NEWEST, one)
    one.advance(5)
    found["one resumes as two"] = digest(tensors_of(one))
    if team.first:
        save_state(folder / "two", one, {})
    one.advance(5)
    found["two go on"] = digest(tensors_of(one))
    found["full"] = ranks._advance(team, _breaking(team, torch.OutOfMemoryError("CUDA out of memory")), 4)[1]
    found["exploded"] = ranks._advance(team, _breaking(team, None), 4)[1]
    return found


def _breaking(team: Team, error: Exception | None) -> Trainer:
    """Return a trainer whose rank 1 raises the error amid its third step; None makes NaN instead."""
    trainer, calls = images("wasserstein", team), []
    judge = trainer._judge

    def breaking(pictures, batch):
        calls.append(None)
        if team.first or trainer.step < 2 or len(calls) % 4:
            return judge(pictures, batch)
        if error:
            raise error
        return judge(pictures, batch) * float("nan")

    trainer._judge = breaking
    return trainer


def _dying(path: str, *options: str) -> int:
    from gan.cli.train import main

    mark, step = Path(path, "died"), Trainer._next_step

    def next_step(self):
        if self.step == DIES and self.team.rank == 1 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return step(self)

    Trainer._next_step = next_step
    return main([path, *options])


if __name__ == "__main__":
    what, where, *options = sys.argv[1:]
    if what == "dying":
        sys.exit(_dying(where, *options))
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    team = join()
    write_json(Path(where) / f"{team.rank}.json", _trials(Path(where), team))
    leave()
