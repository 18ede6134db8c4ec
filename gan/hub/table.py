"""Stream the images of a parquet table on the Hub, row by row, without a download of the whole file.

pyarrow reads the table through ranges of the file: the columns that are needed, page by page. The bytes of an
image are handed on as they are, so that only gan.data.decode opens them. Needs the package pyarrow.

A table may be made to do harm. Its own figures are checked first, but they may lie: a page of some kilobytes
may unpack to 2 GB. So gan.hub.sets reads tables in a process whose memory is limited.
"""

import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from gan.data.own import file_types
from gan.data.own.archives import MAX_RATIO, MAX_TOTAL
from gan.errors import UserError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

PACKAGE = "pyarrow>=17,<27"  # the extra hub-data
BUFFER = 4 * 2**20  # bytes of one range of a column
MAX_FOOTER = 16 * 2**20  # bytes of the list of columns and row groups at the end of a file
MAX_READ = 256 * 2**20  # bytes of one page, packed
MAX_DOWNLOAD = MAX_TOTAL + 2**28  # bytes of all files of a table: the images, and what stands between them
EXPANDS_FROM = 64 * 2**20  # unpacked bytes of a column in a row group from which MAX_RATIO counts
END = 8  # bytes of the end of a file: the length of the footer, and "PAR1"
_TRAIN = re.compile(r"(^|[/_.-])train", re.IGNORECASE)
_PART = re.compile(r"-\d{5}-of-\d{5}")


class Row(NamedTuple):
    """One row: its number from 0, the bytes of its image or None, and its class number or None."""

    number: int
    content: bytes | None
    label: int | None


class _Allowance:
    """The bytes that may still be downloaded for a table."""

    def __init__(self, left: int):
        self.left = left

    def spend(self, size: int, name: str) -> None:
        """Take `size` bytes. Raises UserError where fewer are left."""
        self.left -= size
        if self.left < 0:
            raise UserError("hub.set_too_large", name=name, gigabytes=MAX_TOTAL >> 30)


class Columns(NamedTuple):
    """The columns to read. `label` is "" and `classes` is () for a table without classes."""

    image: str
    nested: bool  # the bytes are in the field "bytes" of a struct
    label: str = ""
    classes: tuple[str, ...] = ()


def choose(files: Sequence[str]) -> list[str]:
    """Return the files of one table, in order: those for training, else those of the first split.

    Of several folders, which hold configurations, the first counts.
    """
    found = sorted(file for file in files if _TRAIN.search(file)) or sorted(files)
    first = PurePosixPath(found[0])
    split = _PART.sub("", first.stem)
    return [
        file
        for file in found
        if PurePosixPath(file).parent == first.parent
        and (_PART.sub("", PurePosixPath(file).stem) == split or not _PART.search(first.stem))
    ]


def read_rows(api: "HfApi", name: str, addresses: Sequence[tuple[str, int]]) -> Iterator[Row | Columns]:
    """Yield the table's columns, and then its rows in order.

    addresses: URL and size of each file. Raises UserError for a table without images or with damage, for one
    that needs too much memory or downloads, and without pyarrow.
    """
    number, columns, allowance = 0, None, _Allowance(MAX_DOWNLOAD)
    for url, size in addresses:
        with _damage_told(name):
            table = _open(_Remote(api, name, url, size, allowance))
            found = find_columns(table.schema_arrow, name)
            if columns is None:
                columns = found
                yield columns
            elif found[:3] != columns[:3]:
                raise UserError("hub.set_damaged", name=name)
            for content, label in _values(table, columns, name):
                yield Row(number, content, label)
                number += 1


def _open(file: "_Remote") -> Any:
    try:
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise UserError("hub.no_pyarrow", name=file.called, package=PACKAGE) from error
    file.seek(-min(END, file.size), io.SEEK_END)
    if MAX_FOOTER < int.from_bytes(file.read(END)[:4], "little") < file.size:  # pyarrow refuses a longer one
        raise _needs_memory(file.called)
    # With a buffer, a column is read by pages. A row group, which may be the whole table, is never in memory.
    return parquet.ParquetFile(file, buffer_size=BUFFER, pre_buffer=False)


@contextmanager
def _damage_told(name: str) -> Iterator[None]:
    """Turn what pyarrow raises for a damaged table into a UserError."""
    try:
        yield
    except UserError:
        raise
    except MemoryError as error:
        raise _needs_memory(name) from error
    except Exception as error:
        if type(error).__module__.startswith("pyarrow") or type(error) in (OSError, EOFError):
            raise UserError("hub.set_damaged", name=name) from error
        raise


def _needs_memory(name: str) -> UserError:
    return UserError("hub.set_needs_memory", name=name)


def find_columns(schema: Any, name: str) -> Columns:
    """Return the first image column and the first column of class labels of an arrow schema.

    The features are what the library `datasets` wrote beside the schema. Without them, the first column of
    bytes counts. Raises UserError without an image column.
    """
    features = _features(schema)
    image = next(
        (
            (field.name, nested)
            for field in schema
            if features.get(field.name, {}).get("_type", "Image") == "Image"
            and (nested := _holds_bytes(field.type)) is not None
        ),
        None,
    )
    if image is None:
        raise UserError("hub.set_no_images", name=name, columns=", ".join(schema.names)[:200])
    for field in schema:
        feature = features.get(field.name, {})
        classes = feature.get("names") if _is_whole(field.type) else None
        if feature.get("_type") == "ClassLabel" and isinstance(classes, list) and classes:
            return Columns(*image, field.name, tuple(map(str, classes)))
    return Columns(*image)


def _holds_bytes(kind: Any) -> bool | None:
    """Return whether a column's bytes are nested in a struct, or None for a column without bytes."""
    from pyarrow import types

    if types.is_binary(kind) or types.is_large_binary(kind):
        return False
    inside = types.is_struct(kind) and kind.get_field_index("bytes") >= 0
    return True if inside and _holds_bytes(kind.field("bytes").type) is False else None


def _is_whole(kind: Any) -> bool:
    """Whether a column holds whole numbers: any other type could hold much in each row."""
    from pyarrow import types

    return bool(types.is_integer(kind))


def _features(schema: Any) -> dict[str, Any]:
    try:
        found = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError, RecursionError):
        return {}
    whole = isinstance(found, dict) and all(isinstance(one, dict) for one in found.values())
    return found if whole else {}


def _values(table: Any, columns: Columns, name: str) -> Iterator[tuple[bytes | None, int | None]]:
    """Yield the bytes and the class number of each row. Raises UserError for a row group that expands much.

    Only one row is decoded at a time: a dictionary of one long value may give it to every row.
    """
    wanted = [f"{columns.image}.bytes" if columns.nested else columns.image]
    wanted += [columns.label] if columns.label else []
    for number in range(table.num_row_groups):
        _check_claims(table.metadata.row_group(number), wanted, name)
        for batch in table.iter_batches(1, row_groups=[number], columns=wanted, use_threads=False):
            [image] = batch.column(columns.image).to_pylist()
            label = batch.column(columns.label)[0].as_py() if columns.label else None
            content = image.get("bytes") if isinstance(image, dict) else image
            yield content or None, label if type(label) is int else None


def _check_claims(group: Any, wanted: Sequence[str], name: str) -> None:
    """Raise UserError for a row group whose own figures say that a wanted column expands beyond MAX_RATIO."""
    for number in range(group.num_columns):
        column = group.column(number)
        if column.path_in_schema in wanted and column.total_uncompressed_size > max(
            EXPANDS_FROM, MAX_RATIO * column.total_compressed_size
        ):
            raise _needs_memory(name)


class _Remote(io.RawIOBase):
    """A file on the Hub, of which only ranges are downloaded."""

    def __init__(self, api: "HfApi", name: str, url: str, size: int, allowance: _Allowance):
        super().__init__()
        self.api, self.called, self.url, self.size, self.place = api, name, url, size, 0
        self.allowance = allowance

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.size}[whence]
        return self.place

    def read(self, size: int | None = -1) -> bytes:
        end = self.size if size is None or size < 0 else min(self.place + size, self.size)
        content = self._range(self.place, end) if end > self.place else b""
        self.place += len(content)
        return content

    def _range(self, start: int, end: int) -> bytes:
        """Download the bytes from start to end.

        Raises what the client raises, and UserError for too many bytes and for others than these.
        """
        if end - start > MAX_READ:
            raise _needs_memory(self.called)
        self.allowance.spend(end - start, self.called)
        from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

        headers = build_hf_headers(token=self.api.token, library_name="ganarium")
        headers["Range"] = f"bytes={start}-{end - 1}"
        found = bytearray()
        with get_session().stream("GET", self.url, headers=headers) as response:
            if response.status_code >= 400:
                response.read()  # the error's own words
            hf_raise_for_status(response)
            # A server that ignores the range would send the whole file.
            for part in response.iter_bytes() if response.status_code == 206 else ():
                found += part
                if len(found) > end - start:
                    break
        if len(found) != end - start:
            raise UserError("hub.broken", name=self.called)
        return bytes(found)


def is_picture(file: str) -> bool:
    """Whether the name of a file promises an image that can be decoded."""
    return file_types.named(PurePosixPath(file)) in file_types.READ
