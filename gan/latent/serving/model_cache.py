"""Open models for the page: a cheap list, and models that follow the files on disk.

Importing this module imports no torch.
"""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan.errors import UserError
from gan.latent.catalogue import Catalogue, Entry
from gan.latent.point import Point
from gan.latent.serving.fair_lock import FairLock
from gan.latent.serving.picture_cache import PictureCache
from gan.latent.snapshots import Snapshots

if TYPE_CHECKING:
    from gan.latent.generator import DirectionSlot, Model

# Memory for open models with their samples, enough for dozens of the usual size. MIN_OPEN models stay open
# regardless of their size.
OPEN_BYTES, MIN_OPEN = 2**28, 2
SLOTS = 256  # models whose directions are kept: a few KB each, against seconds to find them


class Explorer:
    """All models of a server. Thread-safe.

    The first `open` imports torch and sets its number of threads for this process. The default is one thread.
    A page generates single small images, and the trainer needs the other cores. private: see Catalogue.
    """

    def __init__(self, runs_root: Path, checkpoints_root: Path, threads: int = 1, private: bool = True):
        self._catalogue = Catalogue(runs_root, checkpoints_root, private=private)
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
        """The JSON list for GET models: shipped and pulled models, then runs with weights, newest first.

        The call reads no weights and waits for no image. A model has "unreadable": true if `open` failed on
        its current files.
        """
        broken = self._unreadable
        return [
            entry.to_json() | ({"unreadable": True} if broken.get(entry.id) == entry.version else {})
            for entry in self._catalogue.entries()
        ]

    def open(self, model_id: str) -> "Model":
        """The model "shipped:<name>", "run:<id>" or "hub:<owner>/<name>" with its current weights.

        It stays open until its weights change, its run ends, or more recent models need OPEN_BYTES. Loading
        one model blocks only requests for the same model. Raises UserError for an unknown id, a run without
        weights, and a file that is damaged or of another version.
        """
        model = self._there(self._catalogue.entry(model_id))
        if model is not None:
            return model
        with self._lock:
            loading = self._loading.setdefault(model_id, threading.Lock())
        with loading:
            entry = self._catalogue.entry(model_id)  # read again: another thread may have loaded it
            return self._there(entry) or self._load(entry)

    def forget(self, model_id: str) -> None:
        """Close a deleted model and drop its cached images."""
        with self._lock:
            model = self._open.pop(model_id, None)
            self._loading.pop(model_id, None)
            self._slots.pop(model_id, None)
            self._unreadable.pop(model_id, None)
            self._catalogue.forget(model_id)
        if model is not None:
            self._memory.forget(model.owner)

    def warm_up(self) -> None:
        """Import torch; make the first shipped model's sample grid and directions, so that no visitor waits
        for them.
        """
        self.prepare()
        for entry in self._catalogue.entries()[:1]:
            try:
                model = self.open(entry.id)
            except UserError:
                return
            model.wall(0)
            model.image(Point())
            model.directions()

    def prepare(self) -> None:
        """Import torch as this process needs it, before a handler uses torch without a model."""
        with self._lock:
            self._import_torch()

    def _there(self, entry: Entry) -> "Model | None":
        """The open model of an entry, if its version is current."""
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
        if before is not None:  # no request can reach its images any more
            self._memory.forget(before.owner)
        return model

    def _use(self, model: "Model") -> None:
        """Mark a model as most recently used, then close the least recently used ones beyond OPEN_BYTES.

        The sizes are added up each time, because sample banks grow.
        """
        self._open[model.entry.id] = model
        self._open.move_to_end(model.entry.id)
        held = sum(each.held for each in self._open.values())
        while held > OPEN_BYTES and len(self._open) > MIN_OPEN:
            held -= self._open.popitem(last=False)[1].held

    def _slot(self, entry: Entry) -> "DirectionSlot":
        """The slot for an entry's directions, new or kept.

        A live run keeps its directions until it has processed twice the images at which they were found. For
        any other model the directions depend on the weights alone, so they outlive the open model.
        """
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
        """Import torch once and set its threads before any server thread generates an image.

        A thread that has used torch keeps its initial number of torch threads.
        """
        if not self._torch_ready:
            import torch

            torch.set_num_threads(self._threads)
            self._torch_ready = True
