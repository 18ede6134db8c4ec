"""Build the form's advanced settings from the fields of RunConfig, and turn its values into a config."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import gradio as gr

from gan import data as data_room
from gan.config import SIZES, RunConfig
from gan.data.own.report import Report
from gan.errors import UserError
from gan.recipes import GPU_RECIPES, make_config
from gan.spec import MAX_CLASSES
from gan.train.autotune.machine import has_gpu

OWN_SIZE = 64
# Fields without a control. The form's steps set the first three; kimg is for the terminal; the recipe sets
# the architecture.
ELSEWHERE = ("data", "recipe", "minutes", "kimg", "architecture")
GROUPS = {
    "pictures": ("size", "channels", "background", "conditional", "clusters", "flip", "augment", "adaptive"),
    "learning": ("lr_g", "lr_d", "batch", "d_steps", "gamma", "penalty"),
    "networks": ("width", "z_dim", "ema"),
}
Control = gr.Checkbox | gr.Dropdown | gr.Number
_FIELDS = {field.name: field for field in dataclasses.fields(RunConfig) if field.name not in ELSEWHERE}


def order() -> dict[str, list[str]]:
    """Return group -> names of its fields.

    A field of RunConfig that no group names goes into the last group, so that none is missing.
    """
    named = {name for names in GROUPS.values() for name in names}
    return {
        **{group: list(names) for group, names in GROUPS.items()},
        "finer": [name for name in _FIELDS if name not in named],
    }


def names() -> list[str]:
    """Return the field names in the order of the form."""
    return [name for group in order().values() for name in group]


def controls(i18n: gr.I18n) -> dict[str, Control]:
    """Return one labelled component per field, in the order of the form.

    They start with the defaults of the first data set and recipe.
    """
    start = dict(zip(names(), defaults("digits", "modern"), strict=True))
    made = {}
    for group, members in order().items():
        gr.HTML(f'<gan-group text="train.group_{group}"></gan-group>', apply_default_css=False)
        for name in members:
            made[name] = _control(
                _FIELDS[name],
                start[name],
                {"label": i18n(f"field.{name}"), "info": i18n(f"setting.{name}"), "elem_id": f"field-{name}"},
            )
    return made


def _control(field: dataclasses.Field, value: Any, common: dict[str, Any]) -> Control:
    if isinstance(field.default, bool):
        return gr.Checkbox(value, **common)
    if "choices" in field.metadata:
        return gr.Dropdown(list(field.metadata["choices"]), value=value, filterable=False, **common)
    if isinstance(field.default, float):
        return gr.Number(value, step=field.default / 10 or 0.01, **common)
    return gr.Number(value, precision=0, step=1, **common)


def defaults(data: Any, recipe: Any) -> list[Any]:
    """Return the values of all controls for a data set and a recipe.

    Unknown ones get the defaults of colour pictures.
    """
    size, channels = shape(data)
    try:
        config = make_config(str(data), str(recipe), size, channels)
    except UserError:
        config = make_config("digits", "modern", OWN_SIZE, 3)
    return [getattr(config, name) for name in names()]


def shape(data: Any) -> tuple[int, int]:
    """Return the training size and channels of a data set.

    The size is the one in SIZES nearest to the pictures' own.
    """
    info = data_room.catalogue().get(str(data))
    return (
        (OWN_SIZE, 3) if info is None else (min(SIZES, key=lambda size: abs(size - info.size)), info.channels)
    )


def read(asked: Any) -> dict[str, Any]:
    """Check the form {data, recipe, minutes, values, ...} that a page sends. `config` checks its settings.

    Raises UserError where it is no form.
    """
    if not isinstance(asked, dict) or not isinstance(asked.get("values"), list):
        raise UserError("ui.bad_form")
    return {**asked, "data": str(asked.get("data"))[:100]}


def config(
    data: str, recipe: Any, minutes: Any, values: Sequence[Any], report: Report | None = None
) -> RunConfig:
    """Return the config of the form.

    `data` is a name of the catalogue, or the path of uploaded pictures with their `report`. Raises UserError
    for an impossible setting, and for pictures that are unfit by their number or classes.
    """
    made = settings(data, recipe, minutes, values)
    if report is None:
        check_pictures(made, data_room.info(data).count)
        return made
    check_pictures(made, report.count)
    if made.conditional and report.too_many_classes:
        raise UserError("ui.too_many_classes", count=report.too_many_classes, most=MAX_CLASSES)
    if made.conditional and not report.classes:
        raise UserError("ui.no_classes")
    return made


def settings(data: str, recipe: Any, minutes: Any, values: Sequence[Any]) -> RunConfig:
    """Return the config of the form, without a check of the number of pictures.

    Raises UserError for an impossible setting.
    """
    size, channels = shape(data)
    if len(values) != len(names()):
        raise UserError("ui.bad_form")
    asked = {name: _number(_FIELDS[name], value) for name, value in zip(names(), values, strict=True)}
    info = data_room.catalogue().get(data)
    made = make_config(
        data,
        str(recipe),
        **{"size": size, "channels": channels, **asked, "minutes": _number(_MINUTES, minutes)},
    )
    if info is not None:
        made = dataclasses.replace(made, channels=channels)  # a data set of the catalogue fixes its channels
    if made.conditional and info is not None and not info.classes:
        raise UserError("train.no_labels", data=data)
    if made.recipe in GPU_RECIPES and not has_gpu():
        raise UserError("ui.needs_gpu")
    return made


def check_pictures(made: RunConfig, count: int) -> None:
    """Raises UserError where a run needs more pictures than `count`."""
    if count < 2:
        raise UserError("ui.too_few", count=count)
    if made.batch > count:
        raise UserError("train.batch_too_large", batch=made.batch, count=count)


_MINUTES = next(field for field in dataclasses.fields(RunConfig) if field.name == "minutes")


def _number(field: dataclasses.Field, value: Any) -> Any:
    """Convert whole floats to the field's own type, because browsers send 32.0 and 32 alike.

    Other values pass unchanged; the config checks them.
    """
    kind = type(field.default)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    if abs(value) > 1e300:
        return math.inf  # the config refuses infinity; a larger int has no float
    return (
        int(value) if kind is int and float(value).is_integer() else float(value) if kind is float else value
    )
