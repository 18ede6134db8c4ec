"""List the members of a zip that may be images, and check their declared sizes before unpacking anything.

Uploads are untrusted. Members are read in memory one at a time and never written to disk, and their names
give only labels. Imports neither torch nor Pillow.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, NamedTuple

from gan.data.own import file_types
from gan.data.own.report import LeftOut, shown
from gan.data.own.zip_names import UTF8_FLAG, read_names
from gan.errors import UserError

SUFFIXES = tuple(file_types.SUFFIXES)
MAX_ENTRIES = 50_000
MAX_LIST = 160 * MAX_ENTRIES  # bytes of the member list, which zipfile reads as a whole
MAX_TOTAL = 2 * 2**30  # bytes of all images of a zip, unpacked
MAX_MEMBER = 50 * 2**20  # bytes of one file
MAX_RATIO = 200  # largest unpacked to packed size, for members larger than RATIO_FROM
RATIO_FROM = 2**20  # bytes
# Unpacked bytes of all members over MAX_RATIO that are no images by their first bytes. More make a zip bomb.
MAX_OVER = 8 * 2**20
# The same for members that are images by their first bytes. Blank scans and drawings compress that well. Even
# unpacked, they may take no more than one file.
MAX_OVER_PICTURES = MAX_MEMBER
DAMAGE = (
    OSError,
    ValueError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    OverflowError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)
# zipfile unpacks any other compression completely, whatever size the member declares.
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PACKING_NAMES = {
    1: "Shrink",
    6: "Implode",
    9: "Deflate64",
    12: "BZIP2",
    14: "LZMA",
    93: "Zstandard",
    94: "MP3",
    95: "XZ",
    96: "JPEG",
    98: "PPMd",
}
_AES = 99  # compression type with which WinZip marks members that need a password
_LOCKED, _PATCHED = 0x0041, 0x0020  # flags: needs a password; holds only changes to another file
_WINDOWS = (0, 10, 11, 14)  # systems without backslashes in file names
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
_END, _END64 = b"PK\x05\x06", b"PK\x06\x06"  # signatures of the records after the member list
_HEADER = struct.Struct("<4s2B4HL2L2H")  # before a member's name and data
_END_REACH = 2**16 + 22 + 76  # both records lie within this many bytes from the end of a zip
_HIDES_LIST = 62  # from this format version on, the list itself may be encrypted


class ZipMember(NamedTuple):
    """A member's path in the zip, and its entry in zipfile."""

    place: PurePosixPath
    info: zipfile.ZipInfo


class Inspected(NamedTuple):
    """The images of a zip, and the files left out.

    `names_read_as` is the code page guessed for the names, or "" if none was guessed.
    """

    pictures: list[ZipMember]
    left_out: list[LeftOut]
    names_read_as: str


class _File(io.FileIO):
    """The file of a zip. It refuses to read a long member list.

    For each member, zipfile uses a hundred times the memory of its list entry.
    """

    most = MAX_LIST

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > self.most:
            raise UserError("data.too_many", path=self.name, limit=MAX_ENTRIES)
        return super().read(size)


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip. Raises UserError if it is no zip, is damaged, or has too long a member list."""
    with ExitStack() as opened:
        try:
            file = opened.enter_context(_File(path))
            archive = opened.enter_context(zipfile.ZipFile(file))
        except DAMAGE as error:
            raise _no_zip(path, error) from error
        if any(entry.volume not in (0, 0xFFFF) for entry in archive.infolist()):
            raise UserError("data.multi_part", path=path)
        file.most = MAX_MEMBER
        yield archive


def _no_zip(path: Path, error: BaseException) -> UserError:
    """Choose the error for a file that cannot be opened as a zip."""
    try:
        with open(path, "rb") as file:
            head = file.read(300)
            size = file.seek(0, io.SEEK_END)
            file.seek(max(0, size - _END_REACH))
            tail = file.read()
    except OSError as unreadable:
        return UserError("data.unreadable", path=path, reason=unreadable.strerror or unreadable)
    if kind := file_types.archive_of(head):
        return UserError("data.other_archive", path=path, kind=kind)
    end, end64 = (
        tail[tail.rfind(_END) :] if _END in tail else b"",
        tail[tail.rfind(_END64) :] if _END64 in tail else b"",
    )
    if (
        head.startswith(b"PK\x07\x08")
        or (len(end) >= 8 and end[4:6] not in (b"\0\0", b"\xff\xff"))
        or "multiple disks" in str(error)
    ):
        return UserError("data.multi_part", path=path)
    if len(end64) >= 16 and int.from_bytes(end64[14:16], "little") >= _HIDES_LIST:
        return UserError("data.locked", path=path)
    if head.startswith(b"PK\x03\x04") or end or (not size and path.suffix.lower() == ".zip"):
        return UserError("data.damaged_zip", path=path)
    return UserError("data.not_pictures", path=path)


def inspect(path: Path, archive: zipfile.ZipFile) -> Inspected:
    """Find the images of a zip by their declared sizes and first bytes.

    `read_member` enforces the declared sizes. Of a member, at most some kilobytes are unpacked here.

    Raises UserError for too many files, too many bytes, a zip bomb, or an archive inside. Raises UserError
    for any member, image or not, that is a link or whose name leads out of the archive.
    """
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise UserError("data.too_many", path=path, limit=MAX_ENTRIES)
    names, read_as = read_names(entries)
    nested = next((name for name in names if name.lower().endswith(_ARCHIVES)), None)
    if nested is not None:
        raise UserError("data.nested", path=path, member=nested[-80:])
    outside = next(
        (name for name, entry in zip(names, entries, strict=True) if _leads_out(name, entry)), None
    )
    if outside is not None:
        raise UserError("data.leads_out", path=path, member=outside[-80:])
    pictures: list[ZipMember] = []
    over: list[ZipMember] = []
    blank: list[ZipMember] = []
    left_out: list[LeftOut] = []
    for name, entry in zip(_with_slashes(names, entries), entries, strict=True):
        member = ZipMember(PurePosixPath(name), entry)
        if name.endswith("/") or file_types.is_system(member.place):
            continue
        reason = _judge(archive, member)
        if (reason is None or reason[0] in ("damaged", "bytes")) and _is_over(entry):
            (over if reason and reason[0] == "damaged" else blank).append(member)
            reason = reason or ("unpacks", "")
        if reason is None:
            pictures.append(member)
        else:
            left_out.append(LeftOut(name, *reason))
    # None of these members is ever unpacked.
    for found, most in ((over, MAX_OVER), (blank, MAX_OVER_PICTURES)):
        if _unpacked(found) > most:
            raise UserError("data.zip_bomb", path=path, member=shown(str(found[0].place)))
    if _unpacked(pictures) > MAX_TOTAL:
        raise UserError("data.too_large", path=path, gigabytes=MAX_TOTAL / 2**30)
    return Inspected(pictures, left_out, read_as)


def _unpacked(members: list[ZipMember]) -> int:
    return sum(member.info.file_size for member in members)


def _leads_out(name: str, entry: zipfile.ZipInfo) -> bool:
    """Whether a member is a link, or its name leads out of the archive, here or on Windows."""
    place = PureWindowsPath(name)  # accepts both slashes, and knows drives
    return bool(place.root) or ".." in place.parts or stat.S_ISLNK(entry.external_attr >> 16)


def _with_slashes(names: list[str], entries: list[zipfile.ZipInfo]) -> list[str]:
    """Replace backslashes between folders by slashes.

    Some packers for Windows write backslashes. From other systems, a backslash may be part of a name.
    There too it separates folders if no name has a slash, or if most files have one after their last slash.
    """
    last = [name.rpartition("/")[2] for name in names if not name.endswith("/")]
    most = 2 * sum("\\" in name for name in last) > len(last)
    separates = most or not any("/" in name for name in names)
    return [
        name.replace("\\", "/") if separates or entry.create_system in _WINDOWS else name
        for name, entry in zip(names, entries, strict=True)
    ]


def _is_over(entry: zipfile.ZipInfo) -> bool:
    return entry.file_size > RATIO_FROM and entry.file_size > MAX_RATIO * entry.compress_size


def _judge(archive: zipfile.ZipFile, member: ZipMember) -> tuple[str, str] | None:
    """Return reason and detail why a member is left out; None for an image."""
    place, entry = member
    promised = file_types.named(place)
    if entry.flag_bits & _LOCKED or entry.compress_type == _AES:
        return ("locked", "") if promised or not place.suffix else ("other", "")
    if entry.compress_type not in _PACKINGS or entry.flag_bits & _PATCHED:
        packing = _PACKING_NAMES.get(entry.compress_type, str(entry.compress_type))
        return (
            ("packing", packing)
            if promised in file_types.READ or not place.suffix
            else file_types.judge(place, b"")
        )
    try:
        with _open(archive, entry) as file:
            head = file.read(min(file_types.HEAD, entry.file_size))
    except DAMAGE:
        return "damaged", ""
    reason = file_types.judge(place, head)
    if reason is None and entry.file_size > MAX_MEMBER:
        return "bytes", f"{entry.file_size / 2**20:.0f}"
    return reason


def read_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Read one of the images that `inspect` found, up to its declared size.

    Raises one of DAMAGE if it is damaged.
    """
    # archive.read would unpack everything first and then cut it to the declared size.
    with _open(archive, entry) as member:
        return member.read(entry.file_size)


def _open(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> IO[bytes]:
    """Open a member to read.

    The name before the data may be encoded differently from the one in the list. For zipfile that is damage,
    so this function gives it the name before the data.
    """
    file = archive.fp
    assert file is not None, "the zip is closed"
    file.seek(entry.header_offset)
    header = file.read(_HEADER.size)
    if len(header) == _HEADER.size:
        fields = _HEADER.unpack(header)
        written = file.read(fields[10]).decode("utf-8" if fields[3] & UTF8_FLAG else "cp437")
        if written != entry.orig_filename:
            entry = copy(entry)
            entry.orig_filename = written
    return archive.open(entry)
