"""Pictures that people bring to the page: kept beside the runs, so that a run can be started again from them."""

import hashlib
import re
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from gan.errors import UserError
from gan.files import read_json
from gan.runs.store import Store
from gan.runs.writing import writing

PICTURES = (".png", ".jpg", ".jpeg", ".webp")


def count_pictures(path: Path) -> int:
    """How many files of a kept zip or folder have the name of a picture: what a data set can have at most. Raises UserError for what is no zip."""
    if path.is_dir():
        names = [entry.name for entry in path.iterdir()]
    else:
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
            raise UserError("data.not_pictures", path=path.name) from error
    return sum(name.lower().endswith(PICTURES) for name in names)


def keep_uploads(files: Sequence[str], root: Path) -> Path:
    """Copy uploaded files into a folder of their own under `root`; returns the zip where it is one zip, else the folder.

    The same files go to the same place, so that a second run does not store them twice. Raises UserError where there is nothing, or a zip
    together with something else, and where the disk is full.
    """
    paths = sorted(map(Path, files), key=lambda path: path.name)
    archives = [path for path in paths if path.suffix.lower() == ".zip"]
    if not paths:
        raise UserError("ui.no_files")
    if archives and len(paths) > 1:
        raise UserError("ui.mixed_files")
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

    While the settings of any run can't be read, all stay: it may be repaired, and its pictures are nowhere else.
    """
    used: set[str] = set()
    for run in store.list():
        try:
            used.update(Path(str(read_json(store.path(run["id"]) / "config.json")["data"])).parts)
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
