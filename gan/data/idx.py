"""Reading the IDX files of the MNIST family (http://yann.lecun.com/exdb/mnist/: magic 0 0 8 ndim, big-endian
sizes, bytes).
"""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import torch


def read_idx(path: Path) -> np.ndarray:
    """The uint8 array of an IDX file, gzipped or not. Raises OSError where it can't be read, ValueError where
    it is no whole IDX file of bytes.
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
    """The images, uint8 (N, 1, H, W), and labels, int64 (N,), of "train" or "t10k" in a folder of IDX files,
    gzipped or not.

    Raises OSError where one is missing or can't be read, ValueError where one is damaged or they do not
    belong together.
    """
    found = [next(folder.glob(f"{split}-{kind}-ubyte*"), None) for kind in ("images-idx3", "labels-idx1")]
    if None in found:
        raise FileNotFoundError(f"{folder} has no images or no labels of {split}")
    images, labels = (read_idx(path) for path in found)
    if images.ndim != 3 or not images.size or labels.shape != images.shape[:1]:
        raise ValueError(
            f"{folder}: images {images.shape} and labels {labels.shape} of {split} do not belong together"
        )
    return torch.from_numpy(images.copy())[:, None], torch.from_numpy(labels.copy()).long()
