"""Mirror the runs of a server to a place on the Hub, and restore them at the next start.

A thread of the server copies each run as it is at its newest checkpoint, never the live directory. Files in
the mirror carry a part of their digest in the name, so none is ever overwritten. A run's manifest is uploaded
last and names the files that belong together. A fault of the network disturbs no training: the thread tries
again later, and the page names the fault.
"""

import contextlib
import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gan.errors import UserError
from gan.export.event_file import FILE, FOLDER
from gan.mirror import deletions
from gan.mirror.arrival import fresh_folder, settle
from gan.mirror.capture import capture
from gan.mirror.contents import (
    CHECKPOINT,
    ID,
    MANIFEST,
    MAX_MANIFEST,
    File,
    Manifest,
    digest,
)  # fmt: skip
from gan.mirror.fetching import fetch_files, fetch_manifest, path_of, stored
from gan.mirror.remote import Entry, Remote, Source, open_remote
from gan.runs import names
from gan.runs.disk import writing
from gan.runs.store import LIVE, Store, error_json

VARIABLE, TOKEN = "GANARIUM_MIRROR", "HF_TOKEN"
EVERY = 15.0  # seconds between two copies of a run that trains
LOOK = 1.0  # seconds between two looks for a run that has ended
LONGEST = 300.0  # seconds between two attempts while the Hub can't be reached
CLOSING = 20.0  # seconds for the last copies when the server ends
_PATH = re.compile(r"(?P<run>[a-z0-9][a-z0-9-]{0,89})/(?P<name>.+)")
_log = logging.getLogger(__name__)

Signature = tuple[Any, ...]


def find_remote() -> Remote | None:
    """Return the place that $GANARIUM_MIRROR names, or None without it.

    The token is taken out of the environment, because workers inherit that. Raises UserError for a place that
    is none, and without a token.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    token = os.environ.pop(TOKEN, "").strip()
    if not token:
        raise UserError("mirror.no_token", variable=TOKEN)
    return open_remote(text, token)


class Mirror:
    """The mirror of a store at a place. `start` begins its thread; any thread may call the other methods.

    only: the id of the one run that is restored and copied, None for all. Runs that train in a job are left
    out, because the job mirrors them. Runs of a Space's visitors are left out too: strangers must not fill
    the owner's storage, and without their mark they would come back as the owner's.
    """

    def __init__(
        self, store: Store, remote: Remote, every: float = EVERY, look: float = LOOK, only: str | None = None
    ):
        self.store, self.remote, self._every, self._look = store, remote, every, look
        self.only = only
        self.on_restored: Callable[[], None] = lambda: None  # called before the first copy
        self._mirrored: dict[str, Signature] = {}  # runs as last copied
        self._manifests: dict[str, Manifest] = {}  # runs that the place holds whole
        # Path and size of a run's files at the place. A run is missing here while that is uncertain.
        self._held: dict[str, dict[str, int]] = {}
        self._faults: dict[str, UserError] = {}  # why runs can't be mirrored as they are
        self._lost: dict[str, UserError] = {}  # why runs of the place could not be restored
        self._digests: dict[tuple[int, int, int], str] = {}  # of files, by inode, time and size
        self._deleted: set[str] = set()
        self._error: UserError | None = None
        self._next, self._wait, self._ready = 0.0, every, False
        self._closing, self._lock = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._loop, name="mirror", daemon=True)

    def start(self) -> None:
        """Begin: restore what is missing here, then copy what changes."""
        self._thread.start()

    def close(self, patient: bool = False) -> None:
        """Copy the last changes. Call it after the runs have ended.

        It takes at most CLOSING seconds; with `patient` there is no limit.
        """
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(None if patient else CLOSING)

    @contextlib.contextmanager
    def deleting(self, run_id: str) -> Iterator[None]:
        """Delete a run from the mirror too, if the block deletes it here. Raises UserError for no run."""
        self.store.path(run_id)
        with writing():
            deletions.remember(self.store.root, run_id)
        try:
            yield
        except BaseException:
            if run_id not in self._deleted:
                deletions.forget(self.store.root, run_id)
            raise
        self._deleted.add(run_id)

    @property
    def fault(self) -> UserError | None:
        """The fault of the last attempt, or None."""
        return self._error

    def step_of(self, run_id: str) -> int:
        """Return the step of the checkpoint that the place holds of a run, -1 for none."""
        manifest = self._manifests.get(run_id)
        return -1 if manifest is None else manifest.step

    def fault_of(self, run_id: str) -> UserError | None:
        """Return why a run can't be mirrored as it is, or None. The place may hold an older checkpoint."""
        return self._faults.get(run_id)

    def state(self) -> dict[str, Any]:
        """Return what pages show.

        That is the place, how many runs it holds, the last fault or None, how many runs can't be mirrored,
        and why which runs of the place could not be restored.
        """
        error, lost = self._error, dict(self._lost)
        return {
            "place": self.remote.place,
            "runs": len(self._manifests),
            "error": error and error_json(error),
            "left_out": len(self._faults),
            "lost": {run_id: error_json(why) for run_id, why in sorted(lost.items())},
        }

    def _loop(self) -> None:
        while not self._closing.wait(self._look):
            if time.monotonic() >= self._next:
                self._attempt()
        self._next = 0.0
        self._attempt()

    def _attempt(self) -> None:
        """Do what is due. After a fault, wait twice as long each time."""
        try:
            self.work()
        except Exception as error:
            told = error if isinstance(error, UserError) else UserError("mirror.defect")
            if str(told) != str(self._error):
                _log.error("the mirror: %s", told, exc_info=None if told is error else error)
            self._error = told
            self._next, self._wait = time.monotonic() + self._wait, min(2 * self._wait, LONGEST)
        else:
            self._error, self._wait = None, self._every

    def work(self) -> None:
        """Restore once, then delete and copy what changed. Raises UserError for a fault."""
        self.prepare()
        with self._lock:
            for run_id in sorted(self._deleted):
                self._remove(run_id)
            for run_id in self._due():
                self._try_to_copy(run_id)

    def prepare(self) -> None:
        """Create the place and restore, unless that is done. Raises UserError for a fault."""
        with self._lock:
            if not self._ready:
                self._remember_deletions()
                self.remote.create()
                self.restore()
                self.on_restored()
                self._ready = True

    def copy_now(self, run_id: str) -> None:
        """Copy a run at once, and return when the place holds it. Raises UserError for a fault."""
        with self._lock, writing():
            self._copy(run_id)

    def know(self, run_id: str, manifest: Manifest | None) -> None:
        """Note what the place holds of a run, because a job has changed it there."""
        with self._lock:
            if manifest is not None:
                self._manifests[run_id] = manifest
            for known in (self._mirrored, self._held):
                known.pop(run_id, None)

    def _remember_deletions(self) -> None:
        """Go on with the deletions that an earlier server had begun. A run that is here was not deleted."""
        if self.only is not None:
            return
        here = set(self.store.ids()) if self.store.root.exists() else set()
        for run_id in deletions.remembered(self.store.root):
            if run_id in here:
                deletions.forget(self.store.root, run_id)
            else:
                self._deleted.add(run_id)

    # Restore

    def restore(self) -> list[str]:
        """Take in each run of the place that is missing here, and return their ids, newest first.

        A run that is damaged there is left out; log and pages name it. Files of a run without a manifest are
        deleted: a server was killed during its first copy of that run, and then lost it.
        """
        listing = self.remote.listing(self.only or "")
        found = sorted({match["run"] for path in listing if (match := _PATH.fullmatch(path))}, reverse=True)
        self.store.root.mkdir(parents=True, exist_ok=True)
        self._lost.clear()
        here, taken = set(self.store.ids()), []
        for run_id in found:
            if run_id in self._deleted:
                continue
            entry = listing.get(f"{run_id}/{MANIFEST}")
            if entry is None:
                self._drop_rest(run_id, listing, run_id in here)
                continue
            try:
                if self._take(run_id, entry, listing, run_id not in here):
                    taken.append(run_id)
            except UserError as error:
                if error.key in _OF_THE_PLACE:
                    raise
                self._manifests.pop(run_id, None)
                if run_id not in here:
                    self._lost[run_id] = error
                _log.error("the mirror's run %s: %s", run_id, error)
        return taken

    def _take(self, run_id: str, entry: Entry, listing: dict[str, Entry], missing: bool) -> bool:
        """Read the manifest of a run at the place, and restore the run if it is missing. Returns whether."""
        folder = fresh_folder(self.store)
        try:
            if entry.size > MAX_MANIFEST:
                raise UserError("mirror.damaged", name=MANIFEST)
            manifest = fetch_manifest(self.remote, run_id, entry, folder)
            held = stored(listing, run_id)
            self._manifests[run_id], self._held[run_id] = manifest, held
            if not missing:
                return False
            fetch_files(self.remote, manifest, listing, folder)
            restored = settle(self.store, folder, manifest, self.remote.place if self.only is None else "")
            if restored == run_id and len(held) == len(manifest.files):  # nothing to copy or to delete
                seen = self._signature(run_id, self.store.status(run_id)["state"])
                self._mirrored[run_id] = (time.monotonic(), *seen)
            return True
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _drop_rest(self, run_id: str, listing: dict[str, Entry], here: bool) -> None:
        """Delete a run's files without a manifest, unless the run is here, or in a job that may copy it."""
        rest = stored(listing, run_id)
        everything = sum(path.startswith(f"{run_id}/") for path in listing)
        if rest and not here and self.only is None and len(rest) == everything:
            self.remote.replace({}, {}, sorted(rest))

    # Copy

    def _due(self) -> list[str]:
        """Return the runs to copy now: those that ended at once, those that train every few seconds."""
        now, due = time.monotonic(), []
        for summary in self.store.list():
            run_id = summary["id"]
            seen = self._signature(run_id, summary["state"])
            before = self._mirrored.get(run_id)
            if not ID.fullmatch(run_id) or run_id in self._deleted or (before and before[1:] == seen):
                continue
            if summary["where"] or self.only not in (None, run_id) or self._is_visitors(run_id):
                continue
            lately = before is not None and now < before[0] + self._every
            if summary["state"] in LIVE and lately and not self._closing.is_set():
                continue
            due.append(run_id)
        return due

    def _is_visitors(self, run_id: str) -> bool:
        """Return whether a visitor started a run, or somebody has just deleted it."""
        try:
            return bool(self.store.visitor(run_id))
        except UserError:
            return True

    def _try_to_copy(self, run_id: str) -> None:
        """Copy a run. One that can't be copied now waits until it changes. Raises UserError for the place."""
        try:
            seen = self._signature(run_id, self.store.status(run_id)["state"])
            with writing():
                self._copy(run_id)
        except UserError as error:
            if run_id not in self.store.ids():  # deleted meanwhile
                return
            if error.key in _OF_THE_PLACE:
                raise
            if error.key == "mirror.restless":
                return
            if error.key != "mirror.no_checkpoint":
                self._faults[run_id] = error
                _log.error("the run %s is not mirrored: %s", run_id, error)
        else:
            self._faults.pop(run_id, None)
        self._mirrored[run_id] = (time.monotonic(), *seen)

    def _signature(self, run_id: str, state: str) -> Signature:
        """Return what changes when a run has something new to copy."""
        times = []
        for name in (CHECKPOINT, names.FILE, "directions.json", f"{FOLDER}/{FILE}"):
            with contextlib.suppress(OSError):
                found = (self.store.root / run_id / name).stat()
                times.append((name, found.st_ino, found.st_mtime_ns))
        return (state, *times)

    def _copy(self, run_id: str) -> None:
        """Upload what is new of a run, then its manifest, and delete what the manifest does not name.

        An upload that is cut off leaves files that no manifest names. So the place is asked what it holds,
        unless the last copy from here went through.
        """
        folder = fresh_folder(self.store)
        try:
            captured = capture(self.store.path(run_id), folder)
            files = self._files(folder)
            manifest = Manifest(run_id, captured.step, files)
            paths = {path_of(run_id, name, file): folder / name for name, file in files.items()}
            sizes = {path_of(run_id, name, file): file.size for name, file in files.items()}
            held = self._held.pop(run_id, None)
            if held is None:
                held = stored(self.remote.listing(run_id), run_id)
            add: dict[str, Source] = {
                path: source for path, source in paths.items() if held.get(path) != sizes[path]
            }
            last: dict[str, Source] = {f"{run_id}/{MANIFEST}": manifest.to_bytes()}
            gone = sorted(held.keys() - paths.keys())
            if add or gone or manifest != self._manifests.get(run_id):
                self.remote.replace(add, last, gone)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self._manifests[run_id], self._held[run_id] = manifest, sizes

    def _files(self, folder: Path) -> dict[str, File]:
        """Return the files of a captured run. A linked file keeps its inode, so its digest is known."""
        files, known = {}, {}
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            found = path.stat()
            mark = (found.st_ino, found.st_mtime_ns, found.st_size)
            sha = (self._digests.get(mark) if found.st_nlink > 1 else None) or digest(path)
            if found.st_nlink > 1:
                known[mark] = sha
            files[path.relative_to(folder).as_posix()] = File(found.st_size, sha)
        self._digests |= known
        while len(self._digests) > 20_000:
            del self._digests[next(iter(self._digests))]
        return files

    def _remove(self, run_id: str) -> None:
        """Delete everything of a run from the place, its manifest first."""
        manifest = f"{run_id}/{MANIFEST}"
        paths = sorted(self.remote.listing(run_id), key=lambda path: (path != manifest, path))
        if paths:
            self.remote.replace({}, {}, paths)
        for known in (self._manifests, self._mirrored, self._held, self._faults):
            known.pop(run_id, None)
        self._deleted.discard(run_id)
        with writing():
            deletions.forget(self.store.root, run_id)


# faults of the place or of this server, not of one run
_OF_THE_PLACE = (
    "mirror.not_signed_in", "mirror.forbidden", "mirror.nowhere", "mirror.too_often", "mirror.offline",
    "mirror.refused", "runs.quota", "runs.too_many", "runs.queue_full", "runs.disk_full",
    "runs.cannot_write",
)  # fmt: skip
