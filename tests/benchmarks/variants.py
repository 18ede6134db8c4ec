"""Parse recipes with changed settings, as two benchmarks take them from the command line.

Examples: `modern`, `modern:lr_g=5e-4,lr_d=5e-4`, `modern:precision=bf16`. A setting is a field of RunConfig,
or a field of Device about its arithmetic. The type of the field's default converts its text.
"""

import argparse
import dataclasses
from typing import Any, NamedTuple

from gan.config import RunConfig
from gan.device import Device, cpu_quota, pick_device
from gan.recipes import RECIPES, make_config
from gan.train.autotune.machine import PRECISIONS
from gan.train.autotune.measure import load_or_measure

# fields that the benchmark itself sets
OURS_TO_SET = {"data", "recipe", "minutes", "kimg", "size", "channels", "seed"}
HOW: dict[str, type] = {"threads": int, "precision": str, "channels_last": bool, "graph": bool}
# limits that RunConfig does not check
ALLOWED = {"threads": range(1, cpu_quota() + 1), "precision": PRECISIONS}
YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class Variant(NamedTuple):
    """A recipe with changed settings."""

    name: str  # the text of the option
    recipe: str
    settings: dict[str, Any]  # of RunConfig
    how: dict[str, Any]  # of Device


def parse(text: str) -> Variant:
    """Return the variant that `text` describes.

    Raises argparse.ArgumentTypeError, so that it can be an option's type. A comma inside a value is kept: in
    `modern:augment=color,translation,batch=16` the part without “=” belongs to the value before it.
    """
    recipe, _, rest = text.partition(":")
    if recipe not in RECIPES:
        raise argparse.ArgumentTypeError(f"there is no recipe “{recipe}”, only {', '.join(RECIPES)}")
    pairs: list[list[str]] = []
    for part in rest.split(",") if rest else []:
        name, equals, value = part.partition("=")
        if equals:
            pairs.append([name, value])
        elif pairs:
            pairs[-1][1] += f",{part}"
        else:
            raise argparse.ArgumentTypeError(f"“{part}” in “{text}” is not of the form setting=value")
    kinds = _kinds()
    for name, _ in pairs:
        if name not in kinds:
            raise argparse.ArgumentTypeError(
                f"“{name}” in “{text}” can't be set here, only {', '.join(kinds)}"
            )
    values = {name: _read(kinds[name], name, value) for name, value in pairs}
    for name, allowed in ALLOWED.items():
        if name in values and values[name] not in allowed:
            raise argparse.ArgumentTypeError(
                f"“{values[name]}” is no value of {name} here, only {', '.join(map(str, allowed))}"
            )
    how = {name: values.pop(name) for name in HOW if name in values}
    return Variant(text, recipe, values, how)


def _kinds() -> dict[str, type]:
    fields = {
        field.name: type(field.default)
        for field in dataclasses.fields(RunConfig)
        if field.name not in OURS_TO_SET
    }
    return fields | HOW


def _read(kind: type, name: str, text: str) -> Any:
    try:
        return YES_NO[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError) as error:
        raise argparse.ArgumentTypeError(
            f"“{text}” is no value of {name} ({'yes or no' if kind is bool else kind.__name__})"
        ) from error


def config_of(variant: Variant, data: str, size: int, channels: int, **given: Any) -> RunConfig:
    """Return the config of a variant on the data set `data` with images of this shape.

    `given` are the fields that the benchmark sets. Raises UserError for an impossible setting.
    """
    return make_config(data, variant.recipe, size, channels, **given, **variant.settings)


def this_machine() -> Device:
    """Return the device as the app trains with it: with the settings that the self-test chose."""
    picked = pick_device()
    return load_or_measure(picked).device(picked)


def device_of(variant: Variant | None, usual: Device) -> Device:
    """Return the device with a variant's changes; for None, the tutorial, float32 with all threads.

    Raises argparse.ArgumentTypeError for a graph where there is no GPU.
    """
    if variant is None:
        return dataclasses.replace(
            usual, threads=cpu_quota(), precision="float32", channels_last=False, graph=False
        )
    if variant.how.get("graph") and usual.torch_name != "cuda":
        raise argparse.ArgumentTypeError(f"“{variant.name}” asks for a graph, which only a GPU has")
    return dataclasses.replace(usual, **variant.how)
