"""A run's past: its snapshots, and one point drawn by the generators of many steps. Importing this module
imports no torch.
"""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from gan.errors import UserError
from gan.files import read_object
from gan.latent.catalogue import MODEL_ID, read_model, read_run, stamp
from gan.latent.fair_lock import FairLock
from gan.latent.point import Point, placed, whole

if TYPE_CHECKING:
    import torch

    from gan.latent.generator import Model

MOST, MOST_PICTURES = 40, 128  # snapshots, of which a run keeps 32, and pictures in one sheet
KNOWN_RUNS = 64  # whose snapshots are not looked at again until one comes or goes
REACH = 3  # standard deviations to both sides of an axis
# of all open snapshots together: 128 MB in float32, the snapshots of three or four runs of the usual size
KEPT_NUMBERS = 2**25
MAX_STEP = 10**12


class Snapshots:
    """The snapshots of all runs under a directory, for any number of threads.

    The generators that were used last stay open, as many as KEPT_NUMBERS allows, apart from the models that
    everybody else looks at. `turns` are those of the explorer, so that a slider elsewhere waits for four
    pictures of a past and not for all of it.
    """

    def __init__(self, runs_root: Path, turns: FairLock):
        self._root, self._turns = Path(runs_root), turns
        self._open: OrderedDict[tuple[str, str], tuple[Model, int]] = OrderedDict()
        self._lock = threading.Lock()
        self._sound_steps: OrderedDict[str, tuple[str, list[int]]] = OrderedDict()

    def known(self, model_id: str) -> list[dict[str, int]]:
        """The snapshots of a run, [{"step", "images"}] from the first to the last; those that can't be read
        are left out, and what ships has none.

        `images` is how many the run had been shown by then. Raises UserError for what is no id of a run that
        there is, or of a model that ships.
        """
        folder = self._folder(model_id)
        if folder is None:
            return []
        status = read_object(folder / "status.json")
        steps, images = status.get("step"), status.get("images")
        if not (isinstance(steps, int) and isinstance(images, int) and steps > 0):
            steps = images = 1
        # each step is shown as many
        return [{"step": step, "images": step * images // steps} for step in self._sound(folder)]

    def _sound(self, folder: Path) -> list[int]:
        """The steps of the snapshots whose headers can be read."""
        state = stamp(folder / "snapshots")  # changes with every file that comes or goes
        known = self._sound_steps.pop(folder.name, None)
        if known is None or known[0] != state:
            known = state, [step for step in _steps(folder) if _readable(_file(folder, step))]
        self._sound_steps[folder.name] = known
        while len(self._sound_steps) > KNOWN_RUNS:
            self._sound_steps.popitem(last=False)
        return known[1]

    def pictures(self, newest: "Model", steps: list[int], points: list[Point]) -> "torch.Tensor":
        """The points as the generators of these steps draw them: uint8 (len(steps) * len(points), C, H, W),
        step by step.

        Directions are those of `newest`, the model of the same run as it is now, so that a slider means the
        same at every step, and so does a unit's number. Raises UserError for a snapshot that was thinned out
        meanwhile or can't be read, and for a unit that there is not.
        """
        import torch

        classes = newest.spec.num_classes
        same = [
            Point(
                point.seed,
                label=point.class_label(classes),
                at=tuple(newest.latent(point).tolist()),
                other=point.other,
                share=point.share,
                units=point.units,
            )
            for point in points
        ]
        return torch.cat([self._model(newest, step).pictures(same) for step in steps])

    def sheet(self, newest: "Model", steps: list[int], points: list[Point]) -> bytes:
        """PNG of `pictures`: a row for each step, a column for each point. Raises UserError as it does, and
        for more than MOST_PICTURES.
        """
        from gan.images import encode_png, grid

        if len(steps) * len(points) > MOST_PICTURES:
            raise UserError(
                "latent.too_many", name="steps", count=len(steps), max=MOST_PICTURES // len(points)
            )
        key = (
            "past",
            tuple(steps),
            tuple(stamp(_file(self._root / _name(newest), step)) for step in steps),
            tuple(points),
        )
        return newest.remember(
            key, lambda: encode_png(grid(self.pictures(newest, steps, points), len(points)))
        )

    def _model(self, newest: "Model", step: int) -> "Model":
        from gan.latent.generator import Model
        from gan.models import count_parameters

        folder, name = self._root / _name(newest), newest.entry.id
        path = _file(folder, step)
        key = (str(path), stamp(path))
        with self._lock:  # one is read from the disk at a time: many ask for the same ones
            model, numbers = self._open.pop(key, None) or (None, 0)
            if model is None:
                try:
                    model = Model(read_run(name, folder, path), turns=self._turns)
                except UserError as error:
                    raise self._lost(name, folder, step) from error
                numbers = count_parameters(model.generator)
            self._open[key] = model, numbers
            while sum(each for _, each in self._open.values()) > KEPT_NUMBERS and len(self._open) > 1:
                self._open.popitem(last=False)
        if model.spec != newest.spec:
            raise UserError("latent.bad_snapshot", step=step, place=name)
        return model

    @staticmethod
    def _lost(name: str, folder: Path, step: int) -> UserError:
        """Why a snapshot could not be opened."""
        if _file(folder, step).exists():
            return UserError("latent.bad_snapshot", step=step, place=name)
        return UserError(
            "latent.unknown_snapshot",
            step=step,
            place=name,
            choices=", ".join(map(str, _steps(folder))) or "none",
        )

    def _folder(self, model_id: str) -> Path | None:
        """The directory of a run; None for a model that ships. Raises UserError."""
        match = MODEL_ID.fullmatch(model_id)
        if match is not None and match[1] == "shipped":
            return None
        if match is None or not (self._root / match[2]).is_dir():
            raise UserError("latent.unknown_model", name=model_id[:120])
        return self._root / match[2]


def parse_steps(text: str) -> list[int]:
    """The steps in a query, with commas between. Raises UserError for none, too many, or what is no step."""
    if text.count(",") >= MOST:
        raise UserError("latent.too_many", name="steps", count=text.count(",") + 1, max=MOST)
    return [whole(step, "steps", 0, MAX_STEP) for step in text.split(",")]


def axis(point: Point, name: str) -> list[Point]:
    """A point with the slider of the direction of this id at each whole number from -REACH to REACH."""
    return [placed(point, name, float(amount)) for amount in range(-REACH, REACH + 1)]


def _name(model: "Model") -> str:
    return model.entry.id.partition(":")[2]


def _file(folder: Path, step: int) -> Path:
    return folder / "snapshots" / f"{step:08d}.safetensors"


def _steps(folder: Path) -> list[int]:
    return sorted(
        int(path.stem)
        for path in (folder / "snapshots").glob("*.safetensors")
        if path.stem.isascii() and path.stem.isdigit()
    )


def _readable(path: Path) -> bool:
    try:
        read_model(path)
    except UserError:
        return False
    return True
