"""Turn the values of the Train form into a config. gan.ui.train.fields lays out its settings."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from gan import data as data_room
from gan.config import SIZES, RunConfig, Settings
from gan.data.own.report import Report
from gan.errors import UserError
from gan.export.track import refuse_missing
from gan.kinds import DEFAULT
from gan.latent.origins import origin_of
from gan.recipes import GPU_RECIPES, make_config
from gan.spec import MAX_CLASSES
from gan.train.autotune.machine import count_gpus, has_gpu
from gan.train.origin import Origin
from gan.ui.server.services import Services
from gan.ui.train import fields

OWN_SIZE = 64


def defaults(data: Any, recipe: Any) -> list[Any]:
    """Return the values of all controls for a data set and a recipe; None for those of another kind of run.

    Unknown ones get the defaults of colour pictures.
    """
    try:
        config = start(str(data), str(recipe))
    except UserError:
        config = make_config("digits", "modern", OWN_SIZE, 3)
    return list(fields.spread(config))


def start(data: str, recipe: str) -> Settings:
    """Return the config that a data set and a recipe begin with. Raises UserError for an unknown recipe."""
    part = fields.part_of(data)
    return make_config(data, recipe, *shape(data)) if part.kind == DEFAULT else part.make(data, recipe)


def shape(data: Any) -> tuple[int, int]:
    """Return the training size and channels of a data set.

    The size is the one in SIZES nearest to the pictures' own.
    """
    info = data_room.catalogue().get(str(data))
    return (
        (OWN_SIZE, 3) if info is None else (min(SIZES, key=lambda size: abs(size - info.size)), info.channels)
    )


def read(asked: Any) -> dict[str, Any]:
    """Check the form {data, recipe, minutes, values, gpus, ...} of a page; `config` checks its settings.

    minutes: the budget, as Part.budget of gan.ui.train.fields reads it.
    Raises UserError where it is no form.
    """
    if not isinstance(asked, dict) or not isinstance(asked.get("values"), list):
        raise UserError("ui.bad_form")
    gpus = asked.get("gpus", 1)
    if type(gpus) is not int or not 1 <= gpus <= max(1, count_gpus()):
        raise UserError("ui.bad_form")
    shown = {"data": str(asked.get("data"))[:100], "gpus": gpus, "flavor": _text(asked.get("flavor"))}
    return {**asked, **shown}


def _text(value: Any) -> str:
    """Return a text of the form, "" for none. Raises UserError for another value."""
    if not isinstance(value, str | None):
        raise UserError("ui.bad_form")
    return value or ""


def origin(services: Services, asked: dict[str, Any]) -> Origin | None:
    """Return the model that the form's run starts from, or None for new weights. Raises UserError."""
    model = asked.get("start", "")
    if not isinstance(model, str):
        raise UserError("ui.bad_form")
    if not model:
        return None
    return origin_of(services.catalogue().entry(model))


def config(
    data: str,
    recipe: Any,
    minutes: Any,
    values: Sequence[Any],
    report: Report | None = None,
    origin: Origin | None = None,
    lends: bool = False,
) -> Settings:
    """Return the config of the form.

    `data` is a name that the form offers, or the path of uploaded pictures with their `report`. `origin` is
    the model to start from. `lends`: whether GPUs are lent, which this process does not see. Raises UserError
    for an impossible setting, and for pictures that are unfit by their number or classes.
    """
    made = settings(data, recipe, minutes, values, origin, lends)
    if not isinstance(made, RunConfig):
        return made
    if report is None:
        check_pictures(made, data_room.info(data).count)
        return made
    check_pictures(made, report.count)
    if made.conditional and report.too_many_classes:
        raise UserError("ui.too_many_classes", count=report.too_many_classes, most=MAX_CLASSES)
    if made.conditional and not report.classes:
        raise UserError("ui.no_classes")
    return made


def settings(
    data: str,
    recipe: Any,
    minutes: Any,
    values: Sequence[Any],
    origin: Origin | None = None,
    lends: bool = False,
) -> Settings:
    """Return the config of the form, without a check of the number of pictures.

    Raises UserError for an impossible setting, and for a model to start from that has other shapes.
    """
    part = fields.part_of(data)
    asked = {**part.read(values), **part.budget(minutes)}
    if part.kind == DEFAULT:
        made: Settings = _of_pictures(data, str(recipe), asked, origin, lends)
    elif origin is not None:
        raise UserError("start.other_kind")
    else:
        made = part.make(data, str(recipe), **asked)
    refuse_missing(made.track)
    return made


def _of_pictures(
    data: str, recipe: str, asked: dict[str, Any], origin: Origin | None, lends: bool
) -> RunConfig:
    info = data_room.catalogue().get(data)
    if origin is not None:
        origin.refuse_other_recipe(recipe)
    made = make_config(data, recipe, **asked, start_from=origin.id if origin else "")
    if origin is not None:
        origin.refuse_other_shape(made)
    elif info is not None:
        # a data set of the catalogue fixes its channels, unless a model to start from does
        made = dataclasses.replace(made, channels=shape(data)[1])
    if made.conditional and info is not None and not info.classes:
        raise UserError("train.no_labels", data=data)
    if made.recipe in GPU_RECIPES and not (lends or has_gpu()):
        raise UserError("ui.needs_gpu")
    return made


def check_pictures(made: RunConfig, count: int) -> None:
    """Raises UserError where a run needs more pictures than `count`."""
    if count < 2:
        raise UserError("ui.too_few", count=count)
    if made.batch > count:
        raise UserError("train.batch_too_large", batch=made.batch, count=count)
