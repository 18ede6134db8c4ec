"""What the page reads models through: a cheap list, and open models that follow the files on disk. Importing this module imports no torch."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan.errors import UserError
from gan.latent.catalogue import Catalogue, Entry
from gan.latent.point import Point
from gan.latent.snapshots import Snapshots
from gan.latent.turns import Turns

if TYPE_CHECKING:
    from gan.latent.model import DirectionSlot, Model

OPEN_MODELS = 6


class Explorer:
    """All models of a server, for any number of threads.

    The first model that is opened imports torch and sets its threads for this process: one by default, since a page draws single small pictures and
    the trainer beside it needs the other cores.
    """

    def __init__(self, runs_root: Path, checkpoints_root: Path, threads: int = 1):
        self._catalogue = Catalogue(runs_root, checkpoints_root)
        self._threads = threads
        self._torch_ready = False
        self._lock = threading.RLock()
        self._turns = Turns()
        self.snapshots = Snapshots(runs_root, self._turns)
        self._open: OrderedDict[str, Model] = OrderedDict()
        self._live_slots: dict[str, DirectionSlot] = {}

    def models(self) -> list[dict[str, Any]]:
        """What can be opened, in the form of GET models: shipped checkpoints, then runs that have pictures, the newest first. Never waits for a picture."""
        return [entry.to_json() for entry in self._catalogue.entries()]

    def open(self, model_id: str) -> "Model":
        """The model of an id "shipped:<name>" or "run:<id>", as its files are now.

        It stays open until its weights change, its run ends, or OPEN_MODELS others were used since. Raises UserError for an unknown id, a run without
        pictures yet, and a damaged file or one of another version.
        """
        entry = self._catalogue.entry(model_id)
        with self._lock:
            model = self._open.pop(model_id, None)
            if model is None or model.version != entry.version:
                model = self._load(entry)
            self._open[model_id] = model
            while len(self._open) > OPEN_MODELS:
                self._open.popitem(last=False)
            return model

    def forget(self, model_id: str) -> None:
        """Let go of a model that was deleted."""
        with self._lock:
            self._open.pop(model_id, None)
            self._live_slots.pop(model_id, None)
            self._catalogue.forget(model_id)

    def warm_up(self) -> None:
        """Import torch and make the first shipped model's wall and directions, so that the first visitor need not wait."""
        with self._lock:
            self._import_torch()
        for entry in self._catalogue.entries()[:1]:
            try:
                model = self.open(entry.id)
            except UserError:
                return
            model.wall(0)
            model.image(Point())
            model.directions()

    def _load(self, entry: Entry) -> "Model":
        self._import_torch()
        from gan.latent.model import Model

        return Model(entry, self._slot(entry), self._turns)

    def _slot(self, entry: Entry) -> "DirectionSlot":
        """A live run keeps its directions until it has seen twice the images that they were found at; any other model has its own, so that its
        pictures are a function of its weights alone."""
        from gan.latent.model import DirectionSlot

        if not entry.live:
            self._live_slots.pop(entry.id, None)
            return DirectionSlot()
        slot = self._live_slots.get(entry.id)
        if slot is None or (slot.values and entry.images >= 2 * max(1, slot.images)):
            slot = self._live_slots[entry.id] = DirectionSlot()
        return slot

    def _import_torch(self) -> None:
        """Import torch once and set its threads before any thread of the server draws a picture: one that has keeps the number it began with."""
        if not self._torch_ready:
            import torch

            torch.set_num_threads(self._threads)
            self._torch_ready = True
