"""Pack a run into one file, and unpack it elsewhere: "move this run".

The file is a zip without compression, so that its size bounds what comes out of it.
"""

import errno
import shutil
import stat
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from gan.config import Settings
from gan.errors import UserError
from gan.files import write_bytes
from gan.mirror.arrival import fresh_folder, read_settings, settle
from gan.mirror.capture import capture
from gan.mirror.contents import MANIFEST, MAX_FILES, MAX_MANIFEST, Manifest, manifest_of, read_manifest
from gan.runs import marks
from gan.runs.disk import NEW
from gan.runs.store import Store

PIECE = 2**20  # bytes in memory while a file is copied
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the same run gives the same file
_ENCRYPTED = 0x1
# zipfile raises these for damaged and for unusual archives
_STRANGE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError, ValueError,
    KeyError, OverflowError, struct.error,
)  # fmt: skip


def pack(run: Path, target: Path | IO[bytes]) -> Manifest:
    """Write the run in directory `run` as one file, to a path or an open file. Returns its manifest.

    Raises UserError as `capture` does, and OSError where the file can't be written.
    """
    with tempfile.TemporaryDirectory(prefix=NEW, dir=run.absolute().parent) as place:
        captured = capture(run, Path(place))
        manifest = manifest_of(Path(place), captured.id, captured.step)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(zipfile.ZipInfo(MANIFEST, _FIRST_DAY), manifest.to_bytes())
            for name in sorted(manifest.files):
                entry = zipfile.ZipInfo(name, _FIRST_DAY)
                entry.file_size = manifest.files[name].size  # decides on the 64-bit form beforehand
                with open(Path(place) / name, "rb") as source, archive.open(entry, "w") as sink:
                    shutil.copyfileobj(source, sink, PIECE)
    return manifest


def unpack(
    store: Store,
    parcel: Path,
    visitor: str = "",
    check: Callable[[Settings, int], None] = lambda config, size: None,
) -> str:
    """Take in a run that `pack` wrote, and return its id here.

    visitor: the mark of the visitor who brings it, "" for none. check: is called with the run's settings and
    its bytes, and raises UserError where it may not come in. Raises UserError for any other file, and for a
    full store.
    """
    store.usage.check()
    store.root.mkdir(parents=True, exist_ok=True)
    folder = fresh_folder(store)
    try:
        manifest = _extract(parcel, folder)
        check(read_settings(folder), sum(file.size for file in manifest.files.values()))
        if visitor:
            write_bytes(folder / marks.FILE, visitor.encode())
        return settle(store, folder, manifest)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _extract(parcel: Path, folder: Path) -> Manifest:
    """Write the files of a parcel to a folder, and return its manifest. Raises UserError for no parcel."""
    try:
        with zipfile.ZipFile(parcel) as archive:
            manifest = _read_list(archive, parcel.stat().st_size)
            for name, file in manifest.files.items():
                (folder / name).parent.mkdir(exist_ok=True)
                with archive.open(name) as source, open(folder / name, "wb") as sink:
                    _copy(source, sink, file.size, name)
        return manifest
    except _STRANGE as error:
        raise UserError("mirror.no_run") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # which is what a place before the file's beginning gives
            raise
        raise UserError("mirror.no_run") from error


def _read_list(archive: zipfile.ZipFile, size: int) -> Manifest:
    """Return the manifest of an archive whose entries are exactly what it declares. Raises UserError."""
    entries = archive.infolist()
    if len(entries) > MAX_FILES + 1:
        raise UserError("mirror.no_run")
    sizes = {}
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        plain = (
            entry.compress_type == zipfile.ZIP_STORED
            and entry.compress_size == entry.file_size
            and not entry.flag_bits & _ENCRYPTED
            and kind in (0, stat.S_IFREG)
            and entry.filename not in sizes
        )
        if not plain:
            raise UserError("mirror.strange_file", name=entry.filename[:80])
        sizes[entry.filename] = entry.file_size
    # entries that share bytes of the file would bring more than it holds
    if sizes.get(MANIFEST, MAX_MANIFEST + 1) > MAX_MANIFEST or sum(sizes.values()) > size:
        raise UserError("mirror.no_run")
    manifest = read_manifest(archive.read(MANIFEST))
    del sizes[MANIFEST]
    strange = sizes.keys() ^ manifest.files.keys()
    if strange:
        raise UserError("mirror.strange_file", name=min(strange)[:80])
    return manifest


def _copy(source: IO[bytes], sink: IO[bytes], size: int, name: str) -> None:
    """Copy a file of exactly `size` bytes. Raises UserError where it has more or fewer."""
    left = size
    while part := source.read(min(PIECE, left + 1)):
        left -= len(part)
        if left < 0:
            break
        sink.write(part)
    if left:
        raise UserError("mirror.damaged", name=name)
