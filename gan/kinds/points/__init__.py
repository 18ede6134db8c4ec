"""The kind "points": G draws points of the plane from z. A small lab for GANs, mode collapse included."""

import importlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from gan.data.names import resume_with_data
from gan.errors import UserError
from gan.kinds.points.recipes import NAMES, RECIPES, make_config
from gan.kinds.points.recipes import PointsConfig as Config

__all__ = [
    "RECIPES",
    "SHEET_SECONDS",
    "Config",
    "find",
    "is_named",
    "load_engine",
    "locate",
    "plan",
    "thumbnail",
]

SHEET_SECONDS = 0.12  # with the time that outputs take, at least four sheets a second


def load_engine() -> Any:
    """Import and return the module that needs torch."""
    return importlib.import_module("gan.kinds.points.engine")


def thumbnail(name: str) -> Path:
    """Return the picture of a set of NAMES: a square WebP that gan.kinds.points.sheet draws."""
    return Path(__file__).parent / "thumbnails" / f"{name}.webp"


def is_named(name: str) -> bool:
    """Return whether this is a name of NAMES, and no file."""
    return name in NAMES


def find(name: str) -> str:
    """Return a name of NAMES, or the absolute path of a file. Raises UserError if there is neither."""
    place = os.path.abspath(os.path.expanduser(name))
    if name not in NAMES and not os.path.isfile(place):
        raise UserError("points.unknown", name=name, choices=", ".join(NAMES))
    return name if name in NAMES else place


def locate(run_dir: Path, name: str, began: bool = True) -> str:
    """Return where the points of an existing run are now. Raises UserError if their file is gone."""
    try:
        return find(name)
    except UserError as error:
        place = os.path.abspath(os.path.expanduser(name))
        raise UserError("points.gone", place=place, command=resume_with_data(run_dir)) from error


def plan(name: str, recipe: str, settings: dict[str, Any], tell: Callable[[str], None]) -> Config:
    """Return the config of a new run: see gan.kinds.Kind."""
    config = make_config(name, recipe, **settings)
    if name in NAMES:  # a set that data.py draws is larger than any batch
        return config
    engine = load_engine()
    points = engine.load(config)
    if "batch" not in settings:
        config = fit_batch(config, len(points.points), tell)
    engine.check(config, points)
    return config


def fit_batch(config: Config, count: int, tell: Callable[[str], None]) -> Config:
    """Return the config with a batch of at most `count` points. Tells the person if the batch shrinks.

    A run visits its points in a shuffled order without repeats, so no batch can hold more than all of them.
    """
    if config.batch <= count:
        return config
    tell(f"There are only {count} points, so each step uses all of them: --batch {count}")
    return replace(config, batch=count)
