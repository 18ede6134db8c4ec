"""The pictures of a folder or a zip, not yet decoded: where each lies, how to read it, and what is left out.
Imports neither torch nor Pillow.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from gan.data.own import archives, file_types
from gan.data.own.report import LeftOut
from gan.data.own.zip_names import read_folder_names
from gan.errors import UserError

_UNITS = {"pixels": "MP", "bytes": "MB"}  # of what a reason's detail counts


class Member(NamedTuple):
    """One file that is a picture by its first bytes: where it lies relative to the top, and how to read it
    whole.
    """

    place: PurePosixPath
    read: Callable[[], bytes]


class Members(NamedTuple):
    """The pictures in a fixed order, what is left out, and how a zip's names were read that do not say so (a
    code page, or "").
    """

    pictures: list[Member]
    left_out: list[LeftOut]
    names_read_as: str = ""


@contextmanager
def open_members(path: Path) -> Iterator[Members]:
    """The pictures of a folder or zip, to be read while this is open.

    Raises UserError for something that is neither, an archive over the limits or with links or ways out.
    """
    if path.is_dir():
        yield _in_folder(path)
        return
    with archives.open_zip(path) as archive:
        pictures, left_out, read_as = archives.inspect(path, archive)
        yield Members(
            [
                Member(place, lambda info=info: archives.read_member(archive, info))
                for place, info in pictures
            ],
            left_out,
            read_as,
        )


def refuse_few(path: Path | str, usable: int, left_out: list[LeftOut]) -> None:
    """Raise UserError where fewer than two pictures can be used: by the reason where all others have one that
    can be told what to do about.
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
    """Up to three names, of different reasons where there are, each with what its reason names; "" where
    nothing was left out.
    """
    first = {entry.reason: entry for entry in reversed(left_out)}
    chosen = [*reversed(first.values()), *(entry for entry in left_out if entry is not first[entry.reason])][
        :3
    ]
    told = [
        f"{entry.name} ({' '.join(filter(None, (entry.detail, _UNITS.get(entry.reason))))})"
        if entry.detail
        else entry.name
        for entry in chosen
    ]
    return f": {', '.join(told)}{', …' if len(left_out) > len(told) else ''}" if told else ""


def _in_folder(folder: Path) -> Members:
    """The pictures under a folder. Links are followed: who can start this at a terminal can read what they
    lead to.
    """
    files, left_out = _walk(folder)
    places = read_folder_names(["/".join(parts) for parts in files])
    found = []
    for place, path in zip(map(PurePosixPath, places), files.values(), strict=True):
        reason = _judge(place, path)
        if reason is None:
            found.append(Member(place, lambda path=path: _read_file(path)))
        else:
            left_out.append(LeftOut(str(place), *reason))
    return Members(found, left_out)


def _walk(folder: Path) -> tuple[dict[tuple[str, ...], Path], list[LeftOut]]:
    """Files under a folder by their places, in each folder before those of its sub-folders, and the links and
    folders that can't be followed.

    Each folder is entered once, by its own name where it has one here, so that no ring of links leads on for
    ever.
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
    """What tells that two paths lead to the same place; None for a link that leads to nothing,
    or in a ring.
    """
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _judge(place: PurePosixPath, path: Path) -> tuple[str, str] | None:
    """Why a file is left out, as reason and detail; None for a picture."""
    try:
        if not path.is_file():  # a pipe would be waited for
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
