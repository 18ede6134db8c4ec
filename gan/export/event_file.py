"""The file of events that TensorBoard reads: one record after the other, appended and never changed.

A record is the length of its content (8 bytes, little-endian), a checksum (4), the content, and a checksum
(4). So a kill loses whole records at the end, and part of one. Reading the records needs no package.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

FOLDER = "tensorboard"  # in a run's directory
FILE = "events.out.tfevents.ganarium"  # TensorBoard looks for “tfevents” in the name
_HEAD, _TAIL = struct.Struct("<QI"), struct.Struct("<I")


def records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (place behind the record, its content) of each whole record of a file."""
    with open(path, "rb") as file:
        size, place = os.fstat(file.fileno()).st_size, 0
        while place + _HEAD.size <= size:
            length, _ = _HEAD.unpack(file.read(_HEAD.size))
            place += _HEAD.size + length + _TAIL.size
            if place > size:  # a damaged length must not ask for that much memory either
                return
            yield place, file.read(length)
            file.seek(place)


def whole_size(path: Path) -> int:
    """Return the bytes of the whole records of a file, up to one that a kill cut off."""
    place = 0
    for place, _ in records(path):  # noqa: B007  # the last one
        pass
    return place


class EventFile:
    """A file of events, open at the end of its whole records."""

    def __init__(self, path: Path):
        """Open a file, or create it. Raises OSError."""
        if path.exists():
            os.truncate(path, whole_size(path))
        self._file = open(path, "ab")  # noqa: SIM115  # closed by close()

    def write(self, content: bytes) -> None:
        """Append a record."""
        from tensorboardX.record_writer import masked_crc32c

        length = len(content).to_bytes(8, "little")
        head = _HEAD.pack(len(content), masked_crc32c(length))
        self._file.write(head + content + _TAIL.pack(masked_crc32c(content)))

    def flush(self) -> None:
        """Hand all records to the system, so that other processes see them."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
