"""Generators and discriminators, and the file form of a generator.

An architecture is a pair of builders in ARCHITECTURES. G maps a latent z of shape (N, z_dim), z ~ N(0, I), and class labels (N,) int64 where the
model is conditional, to images (N, C, H, W) in [-1, 1]; D maps images and groups, which are the labels where there are no looks (models/condition.py), to
logits (N,), or (N, positions) where it judges parts of pictures.
"""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import safetensors
from safetensors.torch import load_file, save
from torch import nn

from gan.errors import UserError
from gan.files import write_bytes
from gan.models import dcgan, modern, projected

FORMAT = "ganarium-1"


@dataclass(frozen=True)
class ModelSpec:
    """What a pair of networks looks like; num_classes 0 means without class labels, pixel is the side of the blocks that pixel art is made of."""

    architecture: str
    size: int
    channels: int
    z_dim: int
    width: int
    num_classes: int = 0
    pixel: int = 1
    looks: int = 1

    @property
    def groups(self) -> int:
        """How many pairs of class and look there are; 0 where networks are told neither."""
        return max(1, self.num_classes) * self.looks if self.num_classes or self.looks > 1 else 0


class Architecture(NamedTuple):
    """The two builders of an architecture, and the names of pretrained nets that its D looks through, as gan.metrics.viewers calls them."""

    generator: Callable[[ModelSpec], nn.Module]
    discriminator: Callable[[ModelSpec], nn.Module]
    eyes: tuple[str, ...] = ()


ARCHITECTURES: dict[str, Architecture] = {
    "modern": Architecture(modern.Generator, modern.Discriminator),
    "dcgan": Architecture(dcgan.Generator, dcgan.Discriminator),
    "projected": Architecture(modern.Generator, projected.Discriminator, eyes=("efficientnet",)),
}


def build_generator(spec: ModelSpec) -> nn.Module:
    """A fresh generator: forward(z (N, z_dim), labels (N,) int64 or None) -> (N, C, H, W) in [-1, 1]."""
    return ARCHITECTURES[spec.architecture].generator(spec)


def build_discriminator(spec: ModelSpec) -> nn.Module:
    """A fresh discriminator: forward(images (N, C, H, W) in [-1, 1], groups (N,) int64 or None) -> logits (N,)."""
    return ARCHITECTURES[spec.architecture].discriminator(spec)


def count_parameters(module: nn.Module) -> int:
    """How many numbers the module learns."""
    return sum(p.numel() for p in module.parameters())


def save_generator(path: Path, generator: nn.Module, spec: ModelSpec) -> None:
    """Atomically write a generator in half precision with its spec in the header."""
    tensors = {name: (t.half() if t.is_floating_point() else t).detach().cpu().contiguous() for name, t in generator.state_dict().items()}
    metadata = {"format": FORMAT, "model": json.dumps(dataclasses.asdict(spec))}
    write_bytes(path, save(tensors, metadata))  # not save_file, whose error on a full disk is no OSError


def load_generator(path: Path) -> tuple[nn.Module, ModelSpec]:
    """The generator in a file, in float32 and evaluation mode on the CPU, and its spec.

    Raises UserError where the file is missing, damaged, of another version, or does not fit the architecture that it names.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        if metadata.get("format") != FORMAT:
            raise UserError("models.other_version", path=path, found=metadata.get("format", "?"), wanted=FORMAT)
        spec = ModelSpec(**json.loads(metadata["model"]))
        generator = build_generator(spec)
        tensors = load_file(path)
        generator.load_state_dict({name: t.float() if t.is_floating_point() else t for name, t in tensors.items()})
    except UserError:
        raise
    except Exception as error:  # safetensors, json and torch each have their own kinds of "this file is not what it should be"
        raise UserError("models.damaged", path=path, reason=type(error).__name__) from error
    return generator.eval().requires_grad_(False), spec
