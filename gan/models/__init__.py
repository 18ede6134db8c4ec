"""Generators and discriminators, and the file form of a generator.

An architecture is a pair of builders in ARCHITECTURES. G maps a latent z of shape (N, z_dim), z ~ N(0, I),
and class labels (N,) int64 where the model is conditional, to images (N, C, H, W) in [-1, 1]; D maps images
and groups, which are the labels where there are no clusters (models/conditioning.py), to logits (N,), or (N,
positions) where it judges parts of pictures.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load, load_file, save
from torch import nn

from gan.errors import UserError
from gan.files import write_bytes
from gan.models import dcgan, modern, projected
from gan.spec import FORMAT, ModelSpec, in_order, read_header, read_spec

__all__ = [
    "ARCHITECTURES",
    "FORMAT",
    "ModelSpec",
    "build_discriminator",
    "build_generator",
    "count_parameters",
    "load_generator",
    "save_generator",
]

# What a file may hold its numbers in; a generator has no others.
_KINDS = {"F16", "BF16", "F32", "I64"}


class Architecture(NamedTuple):
    """The two builders of an architecture, and the names of pretrained nets that its D looks through, as
    gan.metrics.extractors calls them.
    """

    generator: Callable[[ModelSpec], nn.Module]
    discriminator: Callable[[ModelSpec], nn.Module]
    extractors: tuple[str, ...] = ()


ARCHITECTURES: dict[str, Architecture] = {
    "modern": Architecture(modern.Generator, modern.Discriminator),
    "dcgan": Architecture(dcgan.Generator, dcgan.Discriminator),
    "projected": Architecture(modern.Generator, projected.Discriminator, extractors=("efficientnet",)),
}


def build_generator(spec: ModelSpec) -> nn.Module:
    """A fresh generator: forward(z (N, z_dim), labels (N,) int64 or None, blend or None) -> (N, C, H, W) in
    [-1, 1].
    """
    return ARCHITECTURES[spec.architecture].generator(spec)


def build_discriminator(spec: ModelSpec) -> nn.Module:
    """A fresh discriminator: forward(images (N, C, H, W) in [-1, 1], groups (N,) int64 or None) -> logits
    (N,).
    """
    return ARCHITECTURES[spec.architecture].discriminator(spec)


def count_parameters(module: nn.Module) -> int:
    """How many numbers the module learns."""
    return sum(p.numel() for p in module.parameters())


def save_generator(path: Path, generator: nn.Module, spec: ModelSpec) -> None:
    """Atomically write a generator in half precision with its spec in the header."""
    tensors = {
        name: (t.half() if t.is_floating_point() else t).detach().cpu().contiguous()
        for name, t in generator.state_dict().items()
    }
    metadata = {"format": FORMAT, "model": json.dumps(spec.to_json())}
    # not save_file, whose error on a full disk is no OSError
    write_bytes(path, in_order(save(tensors, metadata)))


def load_generator(path: Path) -> tuple[nn.Module, ModelSpec]:
    """The generator in a file, in float32 and evaluation mode on the CPU, and its spec.

    Raises UserError where the file is missing, damaged, of another version, holds NaN or infinity, or does
    not fit the architecture that it names. What the file declares is compared with that architecture first: a
    false promise costs no memory.
    """
    try:
        tensors, metadata = read_header(path)
        if metadata.get("format") != FORMAT:
            raise UserError(
                "models.other_version", path=path, found=str(metadata.get("format", "?"))[:40], wanted=FORMAT
            )
        spec = read_spec(metadata)
        _check_tensors(tensors, spec)
        generator = build_generator(spec)
        generator.load_state_dict(
            {name: t.float() if t.is_floating_point() else t for name, t in read_tensors(path).items()}
        )
        # would draw plain grey, as if it had learnt nothing
        if not all(tensor.isfinite().all() for tensor in generator.state_dict().values()):
            raise UserError("models.not_finite", path=path)
    except UserError:
        raise
    # safetensors, json and torch each have their own kinds of "this file is not what it should be"
    except Exception as error:
        raise UserError("models.damaged", path=path, reason=type(error).__name__) from error
    return generator.eval().requires_grad_(False), spec


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors in a safetensors file, on the CPU. Raises what safetensors raises.

    It opens files by their names as text; what has another name, or one that this terminal's encoding has
    not, is read before it sees it.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return load(path.read_bytes())
    return load_file(path)


def _check_tensors(declared: dict[str, Any], spec: ModelSpec) -> None:
    """Raises ValueError where these are not the tensors of a generator of this spec, which is built on the
    "meta" device: shapes without contents.
    """
    with torch.device("meta"):
        wanted = {name: list(tensor.shape) for name, tensor in build_generator(spec).state_dict().items()}
    if {name: entry.get("shape") for name, entry in declared.items()} != wanted:
        raise ValueError("other tensors than its architecture has")
    if not {entry.get("dtype") for entry in declared.values()} <= _KINDS:
        raise ValueError("other kinds of numbers than a generator has")
