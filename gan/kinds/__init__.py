"""The kinds of runs. A kind brings its settings, data, trainer and sample sheet; see README.md.

The worker, the run store and the terminal know kinds only through KINDS. A kind is a package with the
functions of `Kind`; it imports no torch, because the server reads configs at its start. What needs torch is
in its engine module.
"""

import importlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gan.config import Settings

if TYPE_CHECKING:
    import torch
    from torch import nn

    from gan.device import Device
    from gan.train.actions import Action
    from gan.train.parallel.team import Team

KINDS = {"images": "gan.kinds.images", "points": "gan.kinds.points"}
DEFAULT = "images"  # the kind of a new run, if nobody says otherwise
RECORD = "data.json"  # the file in a run's directory that records what the run learns from


def get_kind(name: str) -> "Kind":
    """Return the kind of this name in KINDS. Raises KeyError for another name."""
    return importlib.import_module(KINDS[name])


def parse_config(value: Any) -> Settings:
    """Return the config in a parsed config.json, of the kind that it names.

    Raises UserError for an unknown or missing kind, and for a missing, unknown or impossible field.
    """
    name = value.get("kind") if isinstance(value, dict) else None
    known = name if isinstance(name, str) and name in KINDS else DEFAULT
    return get_kind(known).Config.from_json(value)  # which refuses a name that is unknown


class Sheet(NamedTuple):
    """A sample sheet: an encoded picture, and the scores of the samples on it.

    scores: a number for each name in the trainer's SCORES, or None if it is undefined. They go into the
    statistics. The run directory, the store and the page expect WebP so far.
    """

    data: bytes
    scores: dict[str, float | None]
    media_type: str = "image/webp"


class Trainer(Protocol):
    """A run in memory, as the worker drives it. It reads no clock and touches no file."""

    SCORES: tuple[str, ...]  # names of the scores of a Sheet
    device: "torch.device"
    G: "nn.Module"
    D: "nn.Module"
    classes: tuple[str, ...]  # names, in label order; empty without conditioning
    step: int
    total_images: float  # the budget, possibly a forecast; infinity if unknown
    actions: "list[Action]"  # changes of settings while the run trains
    lr_factor: float  # multiplies the learning rates; the worker halves it after each divergence
    held_out: int  # real examples that it never trains on
    modes: int | None  # of the data, if known; the score `modes` of a Sheet counts the covered ones
    parts: int  # micro-batches per batch and rank
    splits: int  # micro-batches per batch, of all ranks of a team; setting it sets parts

    @property
    def images_seen(self) -> int:
        """Real examples that D has seen, images or points: the counter behind all schedules."""
        ...

    @property
    def progress(self) -> float:
        """Fraction of the budget used, in [0, 1]."""
        ...

    def advance(self, steps: int) -> dict[str, float]:
        """Take steps, and return running means under the names of gan.train.trainer.METRICS."""
        ...

    def healthy(self) -> bool:
        """Return whether the whole state is finite and no statistic has exploded."""
        ...

    def state(self) -> "dict[str, torch.Tensor]":
        """Return all tensors that the next step depends on, by name.

        With step, total_images, lr_factor and splits, they are all that exact resumption needs.
        """
        ...

    def load(self, tensors: "dict[str, torch.Tensor]") -> None:
        """Restore what `state` returned. Raises RuntimeError, KeyError or ValueError on a misfit."""
        ...

    def reset_step_state(self) -> None:
        """Drop gradients and optimizer state, also those of a step that failed half-way."""
        ...

    def break_off(self) -> None:
        """After an error in `advance`, let the other ranks of a team finish theirs, with NaN."""
        ...

    def sample_sheet(self) -> Sheet:
        """Draw samples of the run's fixed latents from the averaged generator."""
        ...

    def measure(self) -> dict[str, float | None]:
        """Return signals by their names: numbers that are dearer than those of a step, for the statistics.

        It changes nothing that the next step depends on.
        """
        ...

    def eyes(self, anew: bool = False) -> dict[str, Any] | None:
        """Return what D made of real examples and samples at the last measurement, for a file of the run.

        anew: let D judge them now. None for a kind without it, and where nothing has been measured.
        """
        ...

    def real_sheet(self) -> bytes | None:
        """Return a picture (WebP) of some examples that it trains on; None where every sheet has them."""
        ...

    def published(self) -> bytes:
        """Return the averaged generator as a safetensors file, which live.safetensors and snapshots hold."""
        ...


class Record(Protocol):
    """What a run learns from, so that it notices a change when it resumes."""

    def short(self) -> dict[str, Any]:
        """Return the part that each checkpoint holds."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return the whole record, the form of RECORD."""
        ...


class Recognised(NamedTuple):
    """The data in the order in which the run began with it, its record, and events (key, values) to note."""

    data: Any
    record: Record
    events: list[tuple[str, dict[str, Any]]]


class Engine(Protocol):
    """The module of a kind that needs torch. Its data may have any type."""

    def choose_device(self, picked: "Device", began: Any) -> "Device":
        """Return the device to train on: as in the checkpoint's entry `began`, else the fastest.

        picked: the GPU if there is one, else the CPU.
        """
        ...

    def load(self, config: Settings) -> Any:
        """Return the data of a config. Raises UserError if it can't be read."""
        ...

    def check(self, config: Settings, data: Any) -> None:
        """Raise UserError if a run with these settings can't learn from the data."""
        ...

    def recognise(
        self, config: Settings, data: Any, run_dir: Path, saved: dict[str, Any] | None
    ) -> Recognised:
        """Compare the data with the run's record. saved: a checkpoint's counters; None if the run begins.

        Raises Unharmed if the data is other than before, and UserError as `check` does.
        """
        ...

    def begin(
        self, trainer: Trainer, config: Settings, run_dir: Path
    ) -> Iterable[tuple[str, dict[str, Any]]]:
        """Load the model that a new run starts from, if any, and return events (key, values) about it."""
        ...

    def remarks(self, data: Any) -> Iterable[tuple[str, dict[str, Any]]]:
        """Return events (key, values) for the faults of a new run's data."""
        ...

    def build(self, config: Settings, data: Any, device: "Device", team: "Team") -> Trainer:
        """Return a trainer at step 0, of one rank of a team. Raises UserError as `check` does."""
        ...

    def first_step_seconds(self, config: Settings, data: Any) -> float:
        """Estimate the seconds of the first step; 0 if it is short or unknown."""
        ...

    def warm_up(self) -> None:
        """Import everything and take one tiny step, so that the next run starts at once."""
        ...


class Kind(Protocol):
    """A package in KINDS. It imports no torch."""

    Config: type[
        Any
    ]  # a Settings with the fields data, recipe, minutes, batch, d_steps, loss, penalty and seed
    RECIPES: Mapping[str, Mapping[str, Any]]
    SHEET_SECONDS: float  # between two sample sheets, at least

    def find(self, name: str) -> str:
        """Return the name of a data set, or the absolute path of a user's own. Raises UserError."""
        ...

    def is_named(self, name: str) -> bool:
        """Return whether this is the name of a data set, which every machine has, and no path."""
        ...

    def locate(self, run_dir: Path, name: str, began: bool = True) -> str:
        """Return where the data of an existing run is now. Raises UserError if it is gone."""
        ...

    def plan(self, name: str, recipe: str, settings: dict[str, Any], tell: Callable[[str], None]) -> Any:
        """Return the config of a new run from the terminal, after a look at its data.

        name: as `find` returns it. tell: receives remarks for the person, in sentences. Raises UserError.
        """
        ...

    def load_engine(self) -> Engine:
        """Import and return the module that needs torch."""
        ...
