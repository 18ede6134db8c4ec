"""Stream the images of a parquet table on the Hub, row by row, without a download of the whole file.

pyarrow reads the table through ranges of the file: the columns that are needed, page by page. The bytes of an
image are handed on as they are, so that only gan.data.decode opens them. Needs the package pyarrow.
"""

import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from gan.data.own import file_types
from gan.errors import UserError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

PACKAGE = "pyarrow>=17,<27"  # the extra hub-data
BUFFER = 4 * 2**20  # bytes of one range of a column
BATCH = 16  # rows decoded at once
_TRAIN = re.compile(r"(^|[/_.-])train", re.IGNORECASE)
_PART = re.compile(r"-\d{5}-of-\d{5}")


class Row(NamedTuple):
    """One row: its number from 0, the bytes of its image or None, and its class number or None."""

    number: int
    content: bytes | None
    label: int | None


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

    addresses: URL and size of each file. Raises UserError for a table without images or with damage, and
    without pyarrow.
    """
    number, columns = 0, None
    for url, size in addresses:
        with _damage_told(name):
            table = _open(_Remote(api, name, url, size))
            found = find_columns(table.schema_arrow, name)
            if columns is None:
                columns = found
                yield columns
            elif found[:3] != columns[:3]:
                raise UserError("hub.set_damaged", name=name)
            for content, label in _values(table, columns):
                yield Row(number, content, label)
                number += 1


def _open(file: "_Remote") -> Any:
    try:
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise UserError("hub.no_pyarrow", name=file.called, package=PACKAGE) from error
    # With a buffer, a column is read by pages. A row group, which may be the whole table, is never in memory.
    return parquet.ParquetFile(file, buffer_size=BUFFER, pre_buffer=False)


@contextmanager
def _damage_told(name: str) -> Iterator[None]:
    """Turn what pyarrow raises for a damaged table into a UserError."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if type(error).__module__.startswith("pyarrow") or type(error) in (OSError, EOFError):
            raise UserError("hub.set_damaged", name=name) from error
        raise


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
        classes = feature.get("names")
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


def _features(schema: Any) -> dict[str, Any]:
    try:
        found = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError, RecursionError):
        return {}
    whole = isinstance(found, dict) and all(isinstance(one, dict) for one in found.values())
    return found if whole else {}


def _values(table: Any, columns: Columns) -> Iterator[tuple[bytes | None, int | None]]:
    """Yield the bytes and the class number of each row."""
    wanted = [f"{columns.image}.bytes" if columns.nested else columns.image, columns.label]
    for batch in table.iter_batches(batch_size=BATCH, columns=list(filter(None, wanted))):
        images = batch.column(columns.image).to_pylist()
        labels = batch.column(columns.label).to_pylist() if columns.label else [None] * len(images)
        for image, label in zip(images, labels, strict=True):
            content = image.get("bytes") if isinstance(image, dict) else image
            yield content or None, label if type(label) is int else None


class _Remote(io.RawIOBase):
    """A file on the Hub, of which only ranges are downloaded."""

    def __init__(self, api: "HfApi", name: str, url: str, size: int):
        super().__init__()
        self.api, self.called, self.url, self.size, self.place = api, name, url, size, 0

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
        """Download the bytes from start to end. Raises what the client raises, and UserError for others."""
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
