"""The engine of the kind "points", for the worker: data, record and device."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from gan.device import Device, cpu_label
from gan.errors import Unharmed
from gan.files import read_object
from gan.kinds import RECORD, Recognised
from gan.kinds.points import data
from gan.kinds.points.data import NAMES, Box, PointSet
from gan.kinds.points.recipes import PointsConfig
from gan.kinds.points.trainer import PointsTrainer
from gan.kinds.points.trainer import check_data as check
from gan.train.parallel.team import ALONE, Team


@dataclass(frozen=True)
class PointsRecord:
    """The record of a run's points. `content` is the SHA-256 of the array and its box, in hexadecimal."""

    name: str  # a name in NAMES; "" for a file
    count: int
    content: str

    def to_json(self) -> dict[str, Any]:
        """Return the record as data.json keeps it."""
        return asdict(self)

    short = to_json


def identify(config: PointsConfig, points: PointSet) -> PointsRecord:
    """Return the record of a set of points."""
    sha = hashlib.sha256(repr(tuple(points.box)).encode())
    sha.update(points.points.contiguous().numpy().data)
    return PointsRecord(config.data if config.data in NAMES else "", len(points.points), sha.hexdigest())


def choose_device(picked: Device, began: Any) -> Device:
    """Return one thread of the CPU: networks this small train no faster on two threads, or on a GPU."""
    return Device("cpu", cpu_label(1), 1)


def load(config: PointsConfig) -> PointSet:
    """Return the points of a config. Raises UserError if they can't be read."""
    return data.load(config.data)


def recognise(
    config: PointsConfig, points: PointSet, run_dir: Path, saved: dict[str, Any] | None
) -> Recognised:
    """Compare the points with the record of a run that began: see gan.kinds.Engine."""
    check(config, points)
    record = identify(config, points)
    known = None if saved is None else _known(run_dir, saved)
    if known is not None and known != record:
        if not record.name or record.name != known.name:
            raise Unharmed("points.changed", now=record.count, were=known.count)
        return Recognised(points, record, [("set_changed", {"name": record.name})])
    unknown = saved is not None and known is None
    return Recognised(points, record, [("pictures_unknown", {"count": record.count})] if unknown else [])


def _known(run_dir: Path, saved: dict[str, Any]) -> PointsRecord | None:
    """Return a run's record from data.json, else from its newest checkpoint, else None."""
    for value in (read_object(run_dir / RECORD), saved.get("data")):
        if isinstance(value, dict) and set(value) == {"name", "count", "content"}:
            return PointsRecord(**value)
    return None


def begin(trainer: PointsTrainer, config: PointsConfig, run_dir: Path) -> tuple[()]:
    """Return no events: a run on points always begins with new weights."""
    return ()


def remarks(points: PointSet) -> tuple[()]:
    """Return no events: points that can't be used are refused as a whole."""
    return ()


def build(config: PointsConfig, points: PointSet, device: Device, team: Team = ALONE) -> PointsTrainer:
    """Return a trainer at step 0. Raises UserError as `check` does."""
    return PointsTrainer(config, points, team)


def first_step_seconds(config: PointsConfig, points: PointSet) -> float:
    """Return 0: a step takes milliseconds."""
    return 0.0


def warm_up() -> None:
    """Take a step and draw a sheet of a tiny run, which import what a process uses first."""
    points = torch.rand(8, 2, generator=torch.Generator().manual_seed(0))
    trainer = PointsTrainer(PointsConfig(batch=2, width=4), PointSet("rehearsal", points, Box(0, 0, 1)))
    trainer.advance(1)
    trainer.sample_sheet()
