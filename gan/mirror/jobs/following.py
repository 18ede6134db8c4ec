"""Bring what a job has mirrored into the directory of its run here, so that pages show it as a local run."""

import os
import shutil
from pathlib import Path
from typing import Any

from gan.export.event_file import FILE, FOLDER
from gan.mirror.arrival import check, fresh_folder
from gan.mirror.capture import LIVE, link
from gan.mirror.contents import CHECKPOINT, MANIFEST, MAX_MANIFEST, Manifest
from gan.mirror.fetching import fetch_files, fetch_manifest
from gan.mirror.remote import Remote
from gan.runs.store import Store

_FOLDERS = ("samples", "snapshots")
# The checkpoint is last: a run that resumes here never finds less than its checkpoint needs.
_FILES = ("data.json", LIVE, "stats.jsonl", "events.jsonl", f"{FOLDER}/{FILE}", CHECKPOINT)
_NEVER_REWRITTEN = ("samples/", "snapshots/", "state/", LIVE)


def bring(
    remote: Remote, store: Store, run_id: str, known: Manifest | None
) -> tuple[Manifest, dict[str, Any]] | None:
    """Take over the newest files of a run in a job. Returns their manifest, and the status that they tell.

    known: the manifest that was brought last. Returns None where there is nothing newer. Every file is
    checked as that of a carried run. Raises UserError for a fault, after which the run here is as before.
    """
    listing = remote.listing(run_id)
    entry = listing.get(f"{run_id}/{MANIFEST}")
    if entry is None or not entry.size <= MAX_MANIFEST:
        return None
    folder, run = fresh_folder(store), store.path(run_id)
    try:
        manifest = fetch_manifest(remote, run_id, entry, folder)
        if manifest == known:
            return None
        here = _link_known(run, folder, manifest, known)
        fetch_files(remote, manifest, listing, folder, here)
        status = check(folder, manifest)
        _install(folder, run)
        return manifest, status
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _link_known(run: Path, folder: Path, manifest: Manifest, known: Manifest | None) -> set[str]:
    """Link the files that are here already, and return their names."""
    here = set()
    for name, file in manifest.files.items():
        if not name.startswith(_NEVER_REWRITTEN) or known is None or known.files.get(name) != file:
            continue
        if link(run / name, folder / name):
            here.add(name)
    return here


def _install(folder: Path, run: Path) -> None:
    """Replace the run's files by those in `folder`, each in one step."""
    for part in _FOLDERS:
        fresh = {path.name for path in (folder / part).glob("*")}
        (run / part).mkdir(exist_ok=True)
        for name in sorted(fresh):
            os.chmod(folder / part / name, 0o644)
            os.replace(folder / part / name, run / part / name)
        for path in (run / part).glob("[0-9]*"):
            if path.name not in fresh:  # thinned by the worker
                path.unlink(missing_ok=True)
    for name in _FILES:
        if (folder / name).exists():
            (run / name).parent.mkdir(exist_ok=True)
            os.chmod(folder / name, 0o644)
            os.replace(folder / name, run / name)
