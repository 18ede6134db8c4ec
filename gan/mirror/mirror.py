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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gan.errors import UserError
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
from gan.mirror.fetching import fetch_files, fetch_manifest, path_of
from gan.mirror.remote import Remote, Source, open_remote
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
        self._digests: dict[tuple[int, int, int], str] = {}  # of files, by inode, time and size
        self._deleted: set[str] = set()
        self._error: UserError | None = None
        self._next, self._wait, self._ready = 0.0, every, False
        self._closing, self._lock = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._loop, name="mirror", daemon=True)

    def start(self) -> None:
        """Begin: restore what is missing here, then copy what changes."""
        self._thread.start()

    def close(self) -> None:
        """Copy the last changes, for at most CLOSING seconds. Call it after the runs have ended."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(CLOSING)

    def forget(self, run_id: str) -> None:
        """Delete a run from the mirror too, because a person deleted it here."""
        self._deleted.add(run_id)

    @property
    def fault(self) -> UserError | None:
        """The fault of the last attempt, or None."""
        return self._error

    def state(self) -> dict[str, Any]:
        """Return what pages show: the place, how many runs it holds, and the last fault or None."""
        error = self._error
        shown = error and error_json(error)
        return {"place": self.remote.place, "runs": len(self._manifests), "error": shown}

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
            self._mirrored.pop(run_id, None)

    # Restore

    def restore(self) -> list[str]:
        """Take in each run of the place that is missing here, and return their ids, newest first.

        A run that is damaged there is left out and named in the log.
        """
        listing = self.remote.listing(self.only or "")
        found = sorted({match["run"] for path in listing if (match := _PATH.fullmatch(path))}, reverse=True)
        self.store.root.mkdir(parents=True, exist_ok=True)
        here, taken = set(self.store.ids()), []
        for run_id in found:
            entry = listing.get(f"{run_id}/{MANIFEST}")
            if entry is None or not entry.size <= MAX_MANIFEST:
                continue
            folder = fresh_folder(self.store)
            try:
                manifest = fetch_manifest(self.remote, run_id, entry, folder)
                self._manifests[run_id] = manifest
                if run_id not in here:
                    fetch_files(self.remote, manifest, listing, folder)
                    taken.append(settle(self.store, folder, manifest))
            except UserError as error:
                if error.key in _OF_THE_PLACE:
                    raise
                self._manifests.pop(run_id, None)
                _log.error("the mirror's run %s: %s", run_id, error)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        return taken

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
        seen = self._signature(run_id, self.store.status(run_id)["state"])
        try:
            with writing():
                self._copy(run_id)
        except UserError as error:
            if error.key in _OF_THE_PLACE:
                raise
            if error.key == "mirror.restless":
                return
            if error.key != "mirror.no_checkpoint":
                _log.error("the run %s is not mirrored: %s", run_id, error)
        self._mirrored[run_id] = (time.monotonic(), *seen)

    def _signature(self, run_id: str, state: str) -> Signature:
        """Return what changes when a run has something new to copy."""
        times = []
        for name in (CHECKPOINT, names.FILE, "directions.json"):
            with contextlib.suppress(OSError):
                found = (self.store.root / run_id / name).stat()
                times.append((name, found.st_ino, found.st_mtime_ns))
        return (state, *times)

    def _copy(self, run_id: str) -> None:
        """Upload what is new of a run, then its manifest, and delete what the manifest no longer names."""
        folder = fresh_folder(self.store)
        try:
            captured = capture(self.store.path(run_id), folder)
            files = self._files(folder)
            manifest = Manifest(run_id, captured.step, files)
            paths = {path_of(run_id, name, file): folder / name for name, file in files.items()}
            before = self._manifests.get(run_id)
            old = {path_of(run_id, name, file) for name, file in before.files.items()} if before else set()
            if manifest != before:
                add: dict[str, Source] = {path: source for path, source in paths.items() if path not in old}
                last: dict[str, Source] = {f"{run_id}/{MANIFEST}": manifest.to_bytes()}
                self.remote.replace(add, last, sorted(old - paths.keys()))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self._manifests[run_id] = manifest

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
        """Delete a run's manifest and files from the place."""
        manifest = self._manifests.get(run_id)
        if manifest is not None:
            paths = [path_of(run_id, name, file) for name, file in manifest.files.items()]
            self.remote.replace({}, {}, [f"{run_id}/{MANIFEST}", *paths])
        self._manifests.pop(run_id, None)
        self._mirrored.pop(run_id, None)
        self._deleted.discard(run_id)


# faults of the place or of this server, not of one run
_OF_THE_PLACE = (
    "mirror.not_signed_in", "mirror.forbidden", "mirror.nowhere", "mirror.too_often", "mirror.offline",
    "mirror.refused", "runs.quota", "runs.too_many", "runs.queue_full", "runs.disk_full",
    "runs.cannot_write",
)  # fmt: skip
