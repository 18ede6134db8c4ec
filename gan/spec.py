"""What a pair of networks looks like, and the header of a generator's file. Imports no torch: models are
listed from their headers alone.

A file may come from anywhere, so that whatever it declares is checked before anything is allocated by it.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gan.config import RunConfig
from gan.errors import UserError

FORMAT = "ganarium-2"
MAX_HEADER = 2**22  # bytes; ours have about 3,000
MAX_CLASSES = 1000
# fields that a run has under the same name
_LIKE_A_RUN = ("architecture", "size", "channels", "z_dim", "width", "pixel", "clusters")


@dataclass(frozen=True)
class ModelSpec:
    """What a pair of networks looks like; num_classes 0 means without class labels, pixel is the side of the
    blocks that pixel art is made of.
    """

    architecture: str
    size: int
    channels: int
    z_dim: int
    width: int
    num_classes: int = 0
    pixel: int = 1
    clusters: int = 1

    @property
    def groups(self) -> int:
        """How many pairs of class and cluster there are; 0 where networks are told neither."""
        return max(1, self.num_classes) * self.clusters if self.num_classes or self.clusters > 1 else 0

    @classmethod
    def from_json(cls, value: Any) -> "ModelSpec":
        """The spec in a header. Raises ValueError where a field is missing or unknown, and for networks that
        no run here could have.
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
        """A plain dict, which `from_json` reads."""
        return dataclasses.asdict(self)


def read_header(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The tensors that a safetensors file declares, name -> {"dtype", "shape", ...}, and its metadata; none
    of the tensors is loaded.

    Such a file begins with the length of a JSON header (8 bytes, little-endian) and that header. Raises
    OSError where the file can't be read, ValueError where it is none or its header is longer than MAX_HEADER.
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
    """The bytes of a safetensors file with the names in its header's metadata sorted, so that equal models
    are equal files.

    The safetensors library puts these down in another order each time. The offsets of tensors count from the
    end of the header and stay as they are.
    """
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8, as the library has them
    return len(text).to_bytes(8, "little") + text + content[end:]


def read_spec(metadata: dict[str, str]) -> ModelSpec:
    """The spec in the metadata of a generator's file. Raises ValueError."""
    try:
        return ModelSpec.from_json(json.loads(metadata["model"]))
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("it names no model") from error
