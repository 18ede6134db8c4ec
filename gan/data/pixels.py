"""Find room for the pixels of a data set: in memory up to a quarter of it, else in a file on disk.

The file is mapped into memory, so that it is read like any array. The system holds as much of it in memory as
there is free. The file has no name, and vanishes with the process.
"""

import os
import tempfile
from pathlib import Path

import numpy as np

from gan.data.cache import cache_dir
from gan.device import memory_limit
from gan.errors import UserError
from gan.files import FULL, free_bytes

SHARE = 4  # a data set is held in memory up to this part of it: of the computer's, or of a GPU's
DISK_SHARE = 2  # it takes at most this part of what is free on the disk
BLOCK = 2**24  # bytes written at a time


def held(size: int, memory: int | None = None) -> bool:
    """Return whether `size` bytes of pixels are held in `memory` bytes, by default the computer's."""
    return size <= (memory_limit() if memory is None else memory) // SHARE


def has_room(folder: Path, size: int) -> bool:
    """Return whether `size` bytes are at most half of what is free on the disk of a folder."""
    return size <= free_bytes(folder) // DISK_SHARE


def make_room(count: int, channels: int, side: int) -> np.ndarray:
    """Return an array (count, channels, side, side) uint8 with any content, in memory or in a file.

    Raises UserError if both are too small, or the folder of the cache can't be written.
    """
    shape = (count, channels, side, side)
    size = count * channels * side * side
    if held(size):
        return np.empty(shape, np.uint8)
    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not has_room(folder, size):
            free = _gigabytes(free_bytes(folder))
            raise UserError("data.room", gigabytes=_gigabytes(size), size=side, free=free)
        with tempfile.TemporaryFile(dir=folder) as file:
            _reserve(file.fileno(), size)
            return np.memmap(file, np.uint8, "r+", shape=shape)
    except OSError as error:
        if error.errno in FULL:
            raise UserError("data.room", gigabytes=_gigabytes(size), size=side, free="0") from error
        raise UserError("data.cache", folder=folder, reason=error.strerror) from error


def most(channels: int, side: int) -> int:
    """Return how many images of this shape `make_room` has room for."""
    return max(memory_limit() // SHARE, free_bytes(cache_dir()) // DISK_SHARE) // (channels * side * side)


def _reserve(file: int, size: int) -> None:
    """Give a file all its blocks. Where the disk filled up later, a write to the mapping would kill us."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
        return
    while size > 0:  # a write may take fewer bytes than it was given
        size -= os.write(file, bytes(min(BLOCK, size)))


def _gigabytes(size: int) -> str:
    return f"{size / 2**30:.1f}"
