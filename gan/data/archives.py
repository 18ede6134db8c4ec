"""The members of a zip that may be pictures, checked by what they declare before anything is unpacked. Imports neither torch nor Pillow.

Uploads come from strangers. Members are read in memory one at a time and never written to disk; their names only give labels.
"""

import io
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from gan.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_OTHER_KINDS = (".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif")  # read too, so that they count as skipped unless they are what can be used
MAX_ENTRIES = 50_000
MAX_LIST = 160 * MAX_ENTRIES  # bytes of the list of members, which zipfile takes in whole
MAX_TOTAL = 2 * 2**30  # bytes of all pictures of a zip, unpacked
MAX_MEMBER = 50 * 2**20  # bytes of one file
MAX_RATIO = 200  # unpacked to packed, for members of more than RATIO_FROM bytes
RATIO_FROM = 2**20
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # zipfile unpacks any other kind whole, whatever the member declares
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")


class _File(io.FileIO):
    """A zip's file. Each member costs zipfile a hundred times what it takes in the list, so that a long list must not even be read."""

    most = MAX_LIST

    def read(self, size: int = -1) -> bytes:
        if size > self.most:
            raise UserError("data.too_many", path=self.name, limit=MAX_ENTRIES)
        return super().read(size)


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip to read. Raises UserError where it is none, or the list of its members is absurdly long."""
    try:
        with _File(path) as file, zipfile.ZipFile(file) as archive:
            file.most = MAX_MEMBER
            yield archive
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise UserError("data.not_pictures", path=path) from error


def is_picture(place: PurePosixPath) -> bool:
    """Whether a file at this place has the name of a picture, of whatever kind, and is none of the hidden ones that systems add."""
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in place.parts)
    return place.suffix.lower() in (*SUFFIXES, *_OTHER_KINDS) and not hidden


def pictures_in(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The pictures of an archive by their declared sizes, to which `read_member` holds them.

    Raises UserError where there are too many files, too many bytes, a file that unpacks to far more than a picture, another archive inside, or anything,
    picture or not, that is a link or has a name that leads out of the archive.
    """
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise UserError("data.too_many", path=path, limit=MAX_ENTRIES)
    nested = next((entry for entry in entries if entry.filename.lower().endswith(_ARCHIVES)), None)
    if nested is not None:
        raise UserError("data.nested", path=path, member=nested.filename[-80:])
    outside = next((entry for entry in entries if _leads_out(entry)), None)
    if outside is not None:
        raise UserError("data.leads_out", path=path, member=outside.filename[-80:])
    pictures = [entry for entry in entries if is_picture(PurePosixPath(entry.filename)) and not entry.is_dir()]
    if sum(entry.file_size for entry in pictures) > MAX_TOTAL:
        raise UserError("data.too_large", path=path, gigabytes=MAX_TOTAL / 2**30)
    for entry in pictures:
        if entry.file_size > RATIO_FROM and entry.file_size > MAX_RATIO * entry.compress_size:
            raise UserError("data.zip_bomb", path=path, member=entry.filename[-80:])
    return pictures


def _leads_out(entry: zipfile.ZipInfo) -> bool:
    """Whether a member is a link, or its name is that of a place outside the archive, here or on Windows."""
    place = PureWindowsPath(entry.filename)  # takes both kinds of slash, and knows drives
    return bool(place.root) or ".." in place.parts or stat.S_ISLNK(entry.external_attr >> 16)


def read_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of one of `pictures_in`. Raises ValueError for one that is too large or packed in an odd way; zipfile's own errors for a damaged one."""
    if entry.file_size > MAX_MEMBER:
        raise ValueError("too large")
    if entry.compress_type not in _PACKINGS:
        raise ValueError("neither stored nor deflated")
    with archive.open(entry) as member:  # archive.read would unpack everything first and cut it to the declared size afterwards
        return member.read(entry.file_size)
