"""The models that a new run can begin with: each generator on disk, with its discriminator if it has one."""

from pathlib import Path
from typing import Any

from gan.data import public_name
from gan.errors import UserError
from gan.files import read_object
from gan.latent.catalogue import CHECKPOINTS, Catalogue, Entry, find, read_model
from gan.runs.store import CHECKPOINTS as STATES
from gan.runs.store import default_root
from gan.train import origin
from gan.train.origin import DISCRIMINATOR, EARLIER, Origin

KINDS_OF_IDS = ("shipped", "run", "hub")  # what stands before the colon of an id


def find_origin(place: str) -> Origin:
    """Return the model with an id, in a directory, or shipped under a name. Raises UserError for none."""
    if place.partition(":")[0] in KINDS_OF_IDS:
        return origin_of(Catalogue(default_root(), CHECKPOINTS).entry(place))
    return origin_of(find(place))


def origin_of(entry: Entry) -> Origin:
    """Return what a run needs to begin with this generator. Raises UserError if its file is damaged."""
    folder = entry.weights.parent
    # A shipped or pulled model has a card, which was written when it was a run.
    settings = read_object(folder / "config.json")
    recipe = settings.get("recipe")
    return Origin(
        entry.id,
        entry.title,
        public_name(entry.data),
        recipe if isinstance(recipe, str) else None,
        read_model(entry.weights),
        entry.classes,
        entry.weights,
        _discriminator(folder),
        _earlier(folder),
    )


def _discriminator(folder: Path) -> Path | None:
    """Return the file that holds a model's D: its own, or the newest checkpoint of a run."""
    places = (folder / DISCRIMINATOR, *(folder / "state" / name for name in STATES))
    return next((path for path in places if path.is_file()), None)


def _earlier(folder: Path) -> tuple[dict[str, Any], ...]:
    """Return the models that this one began with, newest first."""
    before = origin.describe(folder) or read_object(folder / "card.json").get("started_from")
    if not isinstance(before, dict):
        return ()
    rest = before.get("earlier")
    listed = [before, *(rest if isinstance(rest, list) else [])]
    names = ("id", "title", "weights")
    return tuple(
        {name: str(one[name])[:200] for name in names if name in one}
        for one in listed[:EARLIER]
        if isinstance(one, dict)
    )


def bring(run_dir: Path, start_from: str) -> None:
    """Copy the model that a run's settings name into its directory, unless it is there already.

    Raises UserError if there is no such model.
    """
    if not origin.read_record(run_dir):
        try:
            found = find_origin(start_from)
        except UserError as error:
            raise UserError("start.gone", id=start_from) from error
        found.copy_to(run_dir)
