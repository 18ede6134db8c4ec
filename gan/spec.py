"""The spec of a pair of networks, and the header of a generator's file.

It does not import torch, so that models can be listed from their headers alone. A file may come from
anywhere. So this module checks the sizes that it declares before anything allocates memory.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gan.config import RunConfig
from gan.errors import UserError

FORMAT = "ganarium-3"
MAX_HEADER = 2**22  # bytes; ours have about 3,000
MAX_CLASSES = 1000
# fields with the same name in RunConfig
SHAPE = ("architecture", "size", "channels", "z_dim", "width", "pixel")
_LIKE_A_RUN = (*SHAPE, "clusters")


@dataclass(frozen=True)
class ModelSpec:
    """The shape of a pair of networks."""

    architecture: str
    size: int
    channels: int
    z_dim: int
    width: int
    num_classes: int = 0  # 0 means no class labels
    pixel: int = 1  # side of the blocks in pixel art
    clusters: int = 1  # per class

    @property
    def groups(self) -> int:
        """The number of pairs of class and cluster; 0 without conditioning."""
        return max(1, self.num_classes) * self.clusters if self.num_classes or self.clusters > 1 else 0

    def shape(self) -> dict[str, Any]:
        """Return the settings that decide the shapes of the weights, apart from classes and clusters."""
        return {name: getattr(self, name) for name in SHAPE}

    @classmethod
    def from_json(cls, value: Any) -> "ModelSpec":
        """Return the spec in a header.

        Raises ValueError for a missing or unknown field, and for networks that no run could have.
        """
        try:
            spec = cls(**value)
            RunConfig(**{name: getattr(spec, name) for name in _LIKE_A_RUN})
        except (TypeError, UserError) as error:
            raise ValueError(str(error)) from error
        if type(spec.num_classes) is not int or not 0 <= spec.num_classes <= MAX_CLASSES:
            raise ValueError(f"it has {spec.num_classes!r} classes"[:80])
        return spec

    def to_json(self) -> dict[str, Any]:
        """Return a plain dict, which `from_json` reads."""
        return dataclasses.asdict(self)


def read_header(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the tensors that a safetensors file declares (name -> {"dtype", "shape", ...}) and its metadata.

    It loads no tensor. A file begins with the length of its JSON header (8 bytes, little-endian) and the
    header. Raises OSError if it can't be read, and ValueError if it is no such file or its header exceeds
    MAX_HEADER.
    """
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length <= MAX_HEADER:
            raise ValueError("no header of a sensible length")
        text = file.read(length)
    try:
        header = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    metadata = header.pop("__metadata__", {}) if isinstance(header, dict) else None
    if not isinstance(metadata, dict) or not all(isinstance(entry, dict) for entry in header.values()):
        raise ValueError("no header of tensors")
    return header, metadata


def in_order(content: bytes) -> bytes:
    """Return a safetensors file with sorted metadata, so that equal models are equal files.

    The safetensors library writes metadata in a different order each time. Tensor offsets count from the end
    of the header, so they stay valid.
    """
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the library aligns tensors to 8 bytes
    return len(text).to_bytes(8, "little") + text + content[end:]


def read_spec(metadata: dict[str, str]) -> ModelSpec:
    """Return the spec in the metadata of a generator's file. Raises ValueError."""
    try:
        return ModelSpec.from_json(json.loads(metadata["model"]))
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("it names no model") from error
