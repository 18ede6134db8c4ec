"""Directions in latent space that change a lot: GANSpace (Härkönen et al. 2020), a PCA of the generator's first-layer activations."""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from gan.latent.sampling import latent
from gan.models import ModelSpec

SAMPLES = 4096
MEMORY_FLOATS = 2**24  # activations kept at a time: 64 MB
CHUNK = 512
OVERSAMPLING, ITERATIONS = 22, 4
SEED = 2020
POINTS, RANDOM, REACH = 8, 8, 2.0  # the effect of a direction: points it is tried at, random directions to compare with, standard deviations to each side


class Directions(NamedTuple):
    """K directions, the most varied first, as numpy arrays.

    vectors (K, z_dim) float32 of length 1, so that amount 1.0 moves z by one standard deviation of N(0, I) along the component; a component in which nothing
    varies is all zeros. sigma (K,): standard deviation of the activations along it. share (K,): its part of their whole variance. effect (K,): how much it
    changes pictures, as a multiple of what random directions of the same length do.
    """

    vectors: np.ndarray
    sigma: np.ndarray
    share: np.ndarray
    effect: np.ndarray


@torch.inference_mode()
def find_directions(generator: nn.Module, spec: ModelSpec, count: int) -> Directions:
    """The `count` leading directions of a generator, fewer where z or the layer is smaller; a function of its weights alone.

    As in GANSpace the components are those of the activations, and least squares carries them back to z. Differences between class means are taken out
    first: they belong to the class selector, and no z could follow them. The largest number of each vector is positive.
    """
    z, activations = _activations(generator, spec)
    total = activations.square().sum().item()
    z -= z.mean(0)
    components = _leading(activations, z, min(count, spec.z_dim, activations.shape[1]))
    coordinates = (activations @ components).double()
    spread = coordinates.square().sum(0)
    # The components are uncorrelated over these samples, so that the least squares solution is one division for each.
    vectors = (coordinates.T @ z.double()) / spread.clamp_min(1e-12)[:, None]
    vectors = torch.where((spread > 1e-9 * total)[:, None], nn.functional.normalize(vectors, dim=1), 0.0)
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    vectors = torch.where(largest < 0, -vectors, vectors)
    share = spread / max(total, 1e-12)
    vectors = vectors.float()
    return Directions(vectors.numpy(), (spread / len(z)).sqrt().float().numpy(), share.float().numpy(), _effects(generator, spec, vectors).numpy())


def _effects(generator: nn.Module, spec: ModelSpec, vectors: torch.Tensor) -> torch.Tensor:
    """Mean change of a pixel between REACH to one side and REACH to the other, over that of random directions: (K,) for vectors (K, z_dim); 0 where nothing
    changes the pictures."""
    z = torch.from_numpy(latent(SEED + 1, POINTS * spec.z_dim).reshape(POINTS, spec.z_dim))
    labels = torch.arange(POINTS) % spec.num_classes if spec.num_classes else None
    others = nn.functional.normalize(torch.from_numpy(latent(SEED + 2, RANDOM * spec.z_dim).reshape(RANDOM, spec.z_dim)), dim=1)
    changes = torch.stack([(generator(z + REACH * way, labels) - generator(z - REACH * way, labels)).abs().mean() for way in torch.cat([vectors, others])])
    return changes[: len(vectors)] / changes[len(vectors) :].mean().clamp_min(1e-12)


def _activations(generator: nn.Module, spec: ModelSpec) -> tuple[torch.Tensor, torch.Tensor]:
    """z (N, z_dim) and first-layer activations (N, features), centred within each class; N is SAMPLES, or less where they would not fit the memory."""
    z = torch.from_numpy(latent(SEED, SAMPLES * spec.z_dim).reshape(SAMPLES, spec.z_dim))
    labels = torch.arange(SAMPLES) % spec.num_classes if spec.num_classes else None
    features = generator.first_layer(z[:1], None if labels is None else labels[:1]).shape[1]
    kept = min(SAMPLES, max(MEMORY_FLOATS // features, 4 * spec.z_dim))
    z, labels = z[:kept].contiguous(), None if labels is None else labels[:kept]
    out = torch.empty(kept, features)
    for start in range(0, kept, CHUNK):
        part = slice(start, start + CHUNK)
        out[part] = generator.first_layer(z[part], None if labels is None else labels[part])
    for label in range(max(1, spec.num_classes)):
        of_class = slice(label, None, max(1, spec.num_classes))
        out[of_class] -= out[of_class].mean(0)
    return z, out


def _leading(activations: torch.Tensor, z: torch.Tensor, count: int) -> torch.Tensor:
    """The `count` leading principal axes of centred activations (N, F): (F, count).

    Block power iteration (Halko et al. 2011), because a whole SVD of 4096 x 2048 takes seconds. The block starts from what z explains linearly, which is
    nearly all, instead of from random vectors: a few rounds are enough, and nothing is left to chance. A component that no z explains linearly may be
    passed over; no slider could follow it.
    """
    width = min(count + OVERSAMPLING, *activations.shape, z.shape[1])
    linear = z.T @ activations
    _, mixing = torch.linalg.eigh((linear @ linear.T).double())
    axes = _orthonormal(linear.T @ mixing[:, -width:].float())
    for _ in range(ITERATIONS):
        axes = _orthonormal(activations.T @ (activations @ axes))
    inside = (activations @ axes).double()
    _, rotation = torch.linalg.eigh(inside.T @ inside)
    return axes @ rotation.flip(1)[:, :count].float()


def _orthonormal(columns: torch.Tensor) -> torch.Tensor:
    return torch.linalg.qr(columns).Q
