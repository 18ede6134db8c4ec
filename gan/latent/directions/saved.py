"""Save which directions have sliders, their order and their names.

The page sends this choice as JSON; a file keeps it with the model. Imports no torch.
"""

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan.errors import UserError
from gan.files import read_json, write_json
from gan.latent.catalogue import Entry, file_name
from gan.latent.point import DIRECTION_ID
from gan.runs.names import tidy

if TYPE_CHECKING:
    from gan.latent.generator import Model

# the file in a run's directory; for shipped models, a folder beside the runs
FILE, SHIPPED = "directions.json", ".directions"
FORMAT = "ganarium-directions-saved-1"
MAX_DIRECTIONS, MAX_NAME = 64, 40  # limits: directions in each list, characters of a name
LARGEST = 2**20  # bytes; larger files are ignored
SAME = 0.99  # least |cosine| between a saved vector and the model's current one
DIGITS = 4  # decimals of a saved vector
_KEYS = ("list", "names", "hidden")
# Numbered directions change their meaning with the weights; named ones, such as night, keep it.
NUMBERED = re.compile(r"[ps][0-9]{1,3}")


@dataclasses.dataclass(frozen=True)
class Choice:
    """The choice of sliders for one model.

    `sliders`: ids of the directions with sliders, in order; None for the default sliders. `names`: names by
    id. `hidden`: ids of hidden directions.
    """

    sliders: tuple[str, ...] | None
    names: dict[str, str]
    hidden: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The JSON object that the page receives and sends."""
        return {
            "list": None if self.sliders is None else list(self.sliders),
            "names": self.names,
            "hidden": list(self.hidden),
        }

    def ids(self) -> set[str]:
        """The ids of all directions in the choice."""
        return {*(self.sliders or ()), *self.names, *self.hidden}


def parse(value: dict[str, Any]) -> Choice:
    """Validate the output of `Choice.to_json` and reduce each name to one plain line. Raises UserError."""
    if set(value) != set(_KEYS):
        raise UserError("latent.bad_choice")
    listed, names, hidden = (value[key] for key in _KEYS)
    if (
        not isinstance(names, dict)
        or len(names) > MAX_DIRECTIONS
        or not all(isinstance(name, str) and len(name) <= MAX_NAME for name in names.values())
    ):
        raise UserError("latent.bad_choice")
    plain = {name: tidy(text) for name, text in zip(_ids(list(names)), names.values(), strict=True)}
    return Choice(
        None if listed is None else _ids(listed),
        {name: text for name, text in plain.items() if text},
        _ids(hidden),
    )


def _ids(value: Any) -> tuple[str, ...]:
    if (
        not isinstance(value, list)
        or len(value) > MAX_DIRECTIONS
        or not all(isinstance(name, str) and DIRECTION_ID.fullmatch(name) for name in value)
    ):
        raise UserError("latent.bad_choice")
    if len(set(value)) < len(value):
        raise UserError("latent.twice", name="list")
    return tuple(value)


def place(entry: Entry, runs: Path) -> Path:
    """The file for a model's choice; `runs` is the directory of the runs."""
    return (
        entry.weights.parent / FILE if entry.kind == "run" else runs / SHIPPED / f"{file_name(entry.id)}.json"
    )


def save(path: Path, model: "Model", choice: Choice) -> None:
    """Write the choice for a model, with the vectors of its numbered directions. An empty choice removes the
    file.

    Raises UserError for an unknown numbered direction, and OSError if the file can't be written.
    """
    if not choice.ids() and choice.sliders is None:
        path.unlink(missing_ok=True)
        return
    vectors = {
        name: [round(float(part), DIGITS) for part in model.vector(name)]
        for name in sorted(choice.ids())
        if NUMBERED.fullmatch(name)
    }
    write_json(path, {"format": FORMAT, **choice.to_json(), "vectors": vectors})


def read(path: Path, model: "Model") -> Choice | None:
    """The saved choice for a model, or None without a readable file.

    A numbered direction is dropped if the model's weights now give it another vector. If that removes a
    slider, `sliders` becomes None.
    """
    try:
        if path.stat().st_size > LARGEST:
            return None
        value = read_json(path)
        if value["format"] != FORMAT:
            return None
        choice, vectors = parse({key: value[key] for key in _KEYS}), value["vectors"]
        lost = {
            name
            for name in choice.ids()
            if NUMBERED.fullmatch(name) and not _same(model, name, vectors.get(name))
        }
    except (OSError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, UserError):
        return None
    return Choice(
        None if choice.sliders is None or lost & set(choice.sliders) else choice.sliders,
        {name: text for name, text in choice.names.items() if name not in lost},
        tuple(name for name in choice.hidden if name not in lost),
    )


def _same(model: "Model", name: str, saved: Any) -> bool:
    """Whether the model's direction `name` still has the vector `saved`."""
    try:
        now = model.vector(name)
    except UserError:
        return False
    saved = np.asarray(saved, np.float64)
    lengths = np.linalg.norm(now) * np.linalg.norm(saved)
    return saved.shape == now.shape and bool(abs(now @ saved) >= SAME * lengths > 0)
