"""Build generators and discriminators, and read and write their files.

ARCHITECTURES holds one pair of builders for each architecture. G maps a latent z (N, z_dim), z ~ N(0, I), to
images (N, C, H, W) in [-1, 1]. A conditional G also takes class labels (N,) int64. D maps images and groups
to logits (N,), or (N, positions) where it judges patches. Without clusters the groups are the labels
(models/conditioning.py).
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from safetensors.torch import load, load_file, save
from torch import nn

from gan.errors import UserError
from gan.files import write_bytes
from gan.models import dcgan, modern, projected
from gan.models.base import ImageGenerator, without_memory
from gan.spec import FORMAT, ModelSpec, in_order, read_header, read_spec

__all__ = [
    "ARCHITECTURES",
    "FORMAT",
    "ImageGenerator",
    "ModelSpec",
    "build_discriminator",
    "build_generator",
    "count_parameters",
    "load_discriminator",
    "load_generator",
    "save_generator",
    "without_memory",
]

Network = TypeVar("Network", bound=nn.Module)

# The dtypes that a generator file may contain.
_KINDS = {"F16", "BF16", "F32", "I64"}


class Architecture(NamedTuple):
    """The two builders of an architecture, and the names of the pretrained feature extractors inside its D.

    The names are keys of gan.metrics.extractors.EXTRACTORS.
    """

    generator: Callable[[ModelSpec], ImageGenerator]
    discriminator: Callable[[ModelSpec], nn.Module]
    extractors: tuple[str, ...] = ()


ARCHITECTURES: dict[str, Architecture] = {
    "modern": Architecture(modern.Generator, modern.Discriminator),
    "dcgan": Architecture(dcgan.Generator, dcgan.Discriminator),
    "projected": Architecture(modern.Generator, projected.Discriminator, extractors=("efficientnet",)),
}


def build_generator(spec: ModelSpec) -> ImageGenerator:
    """Build a generator with random weights.

    Its forward takes z (N, z_dim), labels (N,) int64 or None, and a blend or None. It returns images
    (N, C, H, W) in [-1, 1].
    """
    return ARCHITECTURES[spec.architecture].generator(spec)


def build_discriminator(spec: ModelSpec) -> nn.Module:
    """Build a discriminator with random weights.

    Its forward takes images (N, C, H, W) in [-1, 1] and groups (N,) int64 or None. It returns logits (N,), or
    (N, positions).
    """
    return ARCHITECTURES[spec.architecture].discriminator(spec)


def count_parameters(module: nn.Module) -> int:
    """Count the parameters of a module."""
    return sum(p.numel() for p in module.parameters())


def generator_file(generator: nn.Module, spec: ModelSpec) -> bytes:
    """Return a generator in half precision as a safetensors file, with its spec in the header."""
    return weights_file(generator.state_dict(), spec)


def weights_file(tensors: Mapping[str, torch.Tensor], spec: ModelSpec) -> bytes:
    """Return the state of G or of D as `generator_file` does."""
    plain = {
        name: (t.half() if t.is_floating_point() else t).detach().cpu().contiguous()
        for name, t in tensors.items()
    }
    metadata = {"format": FORMAT, "model": json.dumps(spec.to_json())}
    return in_order(save(plain, metadata))


def save_generator(path: Path, generator: nn.Module, spec: ModelSpec) -> None:
    """Write a generator as `generator_file` returns it. The write is atomic."""
    # safetensors' save_file raises no OSError on a full disk.
    write_bytes(path, generator_file(generator, spec))


def load_generator(path: Path) -> tuple[ImageGenerator, ModelSpec]:
    """Read a generator and its spec from a file: float32, evaluation mode, on the CPU.

    Raises UserError if the file is missing, damaged, of another version or holds NaN or infinity. It also
    raises UserError if the tensors do not fit the architecture in the header. The header is checked before
    any tensor is allocated, so a header that declares huge tensors costs no memory.
    """

    def wanted(spec: ModelSpec) -> ImageGenerator:
        with without_memory():
            return build_generator(spec)

    generator, spec = _load(path, wanted, build_generator)
    return generator.eval().requires_grad_(False), spec


def load_discriminator(path: Path, spec: ModelSpec) -> nn.Module:
    """Read the discriminator that belongs to a generator of this spec: float32, on the CPU, to train on.

    Raises UserError as `load_generator` does, and if the file is of another spec.
    """

    def build(found: ModelSpec) -> nn.Module:
        if found != spec:
            raise ValueError("a discriminator of other networks")
        return build_discriminator(spec)

    # The discriminator of `projected` holds a pretrained network, which can't be built without memory.
    return _load(path, build, build)[0]


def _load(
    path: Path, wanted: Callable[[ModelSpec], Network], build: Callable[[ModelSpec], Network]
) -> tuple[Network, ModelSpec]:
    """Read a network and its spec from a file; see `load_generator`.

    `wanted` builds the network whose tensors the header must declare. `build` builds the one to fill.
    """
    try:
        tensors, metadata = read_header(path)
        if metadata.get("format") != FORMAT:
            raise UserError(
                "models.other_version", path=path, found=str(metadata.get("format", "?"))[:40], wanted=FORMAT
            )
        spec = read_spec(metadata)
        _check_tensors(tensors, wanted(spec))
        network = build(spec)
        network.load_state_dict(
            {name: t.float() if t.is_floating_point() else t for name, t in read_tensors(path).items()}
        )
        # NaN weights would generate plain grey, like an untrained generator.
        if not all(tensor.isfinite().all() for tensor in network.state_dict().values()):
            raise UserError("models.not_finite", path=path)
    except UserError:
        raise
    # safetensors, json and torch each raise their own exceptions on a damaged file.
    except Exception as error:
        raise UserError("models.damaged", path=path, reason=type(error).__name__) from error
    return network, spec


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read the tensors of a safetensors file onto the CPU. Raises what safetensors raises.

    load_file accepts only paths that encode as text. Any other path is read into memory first.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return load(path.read_bytes())
    return load_file(path)


def _check_tensors(declared: dict[str, Any], network: nn.Module) -> None:
    """Raise ValueError unless a header declares exactly the tensors of this network."""
    wanted = {name: list(tensor.shape) for name, tensor in network.state_dict().items()}
    if {name: entry.get("shape") for name, entry in declared.items()} != wanted:
        raise ValueError("other tensors than its architecture has")
    if not {entry.get("dtype") for entry in declared.values()} <= _KINDS:
        raise ValueError("other kinds of numbers than a generator has")
