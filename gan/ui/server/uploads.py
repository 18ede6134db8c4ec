"""Pictures that people bring to the page: kept beside the runs, so that a run can be started again from them,
and never served.
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
MAX_REQUEST = 512 * 2**20  # bytes of all files that come together
MAX_FILES = 1000  # of one run; more come as a zip
LOST_AFTER = 3600  # seconds after which a part of an upload is no longer being written
AWAITED = 3600  # seconds that pictures are kept without a run, as long as Gradio keeps them
MARK = ".awaited"  # an empty file beside kept pictures: its time is when somebody last brought them


def received(files: Any, folder: Path) -> list[Path]:
    """The files in `folder`, Gradio's for uploads, that a page says it has uploaded.

    A stranger may say anything: each has to be <folder>/<SHA-256>/<name>, where the hash is as good as a
    password. Raises UserError for anything else, and for files that were removed since, as Gradio does after
    an hour.
    """
    if not isinstance(files, list) or not all(isinstance(name, str) and "\0" not in name for name in files):
        raise UserError("ui.bad_form")
    if len(files) > MAX_FILES:
        raise UserError("ui.too_many_files", count=len(files), limit=MAX_FILES)
    # as Gradio may name it, where it was given as ../x, or is a link
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
    """Remove from Gradio's folder for uploads the parts of those that were broken off; whole files lie
    deeper, and Gradio removes them itself.
    """
    with contextlib.suppress(OSError):
        for part in os.scandir(folder):
            if part.is_file(follow_symlinks=False) and part.stat().st_mtime < time.time() - LOST_AFTER:
                os.unlink(part)


def keep_uploads(files: Sequence[Path | str], root: Path) -> Path:
    """Copy uploaded files into a folder of their own under `root`; returns the zip where it is one zip, else
    the folder.

    What a file is its first bytes tell, not its name. The same files go to the same place, so that a second
    run does not store them twice. Of several files those that are no pictures are kept as well, for
    `gan.data.own.survey` to name them. Raises UserError where there is nothing, no picture at all, or a zip
    together with something else, and where the disk is full.
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


def unusable(paths: Sequence[Path], examples: str = "") -> UserError:
    """The refusal of files of which none is a picture that can be used, with some of their names, or what
    else `examples` tells of them.
    """
    if len(paths) == 1:
        return UserError("ui.other_files", name=paths[0].name[-80:])
    names = f"{', '.join(path.name[-80:] for path in paths[:3])}{', …' if len(paths) > 3 else ''}"
    return UserError("ui.none_usable", files=len(paths), examples=examples or names)


def kept_names(paths: Sequence[Path]) -> list[str]:
    """Under which names `keep_uploads` keeps several files, in the order of their own names: plain, and each
    with its number.
    """
    return [
        f"{number:05d}-{safe_name(path.name)}"
        for number, path in enumerate(sorted(paths, key=lambda path: path.name))
    ]


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip does, or as another archive, or has the name of one: why that can't be
    used `gan.data.own.survey` tells.
    """
    head = _head(path)
    archive = head.startswith((b"PK\x03\x04", b"PK\x05\x06")) or bool(file_types.archive_of(head))
    return archive or (path.suffix.lower() == ".zip" and not file_types.kind_of(head))


def _may_be_picture(path: Path) -> bool:
    """Whether a file begins as a picture does, of a kind that is read or not, or has the name of one."""
    return file_types.judge(PurePosixPath(path.name), _head(path)) != ("other", "")


def _head(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(300)


def _digest(paths: Sequence[Path], archive: bool) -> str:
    """16 hexadecimal digits that stand for the contents of files, and for their names, which are kept, unless
    it is one archive.
    """
    digest = hashlib.sha256()
    for path, name in zip(paths, kept_names(paths), strict=True):
        digest.update(b"" if archive else f"{name}/{path.stat().st_size}/".encode())
        with open(path, "rb") as file:
            for part in iter(lambda file=file: file.read(1 << 20), b""):
                digest.update(part)
    return digest.hexdigest()[:16]


def mark_awaited(kept: Path) -> None:
    """Somebody has brought these pictures and may be about to press Train: `remove_unused` leaves them alone
    for AWAITED seconds from now.
    """
    with writing():
        (kept.parent / MARK).touch()


def unmark(kept: Path) -> None:
    """They need not be waited for: a run refers to them, or they can't be used."""
    (kept.parent / MARK).unlink(missing_ok=True)


def _is_awaited(folder: Path) -> bool:
    try:
        return (folder / MARK).stat().st_mtime > time.time() - AWAITED
    except OSError:
        return False


def remove_unused(root: Path, store: Store) -> None:
    """Remove the kept uploads that no run of `store` refers to, and of which nobody is likely to press Train
    any more.

    While the runs can't be listed, or the settings of any can't be read, all stay: it may be repaired, and
    its pictures are nowhere else.
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
        except UserError:  # deleted since it was listed
            continue
    for kept in unawaited:
        if kept.name not in used:
            shutil.rmtree(kept, ignore_errors=True)


def safe_name(name: str) -> str:
    """A file name of at most 80 plain characters with its suffix kept; "pictures" where nothing
    else is left.
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
            part.unlink(missing_ok=True)  # it may be what fills the disk
            raise
    return target
