"""Reading the IDX files of the MNIST family (http://yann.lecun.com/exdb/mnist/: magic 0 0 8 ndim, big-endian sizes, bytes)."""

import gzip
from pathlib import Path

import numpy as np
import torch


def read_idx(path: Path) -> np.ndarray:
    """The uint8 array of an IDX file, gzipped or not."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    assert data[:3] == b"\0\0\x08", f"{path} is not an IDX file of bytes"
    shape = [int.from_bytes(data[4 + 4 * i:8 + 4 * i], "big") for i in range(data[3])]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def read_split(folder: Path, split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The images, uint8 (N, 1, H, W), and labels, int64 (N,), of "train" or "t10k" in a folder of IDX files, gzipped or not.

    Raises OSError where one is missing.
    """
    found = [next(folder.glob(f"{split}-{kind}-ubyte*"), None) for kind in ("images-idx3", "labels-idx1")]
    if None in found:
        raise FileNotFoundError(f"{folder} has no images or no labels of {split}")
    images, labels = found
    return torch.from_numpy(read_idx(images).copy())[:, None], torch.from_numpy(read_idx(labels).copy()).long()
