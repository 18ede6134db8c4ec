"""The model whose weights a new run begins with: what the run copies of it, and what it records about it.

A run keeps its own copy, in the folder START. So the model may change or go, and the run still restarts from
the same weights. This module imports no torch, because the server copies the files when it makes a run.
"""

import contextlib
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gan.config import RunConfig
from gan.errors import UserError
from gan.files import read_object, replace_with, write_bytes, write_json
from gan.recipes import RECIPES
from gan.spec import FORMAT, ModelSpec, read_header

START = "start"  # the folder in a run's directory
GENERATOR, DISCRIMINATOR, RECORD = "generator.safetensors", "discriminator.safetensors", "origin.json"
EARLIER = 20  # models before this one that a record names
MAX_TEXT = 200  # characters


@dataclass(frozen=True)
class Origin:
    """A model to start from.

    weights: a generator's file. discriminator: a file in the same format, or the checkpoint of a run; None if
    there is no D. earlier: the models that this one began with, newest first, as `describe` returns them.
    """

    id: str
    title: str
    data: str  # the public name of its data
    recipe: str | None
    spec: ModelSpec
    classes: tuple[str, ...]
    weights: Path
    discriminator: Path | None = None
    earlier: tuple[dict[str, Any], ...] = ()

    def refuse_other_recipe(self, recipe: Any) -> None:
        """Raise UserError for a recipe with other networks, before its other limits are checked."""
        ours = RECIPES.get(recipe, {}).get("architecture", RunConfig.architecture)
        if recipe in RECIPES and ours != self.spec.architecture:
            raise UserError("start.recipe", title=self.title, theirs=self.spec.architecture, ours=ours)

    def refuse_other_shape(self, config: RunConfig) -> None:
        """Raise UserError if a run with these settings has weights of other shapes."""
        for name, theirs in self.spec.shape().items():
            ours = getattr(config, name)
            if ours != theirs:
                raise UserError("start.shape", title=self.title, name=name, theirs=theirs, ours=ours)

    def copy_to(self, run_dir: Path) -> None:
        """Copy the weights into a run's directory, with the record about them. Raises OSError."""
        folder = run_dir / START
        replace_with(folder / GENERATOR, lambda path: shutil.copyfile(self.weights, path))
        if self.discriminator is not None:
            # A damaged D is none: the run says that D began anew.
            with contextlib.suppress(ValueError, KeyError, TypeError):
                write_bytes(folder / DISCRIMINATOR, _discriminator(self.discriminator, self.spec))
        value = {
            "id": self.id,
            "title": self.title,
            "weights": hashlib.sha256((folder / GENERATOR).read_bytes()).hexdigest(),
            "data": self.data,
            "classes": list(self.classes),
            "earlier": list(self.earlier),
        }
        write_json(folder / RECORD, value)


def _discriminator(path: Path, spec: ModelSpec) -> bytes:
    """Return D as a file of its own: a copy, or the part of a checkpoint. Raises ValueError."""
    from safetensors import SafetensorError, safe_open
    from safetensors.numpy import save

    names = [name for name in read_header(path)[0] if name.startswith("D.")]
    if not names:
        return path.read_bytes()
    try:
        with safe_open(path, "numpy") as file:
            tensors = {name.removeprefix("D."): file.get_tensor(name) for name in names}
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    return save(tensors, {"format": FORMAT, "model": json.dumps(spec.to_json())})


def read_record(run_dir: Path) -> dict[str, Any]:
    """Return the record of the model that a run began with; {} for a run with new weights."""
    return read_object(run_dir / START / RECORD)


def plain_record(value: dict[str, Any]) -> dict[str, Any]:
    """Return a record from somebody else with nothing but the fields and types of ours."""
    classes, earlier = (value.get(name) for name in ("classes", "earlier"))
    return {
        **_texts(value, ("id", "title", "data", "weights", *_BEGAN.values())),
        "classes": [str(each)[:MAX_TEXT] for each in _listed(classes)],
        "earlier": [
            _texts(each, ("id", "title", "weights"))
            for each in _listed(earlier)[:EARLIER]
            if isinstance(each, dict)
        ],
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: dict[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    return {name: str(value[name])[:MAX_TEXT] for name in names if name in value}


def describe(run_dir: Path) -> dict[str, Any] | None:
    """Return what a card says of the model that a run began with, or None for a run with new weights.

    The keys are id, title, data, weights (the SHA-256 of the generator's file), earlier, and once the run has
    begun `discriminator` ("loaded" or "anew") and `classes` ("loaded", "anew" or "none").
    """
    record = read_record(run_dir)
    if not record:
        return None
    names = ("id", "title", "data", "weights", "earlier")
    known: dict[str, Any] = {name: record[name] for name in names if name in record}
    return {**known, **{name: record[key] for name, key in _BEGAN.items() if key in record}}


# key of a card -> key of the record, which holds the names of the classes under "classes"
_BEGAN = {"discriminator": "discriminator", "classes": "conditioning"}


def note_beginning(run_dir: Path, discriminator: str, conditioning: str) -> None:
    """Add to the record what the run loaded: "loaded", "anew", or "none" if neither has classes."""
    write_json(
        run_dir / START / RECORD,
        {**read_record(run_dir), "discriminator": discriminator, "conditioning": conditioning},
    )
