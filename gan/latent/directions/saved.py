"""Which directions have sliders, in which order and under which names: as a page sends it, and as it is saved
with a model. Imports no torch.
"""

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan.errors import UserError
from gan.files import read_json, write_json
from gan.latent.catalogue import Entry
from gan.latent.point import DIRECTION_ID
from gan.runs.names import tidy

if TYPE_CHECKING:
    from gan.latent.generator import Model

# in a run's directory; beside the runs, for models that ship
FILE, SHIPPED = "directions.json", ".directions"
FORMAT = "ganarium-directions-saved-1"
MOST, LONGEST = 64, 40  # directions of each kind, and characters of a name
LARGEST = 2**20  # bytes of a file that is read
SAME = 0.99  # |cosine| from which a saved vector is the one that a model has now
DIGITS = 4
_KEYS = ("list", "names", "hidden")
# the third factor of other weights is another direction; night is always night
NUMBERED = re.compile(r"[ps][0-9]{1,3}")


@dataclasses.dataclass(frozen=True)
class Choice:
    """`sliders`: the ids of the directions that have sliders, in order, None for the usual ones. `names` by
    id, and the ids that are `hidden`.
    """

    sliders: tuple[str, ...] | None
    names: dict[str, str]
    hidden: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The form in which pages get and send it."""
        return {
            "list": None if self.sliders is None else list(self.sliders),
            "names": self.names,
            "hidden": list(self.hidden),
        }

    def ids(self) -> set[str]:
        """All directions that it says something about."""
        return {*(self.sliders or ()), *self.names, *self.hidden}


def parse(value: dict[str, Any]) -> Choice:
    """What `Choice.to_json` wrote, every value checked; names are made one plain line. Raises UserError."""
    if set(value) != set(_KEYS):
        raise UserError("latent.bad_choice")
    listed, names, hidden = (value[key] for key in _KEYS)
    if (
        not isinstance(names, dict)
        or len(names) > MOST
        or not all(isinstance(name, str) and len(name) <= LONGEST for name in names.values())
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
        or len(value) > MOST
        or not all(isinstance(name, str) and DIRECTION_ID.fullmatch(name) for name in value)
    ):
        raise UserError("latent.bad_choice")
    if len(set(value)) < len(value):
        raise UserError("latent.twice", name="list")
    return tuple(value)


def place(entry: Entry, runs: Path) -> Path:
    """The file of a model, where `runs` is the directory of runs."""
    return (
        entry.weights.parent / FILE
        if entry.kind == "run"
        else runs / SHIPPED / f"{entry.id.partition(':')[2]}.json"
    )


def save(path: Path, model: "Model", choice: Choice) -> None:
    """Write what was chosen for a model, with the vectors of numbered directions; where nothing was, remove
    the file.

    Raises UserError for a numbered direction that the model has not, OSError where the file can't be written.
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
    """What is saved for a model; None where nothing is, or nothing that can be read.

    Of numbered directions only what the model's weights still mean by them; where that leaves out a slider,
    the usual ones come back.
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
    """Whether a model's direction of this id is the one with the `saved` vector."""
    try:
        now = model.vector(name)
    except UserError:
        return False
    saved = np.asarray(saved, np.float64)
    lengths = np.linalg.norm(now) * np.linalg.norm(saved)
    return saved.shape == now.shape and bool(abs(now @ saved) >= SAME * lengths > 0)
