"""The settings of each kind of run as controls of the form. PARTS has an entry for each kind.

A control's key is the field's name for images, and KIND-NAME for another kind. The form sends the values of
all controls in the order of `keys()`; those of other kinds than the chosen one are ignored.
"""

import dataclasses
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from gan.config import RunConfig, Settings, check_field
from gan.errors import UserError
from gan.kinds import DEFAULT
from gan.kinds.points.recipes import FAILING as POINT_FAILING
from gan.kinds.points.recipes import NAMES as POINT_SETS
from gan.kinds.points.recipes import RECIPES as POINT_RECIPES
from gan.kinds.points.recipes import PointsConfig
from gan.kinds.points.recipes import make_config as make_points_config
from gan.recipes import FAILING, RECIPES, make_config

USER_POINTS = "own-points"  # the form's name for an uploaded file of points
LEAST_KIMG = 0.1  # thousands of images that the form takes as a budget
Control = gr.Checkbox | gr.Dropdown | gr.Number


@dataclass(frozen=True)
class Part:
    """What the form offers for a kind of run."""

    config: type[Settings]
    make: Callable[..., Settings]  # (data, recipe, **settings) -> the config
    recipes: Collection[str]
    failing: Collection[str]  # recipes that show a failure; the page has a group of them
    main: tuple[str, ...]  # recipes that the page shows as cards; it folds the others
    sets: tuple[str, ...]  # names of its data sets; a kind without any has all other names
    groups: dict[str, tuple[str, ...]]  # group -> fields; a field in none of them goes into the last group
    elsewhere: tuple[str, ...]  # fields without a control
    last_group: str = "finer"

    @property
    def kind(self) -> str:
        return self.config.kind

    @property
    def fields(self) -> dict[str, dataclasses.Field]:
        """The fields that have a control, by name."""
        known = {field.name: field for field in dataclasses.fields(self.config)}
        return {name: field for name, field in known.items() if name not in self.elsewhere}

    def key(self, name: str) -> str:
        """Return the key of a field's control."""
        return name if self.kind == DEFAULT else f"{self.kind}-{name}"

    def order(self) -> dict[str, list[str]]:
        """Return group -> names of its fields, so that no field is missing."""
        named = {name for names in self.groups.values() for name in names}
        rest = [name for name in self.fields if name not in named]
        return {**{group: list(names) for group, names in self.groups.items()}, self.last_group: rest}

    def names(self) -> list[str]:
        """Return the names of the fields in the order of the form."""
        return [name for group in self.order().values() for name in group]

    def controls(self, i18n: gr.I18n, start: Settings) -> dict[str, Control]:
        """Lay out one labelled component per field, with the values of `start`. Returns them by key."""
        texts = "setting" if self.kind == DEFAULT else f"setting.{self.kind}"
        made = {}
        with gr.Column(elem_classes=f"gan-kind gan-kind-{self.kind}", min_width=0):
            for group, names in self.order().items():
                gr.HTML(f'<gan-group text="train.group_{group}"></gan-group>', apply_default_css=False)
                for name in names:
                    common = {"label": i18n(f"field.{name}"), "info": i18n(f"{texts}.{name}")}
                    control = _control(
                        self.fields[name],
                        getattr(start, name),
                        {**common, "elem_id": f"field-{self.key(name)}"},
                    )
                    made[self.key(name)] = control
        return made

    def read(self, values: Sequence[Any]) -> dict[str, Any]:
        """Return name -> value for this kind, from the values of all controls.

        Raises UserError for another number of values.
        """
        if len(values) != len(keys()):
            raise UserError("ui.bad_form")
        asked = dict(zip(keys(), values, strict=True))
        return {name: number(field, asked[self.key(name)]) for name, field in self.fields.items()}

    def budget(self, value: Any) -> dict[str, Any]:
        """Return the form's budget, minutes or {"kimg": thousands of images}, as fields of the config.

        The config checks the minutes. Raises UserError for other values, and for less than LEAST_KIMG.
        """
        known = {field.name: field for field in dataclasses.fields(self.config)}
        if not isinstance(value, dict):
            return {"minutes": number(known["minutes"], value)}
        if set(value) != {"kimg"} or "kimg" not in known:
            raise UserError("ui.bad_form")
        kimg = number(known["kimg"], value["kimg"])
        check_field(self.config, "kimg", kimg)
        if kimg < LEAST_KIMG:  # 0 would mean that the time decides
            most = known["kimg"].metadata["max"]
            raise UserError("config.range", name="kimg", value=kimg, min=LEAST_KIMG, max=most)
        return {"kimg": kimg}


# The form's steps set data, recipe, minutes or kimg, and start_from. The terminal sets steps. The recipe of
# images sets the architecture.
PARTS = {
    "images": Part(
        RunConfig,
        make_config,
        RECIPES,
        FAILING,
        ("modern", "dcgan", "dcgan_small"),
        (),
        {
            "pictures": (
                "size",
                "images",
                "channels",
                "background",
                "conditional",
                "clusters",
                "flip",
                "augment",
                "adaptive",
            ),
            "learning": ("lr_g", "lr_d", "batch", "d_steps", "gamma", "penalty"),
            "networks": ("width", "z_dim", "ema"),
        },
        ("data", "recipe", "minutes", "kimg", "architecture", "start_from"),
    ),
    "points": Part(
        PointsConfig,
        make_points_config,
        POINT_RECIPES,
        POINT_FAILING,
        ("modern",),
        (*POINT_SETS, USER_POINTS),
        {
            "learning": ("lr_g", "lr_d", "batch", "d_steps", "g_steps", "gamma", "penalty"),
            "networks": ("width", "depth", "z_dim", "ema"),
        },
        ("data", "recipe", "minutes", "steps"),
    ),
}


def part_of(data: str) -> Part:
    """Return the part of the form for a data set, by the kind of run that learns it."""
    return next((part for part in PARTS.values() if data in part.sets), PARTS[DEFAULT])


def keys() -> list[str]:
    """Return the keys of all controls in the order of the form."""
    return [part.key(name) for part in PARTS.values() for name in part.names()]


def spread(config: Settings) -> Iterator[Any]:
    """Yield a value for each of `keys()`: the config's, or None for the controls of another kind."""
    for one in PARTS.values():
        for name in one.names():
            yield getattr(config, name) if one.kind == config.kind else None


def _control(field: dataclasses.Field, value: Any, common: dict[str, Any]) -> Control:
    if isinstance(field.default, bool):
        return gr.Checkbox(value, **common)
    if "choices" in field.metadata:
        return gr.Dropdown(list(field.metadata["choices"]), value=value, filterable=False, **common)
    if isinstance(field.default, float):
        return gr.Number(value, step=field.default / 10 or 0.01, **common)
    return gr.Number(value, precision=0, step=1, **common)


def number(field: dataclasses.Field, value: Any) -> Any:
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
