"""Pictures that people bring to the page: kept beside the runs, so that a run can be started again from them, and never served."""

import contextlib
import hashlib
import os
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gan.data.archives import SUFFIXES, open_zip, pictures_in
from gan.errors import UserError
from gan.files import read_json
from gan.runs.store import Store
from gan.runs.writing import writing

MAX_FILE = 200 * 2**20  # bytes of one file
MAX_REQUEST = 512 * 2**20  # bytes of all files that come together
MAX_FILES = 1000  # of one run; more come as a zip
LOST_AFTER = 3600  # seconds after which a part of an upload is no longer being written


def received(files: Any, folder: Path) -> list[Path]:
    """The files in `folder`, Gradio's for uploads, that a page says it has uploaded.

    A stranger may say anything: each has to be <folder>/<SHA-256>/<name>, where the hash is as good as a password. Raises UserError for anything else, and
    for files that were removed since, as Gradio does after an hour.
    """
    if not isinstance(files, list) or not all(isinstance(name, str) and "\0" not in name for name in files):
        raise UserError("ui.bad_form")
    if len(files) > MAX_FILES:
        raise UserError("ui.too_many_files", count=len(files), limit=MAX_FILES)
    places = [(Path(os.path.abspath(folder)),), (Path(os.path.realpath(folder)),)]  # as Gradio may name it, where it was given as ../x, or is a link
    found = [Path(name) for name in files]
    for path in found:
        if path.parents[1:2] not in places or not re.fullmatch("[0-9a-f]{64}", path.parent.name) or path.name in ("", "..") or len(path.name) > 255:
            raise UserError("ui.bad_form")
        if path.is_symlink() or not path.is_file():
            raise UserError("ui.lost_files")
    return found


def sweep(folder: Path) -> None:
    """Remove from Gradio's folder for uploads the parts of those that were broken off; whole files lie deeper, and Gradio removes them itself."""
    with contextlib.suppress(OSError):
        for part in os.scandir(folder):
            if part.is_file(follow_symlinks=False) and part.stat().st_mtime < time.time() - LOST_AFTER:
                os.unlink(part)


def count_pictures(path: Path) -> int:
    """How many files of a kept zip or folder have the name of a picture: what a data set can have at most.

    Raises UserError for what is no zip, or one that would be refused when it is loaded.
    """
    if path.is_dir():
        return sum(entry.name.lower().endswith(SUFFIXES) for entry in path.iterdir())
    try:
        with open_zip(path) as archive:
            return sum(entry.filename.lower().endswith(SUFFIXES) for entry in pictures_in(path, archive))
    except UserError as error:
        raise UserError(error.key, **{**error.values, "path": path.name}) from error  # not where the server keeps it


def keep_uploads(files: Sequence[Path | str], root: Path) -> Path:
    """Copy uploaded files into a folder of their own under `root`; returns the zip where it is one zip, else the folder.

    The same files go to the same place, so that a second run does not store them twice. Raises UserError where there is nothing, something else than
    pictures, or a zip together with something else, and where the disk is full.
    """
    paths = sorted(map(Path, files), key=lambda path: path.name)
    archives = [path for path in paths if path.suffix.lower() == ".zip"]
    if not paths:
        raise UserError("ui.no_files")
    if archives and len(paths) > 1:
        raise UserError("ui.mixed_files")
    other = next((path for path in paths if not archives and path.suffix.lower() not in SUFFIXES), None)
    if other is not None:
        raise UserError("ui.other_files", name=other.name[-80:])
    if archives:
        count_pictures(archives[0])  # what would be refused is not kept
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            for part in iter(lambda file=file: file.read(1 << 20), b""):
                digest.update(part)
    target = root / digest.hexdigest()[:16]
    name = safe_name(paths[0].name)
    with writing():
        if archives:
            return _copy_once(archives[0], target / name)
        folder = target / (Path(name).stem if len(paths) == 1 else f"{Path(name).stem}-{len(paths)}")
        for number, path in enumerate(paths):
            _copy_once(path, folder / f"{number:05d}-{safe_name(path.name)}")
        return folder


def remove_unused(root: Path, store: Store) -> None:
    """Remove the kept uploads that no run of `store` refers to.

    While the runs can't be listed, or the settings of any can't be read, all stay: it may be repaired, and its pictures are nowhere else.
    """
    used: set[str] = set()
    try:
        runs = store.ids()
    except OSError:
        return
    for run_id in runs:
        try:
            used.update(Path(str(read_json(store.path(run_id) / "config.json")["data"])).parts)
        except (OSError, ValueError, TypeError, KeyError):
            return
        except UserError:  # deleted since it was listed
            continue
    for kept in root.glob("*"):
        if kept.name not in used:
            shutil.rmtree(kept, ignore_errors=True)


def safe_name(name: str) -> str:
    """A file name of at most 80 plain characters with its suffix kept; "pictures" where nothing else is left."""
    path = Path(name.replace("\\", "/"))
    stem = re.sub(r"[^\w-]+", "-", path.stem).strip("-_")[:60] or "pictures"
    return stem + re.sub(r"[^.a-z0-9]", "", path.suffix.lower())[:8]


def _copy_once(source: Path, target: Path) -> Path:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        try:
            shutil.copyfile(source, part)
            part.replace(target)
        except OSError:
            part.unlink(missing_ok=True)  # it may be what fills the disk
            raise
    return target
