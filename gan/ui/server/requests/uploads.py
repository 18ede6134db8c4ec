"""Store the pictures that visitors upload, beside the runs.

A run can then restart from them. The server never serves them.
"""

import contextlib
import hashlib
import os
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from gan.data.own import file_types
from gan.errors import UserError
from gan.files import read_json
from gan.runs.disk import writing
from gan.runs.store import Store

MAX_FILE = 200 * 2**20  # bytes of one file
MAX_REQUEST = 512 * 2**20  # bytes of all files of one request
MAX_FILES = 1000  # files of one run; more must come as a zip
LOST_AFTER = 3600  # seconds after which a partial file belongs to no running upload
AWAITED = 3600  # seconds that uploads stay without a run, as Gradio's own files do
MARK = ".awaited"  # an empty file beside the pictures; its mtime is the last upload


def received(files: Any, folder: Path) -> list[Path]:
    """Return the uploaded files that a page names, checked against Gradio's upload `folder`.

    A stranger may send any path. Each must be <folder>/<SHA-256>/<name>, where the hash is as hard to guess
    as a password. Raises UserError for any other path, and for files that are gone: Gradio removes them after
    an hour.
    """
    if not isinstance(files, list) or not all(isinstance(name, str) and "\0" not in name for name in files):
        raise UserError("ui.bad_form")
    if len(files) > MAX_FILES:
        raise UserError("ui.too_many_files", count=len(files), limit=MAX_FILES)
    # Gradio may name the folder by its absolute path or its real path, where that was relative or a link.
    places = [(Path(os.path.abspath(folder)),), (Path(os.path.realpath(folder)),)]
    found = [Path(name) for name in files]
    for path in found:
        if (
            path.parents[1:2] not in places
            or not re.fullmatch("[0-9a-f]{64}", path.parent.name)
            or path.name in ("", "..")
            or len(path.name) > 255
        ):
            raise UserError("ui.bad_form")
        if path.is_symlink() or not path.is_file():
            raise UserError("ui.lost_files")
    return found


def sweep(folder: Path) -> None:
    """Remove partial files of interrupted uploads from Gradio's folder.

    Complete files lie in subfolders; Gradio removes those itself.
    """
    with contextlib.suppress(OSError):
        for part in os.scandir(folder):
            if part.is_file(follow_symlinks=False) and part.stat().st_mtime < time.time() - LOST_AFTER:
                os.unlink(part)


def keep_uploads(files: Sequence[Path | str], root: Path) -> Path:
    """Copy uploaded files into their own folder under `root`.

    Returns the zip for a single zip, else the folder.

    A file's first bytes decide its type, not its name. The folder is named by the contents, so that a second
    run does not store the same files twice. Among several files, those that are no pictures are copied too,
    so that `gan.data.own.survey` can name them. Raises UserError for no files, no picture at all, a zip
    together with other files, and a full disk.
    """
    paths = sorted(map(Path, files), key=lambda path: path.name)
    if not paths:
        raise UserError("ui.no_files")
    archives = [path for path in paths if is_zip(path)]
    if archives and len(paths) > 1:
        raise UserError("ui.mixed_files")
    if not archives and not any(_may_be_picture(path) for path in paths):
        raise unusable(paths)
    target, name = root / _digest(paths, bool(archives)), safe_name(paths[0].name)
    with writing():
        if archives:
            return _copy_once(archives[0], target / f"{Path(name).stem}.zip")
        folder = target / (Path(name).stem if len(paths) == 1 else f"{Path(name).stem}-{len(paths)}")
        for path, kept in zip(paths, kept_names(paths), strict=True):
            _copy_once(path, folder / kept)
        return folder


def keep_points(file: Path, root: Path) -> Path:
    """Copy an uploaded file of points into its own folder under `root`, named by its contents.

    Raises OSError for a full disk.
    """
    with writing():
        return _copy_once(file, root / _digest([file], True) / safe_name(file.name))


def unusable(paths: Sequence[Path], examples: str = "") -> UserError:
    """Return the error for files of which none is usable.

    It names some of the files, or quotes `examples`.
    """
    if len(paths) == 1:
        return UserError("ui.other_files", name=paths[0].name[-80:])
    names = f"{', '.join(path.name[-80:] for path in paths[:3])}{', …' if len(paths) > 3 else ''}"
    return UserError("ui.none_usable", files=len(paths), examples=examples or names)


def kept_names(paths: Sequence[Path]) -> list[str]:
    """Return the names under which `keep_uploads` stores several files, sorted by their own names.

    Each is a plain name behind its number.
    """
    return [
        f"{number:05d}-{safe_name(path.name)}"
        for number, path in enumerate(sorted(paths, key=lambda path: path.name))
    ]


def is_zip(path: Path) -> bool:
    """Whether a file is an archive, by its first bytes or its suffix.

    Other archives than zips count too: `gan.data.own.survey` explains why they can't be used.
    """
    head = _head(path)
    archive = head.startswith((b"PK\x03\x04", b"PK\x05\x06")) or bool(file_types.archive_of(head))
    return archive or (path.suffix.lower() == ".zip" and not file_types.kind_of(head))


def _may_be_picture(path: Path) -> bool:
    """Whether a file is a picture by its first bytes or its suffix, of a supported type or not."""
    return file_types.judge(PurePosixPath(path.name), _head(path)) != ("other", "")


def _head(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(300)


def _digest(paths: Sequence[Path], archive: bool) -> str:
    """Return 16 hexadecimal digits that identify the contents of files.

    Loose files keep their names, so their names count as well; a zip's name does not.
    """
    digest = hashlib.sha256()
    for path, name in zip(paths, kept_names(paths), strict=True):
        digest.update(b"" if archive else f"{name}/{path.stat().st_size}/".encode())
        with open(path, "rb") as file:
            while part := file.read(1 << 20):
                digest.update(part)
    return digest.hexdigest()[:16]


def mark_awaited(kept: Path) -> None:
    """Record that a visitor may be about to train on these pictures.

    `remove_unused` then spares them for AWAITED seconds.
    """
    with writing():
        (kept.parent / MARK).touch()


def unmark(kept: Path) -> None:
    """Remove the mark: a run now refers to the pictures, or they can't be used."""
    (kept.parent / MARK).unlink(missing_ok=True)


def _is_awaited(folder: Path) -> bool:
    try:
        return (folder / MARK).stat().st_mtime > time.time() - AWAITED
    except OSError:
        return False


def remove_unused(root: Path, store: Store) -> None:
    """Remove the uploads that no run of `store` refers to and that no visitor is about to train on.

    All stay while the runs can't be listed, or any run's settings can't be read. That run may be repaired,
    and no other copy of its pictures exists.
    """
    used: set[str] = set()
    unawaited = [kept for kept in root.glob("*") if not _is_awaited(kept)]
    try:
        runs = store.ids() if unawaited else []
    except OSError:
        return
    for run_id in runs:
        try:
            used.update(Path(str(read_json(store.path(run_id) / "config.json")["data"])).parts)
        except (OSError, ValueError, TypeError, KeyError):
            return
        except UserError:  # the run was deleted after the listing
            continue
    for kept in unawaited:
        if kept.name not in used:
            shutil.rmtree(kept, ignore_errors=True)


def safe_name(name: str) -> str:
    """Return a file name of at most 80 plain characters that keeps its suffix.

    The stem becomes "pictures" where no character is left.
    """
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
            part.unlink(missing_ok=True)  # the partial file may be what fills the disk
            raise
    return target
