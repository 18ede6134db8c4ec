"""Read and write the place of a mirror on the Hugging Face Hub: a bucket, or a dataset repository.

The client is asked only when something is to be transferred. Every failure becomes a sentence.
"""

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from gan.errors import UserError
from gan.hub.client import causes, open_client

PLACE = re.compile(r"(bucket|dataset):([A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})", re.ASCII)
# status of an answer -> its sentence
_REFUSALS = {
    401: "mirror.not_signed_in", 403: "mirror.forbidden", 404: "mirror.nowhere", 429: "mirror.too_often",
}  # fmt: skip
_STATUS = re.compile(r"\b(401|403|404|429)\b")

# names of errors, because their classes come with the client
_CUT_OFF = {"TimeoutException", "TransportError", "ConnectionError", "TimeoutError"}

Source = Path | bytes


class Entry(NamedTuple):
    """A file of the mirror. `handle` is what its client knows of it."""

    size: int
    handle: Any


class Remote(Protocol):
    """A place of files by path. Each method raises UserError with a sentence for any failure.

    owner: who owns the place on the Hub. token: the token that opens it.
    """

    place: str
    owner: str
    token: str

    def create(self) -> None:
        """Create the place if it is missing, for its owner alone."""
        ...

    def listing(self, folder: str = "") -> dict[str, Entry]:
        """Return all files, or those below a folder. A missing folder has none."""
        ...

    def fetch(self, wanted: Mapping[str, tuple[Entry, Path]]) -> None:
        """Download files: path -> its entry, and where it goes."""
        ...

    def replace(self, add: Mapping[str, Source], last: Mapping[str, Source], gone: Sequence[str]) -> None:
        """Upload `add`, then `last`, then delete `gone`. A reader never finds `last` without `add`."""
        ...


def open_remote(text: str, token: str) -> "Remote":
    """Return the place that a setting names: bucket:owner/name or dataset:owner/name. Raises UserError."""
    found = PLACE.fullmatch(text.strip())
    if not found:
        raise UserError("mirror.bad_place", text=text[:100])
    kinds: dict[str, type[Bucket] | type[Dataset]] = {"bucket": Bucket, "dataset": Dataset}
    return kinds[found[1]](found[2], token)


def in_words(error: Exception, place: str) -> UserError:
    """Return the sentence for a failure of the Hub or of the network.

    The transfer library's errors carry the status in their text alone.
    """
    if isinstance(error, UserError):
        return error
    status = status_of(error)
    if status in _REFUSALS:
        return UserError(_REFUSALS[status], place=place)
    if is_cut_off(error):
        return UserError("mirror.offline", place=place)
    return UserError("mirror.refused", place=place, reason=first_line(error))


def status_of(error: Exception) -> int | None:
    """Return the status of the Hub's answer that an error tells of, or None."""
    answers = (getattr(getattr(one, "response", None), "status_code", None) for one in causes(error))
    status = next((answer for answer in answers if answer), None)
    found = _STATUS.search(str(error)) if status is None else None
    return int(found[1]) if found else status


def is_cut_off(error: Exception) -> bool:
    """Return whether an error says that no answer came."""
    kinds = {kind.__name__ for one in causes(error) for kind in type(one).__mro__}
    return status_of(error) is None and bool(kinds & _CUT_OFF)


def _is_no_entry(error: Exception) -> bool:
    """Return whether an error says that a place has no such folder, while the place itself exists."""
    return any(type(one).__name__.endswith("EntryNotFoundError") for one in causes(error))


def first_line(error: Exception) -> str:
    """Return the first line of an error's text, without addresses."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return re.sub(r"\s*https?://\S+", "", lines[0])[:200]


class Bucket:
    """A storage bucket. Its files go through the library hf_xet, and a batch is no transaction."""

    def __init__(self, name: str, token: str):
        self.name, self.place, self.token = name, f"bucket:{name}", token
        self.owner = name.partition("/")[0]

    def create(self) -> None:
        try:
            open_client(self.token).create_bucket(self.name, private=True, exist_ok=True)
        except Exception as error:
            raise in_words(error, self.place) from error

    def listing(self, folder: str = "") -> dict[str, Entry]:
        try:
            found = open_client(self.token).list_bucket_tree(self.name, folder or None, recursive=True)
            files = {file.path: Entry(file.size, file) for file in found if file.type == "file"}
            return _below(files, folder)
        except Exception as error:
            if folder and _is_no_entry(error):
                return {}
            raise in_words(error, self.place) from error

    def fetch(self, wanted: Mapping[str, tuple[Entry, Path]]) -> None:
        files: list[Any] = [(entry.handle, target) for entry, target in wanted.values()]
        try:
            open_client(self.token).download_bucket_files(self.name, files)
        except Exception as error:
            raise in_words(error, self.place) from error

    def replace(self, add: Mapping[str, Source], last: Mapping[str, Source], gone: Sequence[str]) -> None:
        try:
            hub = open_client(self.token)
            for part in (add, last):
                if part:
                    hub.batch_bucket_files(self.name, add=[(source, path) for path, source in part.items()])
            if gone:
                hub.batch_bucket_files(self.name, delete=list(gone))
        except Exception as error:
            raise in_words(error, self.place) from error


class Dataset:
    """A dataset repository. Each change is one commit, and its history keeps what was deleted."""

    def __init__(self, name: str, token: str):
        self.name, self.place, self.token = name, f"dataset:{name}", token
        self.owner = name.partition("/")[0]

    def create(self) -> None:
        try:
            open_client(self.token).create_repo(self.name, repo_type="dataset", private=True, exist_ok=True)
        except Exception as error:
            raise in_words(error, self.place) from error

    def listing(self, folder: str = "") -> dict[str, Entry]:
        try:
            found = open_client(self.token).list_repo_tree(
                self.name, folder or None, repo_type="dataset", recursive=True
            )
            return {file.path: Entry(file.size, None) for file in found if hasattr(file, "size")}
        except Exception as error:
            if folder and _is_no_entry(error):
                return {}
            raise in_words(error, self.place) from error

    def fetch(self, wanted: Mapping[str, tuple[Entry, Path]]) -> None:
        try:
            for path, (_, target) in wanted.items():
                folder = target.parent / f".{target.name}.hub"
                got = open_client(self.token).hf_hub_download(
                    self.name, path, repo_type="dataset", local_dir=folder
                )  # fmt: skip
                shutil.move(got, target)
                shutil.rmtree(folder, ignore_errors=True)
        except Exception as error:
            raise in_words(error, self.place) from error

    def replace(self, add: Mapping[str, Source], last: Mapping[str, Source], gone: Sequence[str]) -> None:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        operations: list[Any] = [
            CommitOperationAdd(path, source if isinstance(source, bytes) else str(source))
            for path, source in _both(add, last)
        ]
        operations += [CommitOperationDelete(path) for path in gone]
        try:
            open_client(self.token).create_commit(
                self.name, operations, commit_message="GANarium's runs", repo_type="dataset"
            )  # fmt: skip
        except Exception as error:
            raise in_words(error, self.place) from error


def _below(files: dict[str, Entry], folder: str) -> dict[str, Entry]:
    """Return the files below a folder, "" for all. A bucket also lists those whose paths go on after it."""
    return {path: entry for path, entry in files.items() if not folder or path.startswith(f"{folder}/")}


def _both(add: Mapping[str, Source], last: Mapping[str, Source]) -> Iterable[tuple[str, Source]]:
    return [*add.items(), *last.items()]
