"""List the images of a folder or zip, how to read each, and the files that are left out.

Images are not decoded here. Imports neither torch nor Pillow.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from gan.data.own import archives, file_types
from gan.data.own.report import LeftOut
from gan.data.own.zip_names import read_folder_names
from gan.errors import UserError

_UNITS = {"pixels": "MP", "bytes": "MB"}  # units of a reason's detail


class Member(NamedTuple):
    """One file that starts with the bytes of an image format.

    `place` is its path in the folder or zip. `read` returns its content.
    """

    place: PurePosixPath
    read: Callable[[], bytes]


class Members(NamedTuple):
    """The images in a fixed order, and the files that are left out.

    `names_read_as` is the code page guessed for a zip's names, or "" if none was guessed.
    """

    pictures: list[Member]
    left_out: list[LeftOut]
    names_read_as: str = ""


@contextmanager
def open_members(path: Path) -> Iterator[Members]:
    """Open a folder or zip and list its images. They can be read while the context is open.

    Raises UserError if the path is neither. Raises UserError for a zip over the limits, with links, or with
    paths that leave it.
    """
    if path.is_dir():
        yield _in_folder(path)
        return
    with archives.open_zip(path) as archive:
        pictures, left_out, read_as = archives.inspect(path, archive)
        yield Members(
            [Member(place, partial(archives.read_member, archive, info)) for place, info in pictures],
            left_out,
            read_as,
        )


def refuse_few(path: Path | str, usable: int, left_out: list[LeftOut]) -> None:
    """Raise UserError if fewer than two images are usable.

    If all other files share a reason that the user can fix, the error names that reason.
    """
    if usable >= 2:
        return
    missed = [entry for entry in left_out if entry.reason != "other"]
    details, reasons = (
        ", ".join(sorted({entry.detail for entry in missed})),
        {entry.reason for entry in missed},
    )
    if not usable and not missed:
        raise (
            UserError("data.no_pictures", path=path, examples=_examples(left_out))
            if left_out
            else UserError("data.empty", path=path)
        )
    if reasons == {"locked"}:
        raise UserError("data.locked", path=path)
    if reasons == {"packing"}:
        raise UserError("data.packing", path=path, packing=details)
    if reasons == {"kind"}:
        raise UserError(
            "data.other_kinds",
            path=path,
            count=len(missed),
            kinds=details,
            usable=usable,
            skipped=len(left_out),
            examples=_examples(left_out),
        )
    if reasons and reasons <= {"locked", "packing", "kind"}:
        raise UserError(
            "data.unread_kinds", path=path, examples=_examples(missed), usable=usable, skipped=len(left_out)
        )
    raise UserError(
        "data.too_few",
        path=path,
        usable=usable,
        skipped=len(left_out),
        examples=_examples(missed or left_out),
    )


def _examples(left_out: list[LeftOut]) -> str:
    """Format up to three file names with their details, each with another reason if possible.

    Returns "" if nothing was left out.
    """
    first = {entry.reason: entry for entry in reversed(left_out)}
    chosen = [*reversed(first.values()), *(entry for entry in left_out if entry is not first[entry.reason])][
        :3
    ]
    examples = [
        f"{entry.name} ({' '.join(filter(None, (entry.detail, _UNITS.get(entry.reason))))})"
        if entry.detail
        else entry.name
        for entry in chosen
    ]
    return f": {', '.join(examples)}{', …' if len(left_out) > len(examples) else ''}" if examples else ""


def _in_folder(folder: Path) -> Members:
    """List the images under a folder.

    It follows links, because anyone who can start this at a terminal can read their targets anyway.
    """
    files, left_out = _walk(folder)
    places = read_folder_names(["/".join(parts) for parts in files])
    found = []
    for place, path in zip(map(PurePosixPath, places), files.values(), strict=True):
        reason = _judge(place, path)
        if reason is None:
            found.append(Member(place, partial(_read_file, path)))
        else:
            left_out.append(LeftOut(str(place), *reason))
    return Members(found, left_out)


def _walk(folder: Path) -> tuple[dict[tuple[str, ...], Path], list[LeftOut]]:
    """List the files under a folder by their place, and the links and folders that cannot be followed.

    A folder's files come before those of its sub-folders. Each folder is entered once, so circular links end.
    Its own path takes precedence over links to it.
    """
    files: dict[tuple[str, ...], Path] = {}
    left_out: list[LeftOut] = []
    entered = {_identity(path) for path in (folder, *folder.resolve().parents)}
    folders: list[tuple[str, ...]] = [()]
    links: list[tuple[str, ...]] = []
    entries = 0
    while folders or links:
        if folders:
            parts = folders.pop()
        else:
            parts = links.pop()
            identity = _identity(folder.joinpath(*parts))
            if identity in entered:
                left_out.append(LeftOut("/".join(parts), "link"))
                continue
            entered.add(identity)
        try:
            with os.scandir(folder.joinpath(*parts)) as found:
                inside = sorted(found, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            if not parts:
                raise UserError("data.unreadable", path=folder, reason=error.strerror or error) from error
            left_out.append(LeftOut("/".join(parts), "rights"))
            continue
        entries += len(inside)
        if entries > archives.MAX_ENTRIES:
            raise UserError("data.too_many", path=folder, limit=archives.MAX_ENTRIES)
        for entry in inside:
            place = (*parts, entry.name)
            if file_types.is_system(PurePosixPath(entry.name)):
                continue
            if entry.is_dir(follow_symlinks=False):
                entered.add(_identity(Path(entry.path)))
                folders.append(place)
            elif entry.is_symlink() and _identity(Path(entry.path)) is None:
                left_out.append(LeftOut("/".join(place), "link"))
            elif entry.is_symlink() and os.path.isdir(entry.path):
                links.append(place)
            else:
                files[place] = Path(entry.path)
    order = sorted(files, key=lambda place: [*((True, part) for part in place[:-1]), (False, place[-1])])
    return {place: files[place] for place in order}, left_out


def _identity(path: Path) -> tuple[int, int] | None:
    """Identify the file or folder behind a path by device and inode.

    Returns None for a link to nothing or a circular link.
    """
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _judge(place: PurePosixPath, path: Path) -> tuple[str, str] | None:
    """Return reason and detail why a file is left out; None for an image."""
    try:
        if not path.is_file():  # reading a pipe would block
            return "other", ""
        with open(path, "rb") as file:
            reason = file_types.judge(place, file.read(file_types.HEAD))
        size = path.stat().st_size
    except PermissionError:
        return ("rights", "") if file_types.named(place) or not place.suffix else ("other", "")
    except OSError:
        return "damaged", ""
    return ("bytes", f"{size / 2**20:.0f}") if reason is None and size > archives.MAX_MEMBER else reason


def _read_file(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(archives.MAX_MEMBER)
