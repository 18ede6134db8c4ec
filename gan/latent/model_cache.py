"""What the page reads models through: a cheap list, and open models that follow the files on disk. Importing
this module imports no torch.
"""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan.errors import UserError
from gan.latent.catalogue import Catalogue, Entry
from gan.latent.fair_lock import FairLock
from gan.latent.picture_cache import PictureCache
from gan.latent.point import Point
from gan.latent.snapshots import Snapshots

if TYPE_CHECKING:
    from gan.latent.generator import DirectionSlot, Model

# of open models with their samples: dozens of the usual size; and how many stay open however large they are
OPEN_BYTES, LEAST = 2**28, 2
SLOTS = 256  # models whose directions are kept, open or not: some KB each, and seconds of work


class Explorer:
    """All models of a server, for any number of threads.

    The first model that is opened imports torch and sets its threads for this process: one by default, since
    a page draws single small pictures and the trainer beside it needs the other cores.
    """

    def __init__(self, runs_root: Path, checkpoints_root: Path, threads: int = 1):
        self._catalogue = Catalogue(runs_root, checkpoints_root)
        self._threads = threads
        self._torch_ready = False
        self._lock = threading.RLock()
        self._turns = FairLock()
        self.snapshots = Snapshots(runs_root, self._turns)
        self._memory = PictureCache()
        self._open: OrderedDict[str, Model] = OrderedDict()
        self._loading: dict[str, threading.Lock] = {}
        self._slots: OrderedDict[str, tuple[str, DirectionSlot]] = OrderedDict()
        self._unreadable: dict[str, str] = {}

    def models(self) -> list[dict[str, Any]]:
        """What can be opened, in the form of GET models: shipped checkpoints, then runs that have pictures,
        the newest first. Never waits for a picture, and opens no file: those that could not be read when
        somebody opened them, and are as they were, are `unreadable`."""
        broken = self._unreadable
        return [
            entry.to_json() | ({"unreadable": True} if broken.get(entry.id) == entry.version else {})
            for entry in self._catalogue.entries()
        ]

    def open(self, model_id: str) -> "Model":
        """The model of an id "shipped:<name>" or "run:<id>", as its files are now.

        It stays open until its weights change, its run ends, or others that were used since take OPEN_BYTES.
        One that is read from the disk holds up nobody but those who want the same one. Raises UserError for
        an unknown id, a run without pictures yet, and a damaged file or one of another version.
        """
        model = self._there(self._catalogue.entry(model_id))
        if model is not None:
            return model
        with self._lock:
            loading = self._loading.setdefault(model_id, threading.Lock())
        with loading:
            entry = self._catalogue.entry(model_id)  # as it is now: another thread may have read it meanwhile
            return self._there(entry) or self._load(entry)

    def forget(self, model_id: str) -> None:
        """Let go of a model that was deleted."""
        with self._lock:
            model = self._open.pop(model_id, None)
            self._loading.pop(model_id, None)
            self._slots.pop(model_id, None)
            self._unreadable.pop(model_id, None)
            self._catalogue.forget(model_id)
        if model is not None:
            self._memory.forget(model.owner)

    def warm_up(self) -> None:
        """Import torch and make the first shipped model's wall and directions, so that the first visitor need
        not wait.
        """
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

    def _there(self, entry: Entry) -> "Model | None":
        """The open model of an entry, where it is still the same."""
        with self._lock:
            model = self._open.get(entry.id)
            if model is None or model.version != entry.version:
                return None
            self._use(model)
            return model

    def _load(self, entry: Entry) -> "Model":
        with self._lock:
            self._import_torch()
            slot = self._slot(entry)
        from gan.latent.generator import Model

        try:
            model = Model(entry, slot, self._turns, self._memory)
        except UserError:
            self._unreadable[entry.id] = entry.version
            raise
        with self._lock:
            before = self._open.get(entry.id)
            self._use(model)
        if before is not None:  # nobody will ask for its pictures again
            self._memory.forget(before.owner)
        return model

    def _use(self, model: "Model") -> None:
        """Make a model the one that was used last, and close those that were used longest ago where all take
        too much: their samples may have grown since.
        """
        self._open[model.entry.id] = model
        self._open.move_to_end(model.entry.id)
        held = sum(each.held for each in self._open.values())
        while held > OPEN_BYTES and len(self._open) > LEAST:
            held -= self._open.popitem(last=False)[1].held

    def _slot(self, entry: Entry) -> "DirectionSlot":
        """A live run keeps its directions until it has seen twice the images that they were found at; any
        other model has those of its weights alone, which outlive its being closed."""
        from gan.latent.generator import DirectionSlot

        name = "live" if entry.live else entry.version
        known, slot = self._slots.pop(entry.id, ("", None))
        if (
            slot is None
            or known != name
            or (entry.live and slot.values and entry.images >= 2 * max(1, slot.images))
        ):
            slot = DirectionSlot()
        self._slots[entry.id] = name, slot
        while len(self._slots) > SLOTS:
            self._slots.popitem(last=False)
        return slot

    def _import_torch(self) -> None:
        """Import torch once and set its threads before any thread of the server draws a picture: one that has
        keeps the number it began with.
        """
        if not self._torch_ready:
            import torch

            torch.set_num_threads(self._threads)
            self._torch_ready = True
