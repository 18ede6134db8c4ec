"""The kind "images": G draws images from z. Its settings are in gan.config, its trainer is in gan.train."""

import importlib
from collections.abc import Callable
from typing import Any

from gan import data
from gan.config import RunConfig as Config
from gan.data import find, find_pictures, is_named
from gan.errors import UserError
from gan.recipes import GPU_RECIPES, RECIPES, make_config
from gan.train.autotune.machine import has_gpu
from gan.train.throttle import GRID_SECONDS

__all__ = ["RECIPES", "SHEET_SECONDS", "Config", "find", "is_named", "load_engine", "locate", "plan"]

SHEET_SECONDS = GRID_SECONDS

locate = find_pictures


def load_engine() -> Any:
    """Import and return the module that needs torch."""
    return importlib.import_module("gan.kinds.images.engine")


def plan(name: str, recipe: str, settings: dict[str, Any], tell: Callable[[str], None]) -> Config:
    """Return the config of a new run. A user's own images decide what `settings` leaves open.

    See gan.kinds.Kind.
    """
    known = data.catalogue().get(name)
    config, count = (
        _of_own(name, recipe, settings, tell)
        if known is None
        else (make_config(name, recipe, known.size, known.channels, **settings), known.count)
    )
    if config.batch > count:
        raise UserError("train.batch_too_large", batch=config.batch, count=count)
    if recipe in GPU_RECIPES and not has_gpu():
        tell(
            f"“{recipe}” is meant for a GPU: on a CPU it generates one flat colour for many minutes. "
            f"It starts all the same."
        )
    return config


def _of_own(
    name: str, recipe: str, settings: dict[str, Any], tell: Callable[[str], None]
) -> tuple[Config, int]:
    """Return the config for a folder or zip, and its number of images.

    Tells the report on the images and the settings that they decide.
    """
    from gan.data.own.report import no_classes, sentences, suggestions
    from gan.data.own.survey import survey

    asked = make_config(name, recipe, **settings)  # refuses impossible settings before any image is read
    report = survey(name, background=asked.background)
    found = {
        field: value
        for field, value in suggestions(report, make_config(name, recipe)).items()
        if field not in settings
    }
    for line in sentences(report, asked.background):
        tell(line)
    if found:
        chosen = ", ".join(_flag(field, value) for field, value in found.items())
        tell(f"Settings chosen for these images: {chosen}")
    config = make_config(name, recipe, **found, **settings)
    if config.conditional and not report.classes:
        raise no_classes(report, name)
    return config, report.count


def _flag(field: str, value: Any) -> str:
    """Return a setting as a command-line option."""
    name = field.replace("_", "-")
    return f"--{name} {value}" if not isinstance(value, bool) else f"--{name}" if value else f"--no-{name}"
