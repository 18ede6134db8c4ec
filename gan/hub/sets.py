"""Pull pictures of a data set from the Hub into a zip:  python -m gan.hub.sets NAME --into FOLDER

The first rows of a table, the files of a folder, or a zip become one zip, which is then read as every upload
is. The commit pins it. So a run that learns from it resumes exactly, and without the internet. No code of a
repository runs, and nothing here decodes an image.
"""

import argparse
import errno
import hashlib
import itertools
import os
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gan import console
from gan.data.cache import cache_dir
from gan.data.names import HUB, hub_file
from gan.data.own import archives
from gan.data.own.archives import MAX_ENTRIES, MAX_MEMBER, MAX_TOTAL
from gan.data.own.file_types import HEAD, kind_of
from gan.data.own.report import LeftOut
from gan.data.own.source import UNSTATED, Source, folder_of, printable, write_source
from gan.errors import UserError, refuse_if_full
from gan.files import FULL, free_bytes
from gan.hub import child
from gan.hub.client import Token, in_words, limited, open_client
from gan.hub.staging import staging
from gan.hub.table import Columns, choose, is_picture, read_rows
from gan.latent.catalogue import HUB_ID
from gan.runs.disk import SPARE
from gan.runs.processes import tell

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import DatasetInfo

CAP, MOST = 10_000, MAX_ENTRIES  # pictures of a set, if nobody says otherwise, and at most
PAGE = "https://huggingface.co/datasets/"
CONVERTED = "refs/convert/parquet"  # the branch on which the Hub keeps each public set as tables
ABREAST = 8  # files downloaded at once
_PART = re.compile(r'[^\x00-\x1f\x7f\\/:*?"<>|#%@.][^\x00-\x1f\x7f\\/:*?"<>|#%@]{0,119}')
MAX_PARTS = 10  # folders of a path
_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WebP": ".webp"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the time of each member, so that equal pictures make equal zips
# The client's errors have sentences about models.
_OF_A_SET = {
    "hub.unknown": "hub.set_unknown",
    "hub.bad_id": "hub.set_bad_name",
    "hub.gated": "hub.set_forbidden",
    "hub.forbidden": "hub.set_forbidden",
    "hub.unknown_file": "hub.set_no_place",
}


class Wanted(NamedTuple):
    """What a name means: a repository, a revision or None, and a path in the repository or ""."""

    repository: str
    revision: str | None
    path: str

    @property
    def name(self) -> str:
        """The name without its revision."""
        return f"{HUB}{self.repository}{'/' * bool(self.path)}{self.path}"

    @property
    def address(self) -> str:
        """The whole name, which `parse` reads again."""
        revision = f"@{self.revision}" if self.revision else ""
        return f"{HUB}{self.repository}{revision}{'/' * bool(self.path)}{self.path}"


class Picture(NamedTuple):
    """A picture of a set: its place in the zip without a suffix, its bytes, and its suffix or ""."""

    place: str
    content: bytes
    suffix: str = ""


class _Found(NamedTuple):
    """What a repository offers: the commit, the files with their sizes, and the card of the set."""

    commit: str
    files: dict[str, int]
    info: "DatasetInfo"


def parse(text: str) -> Wanted:
    """Read "hub:owner/name[@revision][/path]", or the address of a set's page. Raises UserError."""
    parts = text.strip().removeprefix(PAGE).removeprefix(HUB).rstrip("/").split("/")
    match = HUB_ID.fullmatch(HUB + "/".join(parts[:2]))
    path = parts[2:]
    if match is None or len(path) > MAX_PARTS or not all(map(_PART.fullmatch, path)):
        raise UserError("hub.set_bad_name", name=printable(text, 120))
    return Wanted(f"{match[1]}/{match[2]}", match[3], "/".join(path))


def pull_set(
    text: str,
    cap: int = CAP,
    root: Path | None = None,
    token: Token = None,
    client: "HfApi | None" = None,
    known: Path | None = None,
    most: int = MOST,
) -> Path:
    """Pull at most `cap` pictures into a zip below `root`, by default in the cache. Returns the zip's path.

    text: see `parse`. token: False for anonymous requests, None for the saved token. known: a folder with
    sets of earlier pulls. A set that is in one of both folders at its newest commit is not downloaded again.
    most: a lower limit for the number, so that there is room for the pictures. Raises UserError, and then
    leaves nothing behind.
    """
    wanted = parse(text)
    if not 2 <= cap <= MOST:
        raise UserError("hub.set_cap", most=MOST)
    cap = max(2, min(cap, most))
    root, api = root or cache_dir() / "hub-data", client or open_client(token)
    with in_words(wanted.name, _OF_A_SET):
        found = _look(api, wanted)
        file = hub_file(*wanted.repository.split("/"))
        folder = f"hub-{_key(wanted.path, found.commit, cap)}"
        for place in filter(None, (root, known)):
            if (place / folder / file).is_file():
                return place / folder / file
        with staging(root) as here:
            (here / "set").mkdir()
            source = _fill(api, wanted, found, cap, here / "set" / file)
            write_source(here / "set" / file, source)
            _settle(here / "set", root / folder, file)
        return root / folder / file


def _settle(done: Path, folder: Path, file: str) -> None:
    """Move the folder of a set to its place, unless another process has pulled the same meanwhile.

    Raises OSError where the folder is there without the file: it is that of a renamed repository.
    """
    try:
        done.replace(folder)
    except OSError:
        if not (folder / file).is_file():
            raise


def pull_apart(text: str, cap: int = CAP, most: int = MOST) -> Path:
    """Pull as `pull_set` does with the saved token, in a process of its own. Raises UserError."""
    command = [sys.executable, "-m", "gan.hub.sets", text, "--cap", str(cap), "--most", str(most)]
    into = (cache_dir() / "hub-data").absolute()
    return Path(child.ask([*command, "--into", str(into), "--saved-token"], text)["path"])


def _key(path: str, commit: str, cap: int) -> str:
    """Return 16 hexadecimal digits for what decides the pictures of a set."""
    return hashlib.sha256(f"{commit}\n{cap}\n{path}".encode()).hexdigest()[:16]


def _look(api: "HfApi", wanted: Wanted) -> _Found:
    """Find the commit and its files. Without a table there, use the branch of converted tables."""
    info = api.dataset_info(wanted.repository, revision=wanted.revision, files_metadata=True)
    found = _Found(str(info.sha), _below(info, wanted.path), info)
    if wanted.path:
        if not found.files:
            raise UserError("hub.set_no_place", name=wanted.name)
        return found
    if not _tables(found) and wanted.revision is None:
        found = _converted(api, wanted, info) or found
    if not _tables(found):
        raise UserError("hub.set_no_table", name=wanted.name)
    return found


def _converted(api: "HfApi", wanted: Wanted, info: "DatasetInfo") -> _Found | None:
    from huggingface_hub.errors import RevisionNotFoundError

    try:
        other = api.dataset_info(wanted.repository, revision=CONVERTED, files_metadata=True)
    except RevisionNotFoundError:
        return None
    return _Found(str(other.sha), _below(other, ""), info)


def _below(info: "DatasetInfo", path: str) -> dict[str, int]:
    """Return the files at a path with their sizes: the file itself, or those of the folder."""
    return {
        file.rfilename: file.size or 0
        for file in info.siblings or ()
        if not path or file.rfilename == path or file.rfilename.startswith(f"{path}/")
    }


def _tables(found: _Found) -> list[str]:
    return [file for file in found.files if file.endswith(".parquet")]


def _fill(api: "HfApi", wanted: Wanted, found: _Found, cap: int, archive: Path) -> Source:
    """Write the zip of a set and return its description. Raises UserError."""
    classes: tuple[str, ...] = ()
    left_out: list[LeftOut] = []
    if tables := _tables(found):
        rows = read_rows(api, wanted.name, _addresses(api, wanted, found, choose(tables)))
        columns = next(rows)
        assert isinstance(columns, Columns)
        classes = columns.classes
        count = _write(wanted, archive, _of_rows(wanted, rows, classes, cap, left_out))
    elif wanted.path.lower().endswith(".zip") and wanted.path in found.files:
        count = _of_zip(api, wanted, found, cap, archive)
    else:
        count = _write(wanted, archive, _of_folder(api, wanted, found, cap, left_out, archive.parent))
    if not count:
        raise UserError("hub.set_empty", name=wanted.name)
    licence, title = _card(found.info)
    return Source(wanted.name, found.commit, licence, title, count, classes, tuple(left_out))


def _card(info: "DatasetInfo") -> tuple[str, str]:
    """Return licence and title from the card of a set, which anybody may have written."""
    card = info.card_data.to_dict() if info.card_data else {}
    licence, title = card.get("license"), card.get("pretty_name")
    listed = licence if isinstance(licence, list) else [licence]
    texts = [text for text in listed if isinstance(text, str) and text.strip()]
    return printable(", ".join(texts), 80) or UNSTATED, printable(title, 80) if isinstance(title, str) else ""


def _addresses(api: "HfApi", wanted: Wanted, found: _Found, files: Iterable[str]) -> list[tuple[str, int]]:
    from huggingface_hub import hf_hub_url

    return [
        (
            hf_hub_url(
                wanted.repository, file, repo_type="dataset", revision=found.commit, endpoint=api.endpoint
            ),
            found.files[file],
        )
        for file in files
    ]


def _of_rows(
    wanted: Wanted, rows: Iterator[Any], classes: tuple[str, ...], cap: int, left_out: list[LeftOut]
) -> Iterator[Picture]:
    """Yield the pictures of the first `cap` rows. Rows that hold none join `left_out`.

    Raises UserError where those that are too large are larger together than a zip may be.
    """
    skipped = 0
    for row in itertools.islice(rows, cap):  # which asks for no row behind them
        name = f"row-{row.number:06d}"
        if row.content is None:
            left_out.append(LeftOut(name, "no_bytes"))
        elif len(row.content) > MAX_MEMBER:
            skipped += len(row.content)
            if skipped > MAX_TOTAL:
                raise _too_large(wanted)
            left_out.append(LeftOut(name, "bytes", f"{len(row.content) / 2**20:.0f}"))
        else:
            suffix = _SUFFIXES.get(kind_of(row.content[:HEAD]), ".png")  # what is no image counts as damaged
            yield Picture(folder_of(row.label, classes) + name, row.content, suffix)


def _of_folder(
    api: "HfApi", wanted: Wanted, found: _Found, cap: int, left_out: list[LeftOut], here: Path
) -> Iterator[Picture]:
    """Yield the pictures of the first `cap` files of a folder, by name. Too large ones join `left_out`."""
    start = len(wanted.path) + 1 if wanted.path not in found.files else wanted.path.rfind("/") + 1
    names = sorted(file for file in found.files if is_picture(file))[:cap]
    small = [file for file in names if found.files[file] <= MAX_MEMBER]
    left_out += [
        LeftOut(file[start:], "bytes", f"{found.files[file] / 2**20:.0f}")
        for file in names
        if found.files[file] > MAX_MEMBER
    ]
    if sum(found.files[file] for file in small) > MAX_TOTAL:
        raise _too_large(wanted)
    # ABREAST files at a time, so that no more than these wait on the disk
    with ThreadPoolExecutor(ABREAST) as threads:
        for k in range(0, len(small), ABREAST):
            some = small[k : k + ABREAST]
            paths = threads.map(lambda file: _download(api, wanted, found, file, here), some)
            for file, path in zip(some, paths, strict=True):
                yield Picture(file[start:], path.read_bytes())
                path.unlink()


def _of_zip(api: "HfApi", wanted: Wanted, found: _Found, cap: int, archive: Path) -> int:
    """Download a zip. One of more than `cap` pictures becomes a zip of its first ones. Returns their number.

    Raises UserError for a zip that an upload may not be either.
    """
    if found.files[wanted.path] > MAX_TOTAL:
        raise _too_large(wanted)
    _check_room(wanted, archive.parent, found.files[wanted.path])
    path = _download(api, wanted, found, wanted.path, archive.parent)
    try:
        with archives.open_zip(path) as opened:
            pictures = archives.inspect(path, opened).pictures
            if len(pictures) > cap:
                first = pictures[:cap]
                # The download and its copy are on the disk together.
                _check_room(wanted, archive.parent, sum(one.info.file_size for one in first))
                return _write(wanted, archive, _of_members(opened, first))
    except archives.DAMAGE as error:
        refuse_if_full(error)
        if isinstance(error, OSError) and error.errno in FULL:
            raise
        raise UserError("data.damaged_zip", path=wanted.name) from error
    except UserError as error:
        raise UserError(error.key, **{**error.values, "path": wanted.name}) from error
    path.replace(archive)
    return len(pictures)


def _of_members(opened: zipfile.ZipFile, members: list[archives.ZipMember]) -> Iterator[Picture]:
    for one in members:
        yield Picture(str(one.place), archives.read_member(opened, one.info))


def _check_room(wanted: Wanted, folder: Path, size: int) -> None:
    """Raise UserError where the disk of a folder has no room for `size` bytes more."""
    if free_bytes(folder) < size + SPARE:
        raise UserError("hub.cannot_keep", name=wanted.name, reason=os.strerror(errno.ENOSPC))


def _download(api: "HfApi", wanted: Wanted, found: _Found, file: str, here: Path) -> Path:
    path = api.hf_hub_download(
        wanted.repository,
        file,
        repo_type="dataset",
        revision=found.commit,
        local_dir=here.parent / "files",
        cache_dir=here.parent / "cache",  # the user's own cache may hold files that this token can't read
        tqdm_class=limited(found.files[file] or MAX_TOTAL, UserError("hub.broken", name=wanted.name)),
    )
    return Path(path)


def _write(wanted: Wanted, archive: Path, pictures: Iterable[Picture]) -> int:
    """Write pictures to a zip, uncompressed, and return their number.

    Raises UserError if together they are larger than a zip may be.
    """
    count = size = 0
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as opened:
        for place, content, suffix in pictures:
            size += len(content)
            if size > MAX_TOTAL:
                raise _too_large(wanted)
            opened.writestr(zipfile.ZipInfo(place + suffix, _EPOCH), content)
            count += 1
    return count


def _too_large(wanted: Wanted) -> UserError:
    return UserError("hub.set_too_large", name=wanted.name, gigabytes=MAX_TOTAL >> 30)


def main(arguments: list[str] | None = None) -> int:
    """Pull, and print {"path"} or {"error": {key, values}} as JSON. Returns the exit status.

    Commands and the page's server call this as a process of its own, because the files of a repository are
    untrusted.
    """
    console.prepare()
    parser = argparse.ArgumentParser(
        prog="python -m gan.hub.sets", description="Pull pictures from the Hub into a zip."
    )
    parser.add_argument("name", help="hub:OWNER/NAME[@REVISION][/PATH]")
    parser.add_argument("--cap", type=int, default=CAP, help="pictures at most (default: %(default)s)")
    parser.add_argument("--most", type=int, default=MOST, help="a lower limit, of the room")
    parser.add_argument("--into", type=Path, required=True, help="the folder in which the zip is written")
    parser.add_argument("--known", type=Path, help="a folder with sets of earlier pulls")
    parser.add_argument("--saved-token", action="store_true", help="send the saved token, or HF_TOKEN")
    options = parser.parse_args(arguments)
    child.prepare(child.MEMORY)
    token = None if options.saved_token else False
    return tell(lambda: {"path": str(_pull_within(options, token))})


def _pull_within(options: argparse.Namespace, token: Token) -> Path:
    """Pull as `main` is asked to. Raises UserError, also where the memory of this process is full."""
    try:
        return pull_set(
            options.name, options.cap, options.into, token, known=options.known, most=options.most
        )
    except MemoryError as error:
        raise UserError("hub.set_needs_memory", name=options.name) from error


if __name__ == "__main__":
    sys.exit(main())
