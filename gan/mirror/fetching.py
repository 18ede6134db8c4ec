"""Fetch a run from a place on the Hub: first its manifest, then the files that the manifest names."""

import re
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from gan.errors import UserError
from gan.mirror.contents import MANIFEST, File, Manifest, most, read_manifest
from gan.mirror.remote import Entry, Remote

_DIGEST = re.compile(r"\.[0-9a-f]{12}(?=\.[a-z]+\Z)")  # of a file's name, before its suffix


def path_of(run_id: str, name: str, file: File) -> str:
    """Return where a file lies in the mirror: "run/samples/00000012.3fa9c04e.webp"."""
    path = PurePosixPath(name)
    return f"{run_id}/{path.with_name(f'{path.stem}.{file.sha256[:12]}{path.suffix}')}"


def stored(listing: dict[str, Entry], run_id: str) -> dict[str, int]:
    """Return path and size of the files that mirrors have left of a run, with or without a manifest.

    Manifests, messages about jobs and files of a person are none of them.
    """
    folder = f"{run_id}/"
    return {
        path: entry.size
        for path, entry in listing.items()
        if path.startswith(folder)
        and _DIGEST.search(path)
        and most(_DIGEST.sub("", path.removeprefix(folder)))
    }


def fetch_manifest(remote: Remote, run_id: str, entry: Entry, folder: Path) -> Manifest:
    """Return a run's manifest. `folder` holds it meanwhile. Raises UserError for none of this run."""
    remote.fetch({f"{run_id}/{MANIFEST}": (entry, folder / MANIFEST)})
    content = (folder / MANIFEST).read_bytes()
    (folder / MANIFEST).unlink()
    manifest = read_manifest(content)
    if manifest.id != run_id:
        raise UserError("mirror.no_run")
    return manifest


def fetch_files(
    remote: Remote, manifest: Manifest, listing: dict[str, Entry], folder: Path, here: Collection[str] = ()
) -> None:
    """Download a run's files to a folder, except those in `here`. Raises UserError where one is missing.

    The sizes of the listing are compared before anything is fetched.
    """
    wanted = {}
    for name, file in manifest.files.items():
        if name in here:
            continue
        path = path_of(manifest.id, name, file)
        entry = listing.get(path)
        if entry is None or entry.size != file.size:
            raise UserError("mirror.lacks", name=name)
        (folder / name).parent.mkdir(exist_ok=True)
        wanted[path] = (entry, folder / name)
    if wanted:
        remote.fetch(wanted)
