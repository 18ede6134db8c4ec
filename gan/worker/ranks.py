"""How the ranks of a team train one run together: rank 0 gives orders, and the others follow.

Rank 0 is the worker of gan.worker.worker. It alone has a clock, and writes the run's directory. The other
ranks only read it. Before each chunk of steps, rank 0 tells them how many steps to take, and what else the
steps depend on.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

import psutil
import torch

from gan.device import Device, pick_device
from gan.errors import UserError, is_out_of_memory
from gan.kinds import Trainer, get_kind
from gan.train.autotune.machine import PRECISIONS, set_up
from gan.train.checkpoint import NEWEST, PREVIOUS, has_state, load_file, saved_counters
from gan.train.parallel.team import Team, TeamLost
from gan.worker import decoded
from gan.worker.run_dir import noted_actions, read_config

HEALTHY, EXPLODED, OUT_OF_MEMORY = range(3)  # how a chunk of steps ended; the worst of a team's ranks counts
FILES = (NEWEST, PREVIOUS)


class Order(IntEnum):
    """What rank 0 tells the others to do. Four numbers follow, whose meaning depends on it."""

    BUILD = 0  # threads, place in PRECISIONS, channels_last, whether rank 0 kept the images: load all
    LOAD = 1  # place in FILES, and three times 0: load this checkpoint
    ADVANCE = 2  # steps, parts, total_images, lr_factor: take steps
    END = 3  # four times 0
    ACTIONS = 4  # four times 0: read the actions from the run's events


def order_build(team: Team, device: Device, kept: bool) -> None:
    """Let the others load data and networks, on devices with the settings of rank 0's.

    kept: whether the decoded images are in the run's directory.
    """
    precision = PRECISIONS.index(device.precision)
    team.agree([Order.BUILD, device.threads, precision, device.channels_last, kept])


def order_load(team: Team, name: str) -> None:
    """Let the others load the checkpoint that rank 0 has loaded."""
    team.agree([Order.LOAD, FILES.index(name), 0, 0, 0])


def order_actions(team: Team) -> None:
    """Let the others read the actions that rank 0 has noted."""
    team.agree([Order.ACTIONS, 0, 0, 0, 0])


@contextlib.contextmanager
def leading(team: Team) -> Iterator[None]:
    """Do rank 0's work, then let the others end: also after a mistake, which no new start would mend."""
    try:
        yield
    except UserError:
        _order_end(team)
        raise
    _order_end(team)


def _order_end(team: Team) -> None:
    with contextlib.suppress(TeamLost):  # they have ended already
        team.agree([Order.END, 0, 0, 0, 0])


def advance_together(team: Team, trainer: Trainer, steps: int) -> tuple[dict[str, float], int]:
    """As rank 0, take steps with the others. Returns the mean statistics, and how it ended."""
    team.agree([Order.ADVANCE, steps, trainer.parts, trainer.total_images, trainer.lr_factor])
    return _advance(team, trainer, steps)


def _advance(team: Team, trainer: Trainer, steps: int) -> tuple[dict[str, float], int]:
    means, outcome = {}, OUT_OF_MEMORY
    try:
        means = trainer.advance(steps)
        outcome = HEALTHY if trainer.healthy() else EXPLODED
    except Exception as error:
        if not is_out_of_memory(error):
            raise
    if outcome == OUT_OF_MEMORY:  # outside the except block: the error held the step's tensors in memory
        trainer.break_off()
    return means, team.worst(outcome)


def follow(path: Path, team: Team) -> None:
    """Train the run in directory `path` as a rank other than 0, until rank 0 ends. It writes nothing.

    SIGTERM and SIGINT do nothing here: rank 0 gets them too, and pauses the run. Raises TeamLost if a rank
    has ended, and UserError if this machine can't read the run's data.
    """
    torch.set_flush_denormal(True)
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
    trainer: Trainer | None = None
    while True:
        order, *values = team.agree([0] * 5)
        if order == Order.END:
            return
        if order == Order.BUILD:
            device = set_up(pick_device(), int(values[0]), PRECISIONS[int(values[1])], bool(values[2]))
            trainer = _build(path, team, device, bool(values[3]))
            continue
        assert trainer is not None, "rank 0 orders BUILD first"
        if order == Order.ACTIONS:
            trainer.actions = noted_actions(path)
        elif order == Order.LOAD:
            load_file(path / "state" / FILES[int(values[0])], trainer)
        else:
            trainer.parts, trainer.total_images, trainer.lr_factor = int(values[1]), values[2], values[3]
            _advance(team, trainer, int(values[0]))


def _build(path: Path, team: Team, device: Device, kept: bool) -> Trainer:
    """Load the run's data in the recorded order, and its networks. kept: whether its directory has them."""
    config = read_config(path)  # rank 0 has written where the data is now
    engine = get_kind(config.kind).load_engine()
    torch.set_num_threads(device.threads)
    saved = saved_counters(path / "state") if has_state(path / "state") else None
    data = (decoded.kept(path, config) if kept else None) or engine.load(config)
    trainer = engine.build(config, engine.recognise(config, data, path, saved).data, device, team)
    trainer.actions = noted_actions(path)
    return trainer


LAUNCHER = os.getppid() if "TORCHELASTIC_RUN_ID" in os.environ else None  # torchrun's process


def deserted() -> bool:
    """Return whether torchrun has started this process and ended since. Nobody would end the ranks then."""
    return LAUNCHER is not None and os.getppid() != LAUNCHER


def owner() -> psutil.Process:
    """Return the process that stands for this worker in its status: torchrun's, where it started this one.

    Its signals reach all ranks, and it outlives a rank that it starts again.
    """
    process = psutil.Process()
    return (process.parent() or process) if "TORCHELASTIC_RUN_ID" in os.environ else process
