"""Read the IDX files of the MNIST family (http://yann.lecun.com/exdb/mnist/).

An IDX file holds the magic bytes 0 0 8 ndim, the sizes in big-endian order, and the data bytes.
"""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import torch


def read_idx(path: Path) -> np.ndarray:
    """Read the uint8 array of an IDX file, gzipped or not.

    Raises OSError if the file is unreadable, and ValueError if it is not a complete IDX file of bytes.
    """
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is cut short or damaged") from error
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is not an IDX file of bytes")
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
    if len(data) != 4 + 4 * len(shape) + math.prod(shape):
        raise ValueError(f"{path} is cut short or damaged")
    return np.frombuffer(data, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def read_split(folder: Path, split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Read the split "train" or "t10k" from a folder of IDX files, gzipped or not.

    Returns images uint8 (N, 1, H, W) and labels int64 (N,). Raises OSError if a file is missing or
    unreadable. Raises ValueError if a file is damaged or the two do not belong together.
    """
    pictures = next(folder.glob(f"{split}-images-idx3-ubyte*"), None)
    numbers = next(folder.glob(f"{split}-labels-idx1-ubyte*"), None)
    if pictures is None or numbers is None:
        raise FileNotFoundError(f"{folder} has no images or no labels of {split}")
    images, labels = read_idx(pictures), read_idx(numbers)
    if images.ndim != 3 or not images.size or labels.shape != images.shape[:1]:
        raise ValueError(
            f"{folder}: images {images.shape} and labels {labels.shape} of {split} do not belong together"
        )
    return torch.from_numpy(images.copy())[:, None], torch.from_numpy(labels.copy()).long()
