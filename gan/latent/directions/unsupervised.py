"""Directions in latent space that change a lot, found from the weights alone.

GANSpace (Härkönen et al. 2020) is a PCA of the generator's first-layer activations. SeFa (Shen and Zhou 2021)
factorises its matrix in closed form. Both are then tried on pictures: how much each direction changes, and
how much alike two of them are.
"""

import copy
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
# the effect of a direction: points it is tried at, random directions to compare with, standard deviations to
# each side
POINTS, RANDOM, REACH = 8, 8, 2.0
# fewer points where more multiplications than WORK, about a second of one core, would be needed; pictures
# drawn at once
FEWEST, WORK, AT_ONCE = 2, 3e10, 32
DEAD = 0.25  # effect below which a direction is no slider: a quarter of what a random direction does
ALIKE = 0.9  # overlap above which two directions are the same slider
LAYERS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)


class Directions(NamedTuple):
    """K directions as numpy arrays, by effect, the largest first; of those with names see
    gan.latent.directions.probes.

    vectors (K, z_dim) float32 of length 1, so that amount 1.0 moves z by one standard deviation of N(0, I)
    along the component; a component in which nothing varies is all zeros. sigma (K,): standard deviation of
    the activations along it. share (K,): its part of their whole variance. effect (K,): how much it changes
    pictures, as a multiple of what random directions of the same length do. overlap (K, K), 0 to 1: how much
    alike two of them are, the larger of two |cosines|: between the vectors, and between what they change in
    the same pictures, pixel by pixel.
    """

    vectors: np.ndarray
    sigma: np.ndarray
    share: np.ndarray
    effect: np.ndarray
    overlap: np.ndarray

    def verdicts(self) -> list[dict[str, bool | int | None]]:
        """Of each direction whether it is "dead", and its "twin": the one of most effect that does the same
        and has more of it; None where there is none.

        Dead ones are nobody's twin, and have none.
        """
        order = np.argsort(-self.effect, kind="stable")
        dead = self.effect < DEAD
        twins = {
            k: next((int(j) for j in order[:place] if self.overlap[j, k] > ALIKE), None)
            for place, k in enumerate(order)
        }
        return [{"dead": bool(dead[k]), "twin": None if dead[k] else twins[k]} for k in range(len(order))]


@torch.inference_mode()
def find_directions(generator: nn.Module, spec: ModelSpec, count: int) -> Directions:
    """The `count` leading directions of a generator, fewer where z or the layer is smaller; a function of its
    weights alone.

    As in GANSpace the components are those of the activations, and least squares carries them back to z.
    Differences between the means of classes and clusters are taken out first: they belong to the class
    selector and to the slider for the cluster. The largest number of each vector is positive.
    """
    z, activations = _activations(generator, spec)
    total = activations.square().sum().item()
    z -= z.mean(0)
    components = _leading(activations, z, min(count, spec.z_dim, activations.shape[1]))
    coordinates = (activations @ components).double()
    spread = coordinates.square().sum(0)
    # The components are uncorrelated over these samples, so that the least squares solution is one division
    # for each.
    vectors = (coordinates.T @ z.double()) / spread.clamp_min(1e-12)[:, None]
    vectors = torch.where((spread > 1e-9 * total)[:, None], nn.functional.normalize(vectors, dim=1), 0.0)
    vectors = _upright(vectors).float()
    sigma, share = (spread / len(z)).sqrt().float(), (spread / max(total, 1e-12)).float()
    return _by_effect(generator, spec, vectors, sigma, share)


@torch.inference_mode()
def factorise(generator: nn.Module, spec: ModelSpec, count: int) -> Directions:
    """`count` directions by closed-form factorisation, fewer where z is smaller; a function of the
    generator's weights alone.

    As in SeFa they are the eigenvectors of A^T A with the largest eigenvalues, where A (features, z_dim) is
    all that z is multiplied by before the first nonlinearity. The activations before it vary by sigma along
    each. What a class label adds does not depend on z, and no column of A is its.
    """
    matrix = generator.first_matrix().double()
    values, vectors = torch.linalg.eigh(matrix.T @ matrix)
    kept = min(count, spec.z_dim)
    spread, vectors = values.flip(0)[:kept].clamp_min(0), _upright(vectors.T.flip(0)[:kept]).float()
    sigma, share = spread.sqrt().float(), (spread / values.sum().clamp_min(1e-12)).float()
    return _by_effect(generator, spec, vectors, sigma, share)


def _by_effect(
    generator: nn.Module, spec: ModelSpec, vectors: torch.Tensor, sigma: torch.Tensor, share: torch.Tensor
) -> Directions:
    """These directions in the order of what they do to pictures."""
    effect, overlap = measure(generator, spec, vectors)
    order = np.argsort(-effect, kind="stable")
    return Directions(
        vectors.numpy()[order],
        sigma.numpy()[order],
        share.numpy()[order],
        effect[order],
        overlap[np.ix_(order, order)],
    )


def _upright(vectors: torch.Tensor) -> torch.Tensor:
    """Vectors (K, z_dim) with their largest number positive."""
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    return torch.where(largest < 0, -vectors, vectors)


@torch.inference_mode()
def measure(generator: nn.Module, spec: ModelSpec, vectors: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """`effect` (K,) and `overlap` (K, K) of vectors (K, z_dim), see `Directions`, from pictures REACH to one
    side and REACH to the other of some points.

    These are POINTS, fewer for a large generator, so that nobody waits: by its arithmetic and not by the
    clock, so that the result is a function of it. The effect is the mean change of a pixel over that of
    random directions, which leave the cluster as it is; 0 where nothing changes the pictures.
    """
    count = _points(generator, spec, len(vectors) + RANDOM)
    z = torch.from_numpy(latent(SEED + 1, POINTS * spec.z_dim).reshape(POINTS, spec.z_dim)[:count])
    others = torch.from_numpy(latent(SEED + 2, RANDOM * spec.z_dim).reshape(RANDOM, spec.z_dim))
    if spec.clusters > 1:
        others[:, -1] = 0
    ways = torch.cat([vectors, nn.functional.normalize(others, dim=1)])
    changes = _changes(generator, spec, z, ways)
    sizes, kinds = changes.abs().mean((1, 2)), nn.functional.normalize(changes[: len(vectors)], dim=2)
    overlap = torch.maximum(
        (vectors @ vectors.T).abs(), torch.einsum("ipx,jpx->ijp", kinds, kinds).abs().mean(2)
    ).clamp(max=1)
    return (sizes[: len(vectors)] / sizes[len(vectors) :].mean().clamp_min(1e-12)).numpy(), overlap.numpy()


def _changes(generator: nn.Module, spec: ModelSpec, z: torch.Tensor, ways: torch.Tensor) -> torch.Tensor:
    """How the pictures of z (N, z_dim) differ between REACH to one and to the other side along each of K ways
    (K, z_dim): (K, N, pixels).
    """
    places = torch.cat([z + side * REACH * way for way in ways for side in (1, -1)])
    labels = torch.arange(len(z)).repeat(2 * len(ways)) % spec.num_classes if spec.num_classes else None
    parts = [slice(start, start + AT_ONCE) for start in range(0, len(places), AT_ONCE)]
    pictures = torch.cat(
        [generator(places[part], None if labels is None else labels[part]).flatten(1) for part in parts]
    )
    there, back = pictures.unflatten(0, (len(ways), 2, len(z))).unbind(1)
    return there - back


def _points(generator: nn.Module, spec: ModelSpec, ways: int) -> int:
    """At how many points so many ways can be tried by WORK."""
    multiplications = 0

    def count(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal multiplications
        # each weight once a place; strides skip some
        multiplications += layer.weight.numel() * min(inputs[0][0, 0].numel(), output[0, 0].numel())

    alone = copy.deepcopy(generator)  # others may be drawing with this one
    for layer in alone.modules():
        if isinstance(layer, LAYERS):
            layer.register_forward_hook(count)
    alone(torch.zeros(1, spec.z_dim), torch.zeros(1, dtype=torch.int64) if spec.num_classes else None)
    return int(min(POINTS, max(FEWEST, WORK / (2 * ways * max(multiplications, 1)))))


def _activations(generator: nn.Module, spec: ModelSpec) -> tuple[torch.Tensor, torch.Tensor]:
    """z (N, z_dim) and first-layer activations (N, features), centred within each group; N is SAMPLES, or
    less where they would not fit the memory.
    """
    z = torch.from_numpy(latent(SEED, SAMPLES * spec.z_dim).reshape(SAMPLES, spec.z_dim))
    labels = torch.arange(SAMPLES) % spec.num_classes if spec.num_classes else None
    features = generator.first_layer(z[:1], None if labels is None else labels[:1]).shape[1]
    kept = min(SAMPLES, max(MEMORY_FLOATS // features, 4 * spec.z_dim))
    z, labels = z[:kept].contiguous(), None if labels is None else labels[:kept]
    out = torch.empty(kept, features)
    for start in range(0, kept, CHUNK):
        part = slice(start, start + CHUNK)
        out[part] = generator.first_layer(z[part], None if labels is None else labels[part])
    return z, centred(out, group_of(generator, spec, z, labels))


def group_of(
    generator: nn.Module, spec: ModelSpec, z: torch.Tensor, labels: torch.Tensor | None
) -> torch.Tensor:
    """What a picture of z (N, z_dim) and labels (N,) or None is of before anything else: its class and
    cluster, (N,) int64.
    """
    if spec.clusters > 1:
        return generator.conditioning.group(z, labels)
    return torch.zeros(len(z), dtype=torch.int64) if labels is None else labels


def centred(values: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
    """`values` (N, ...) less the mean of their group (N,), in place."""
    for group in groups.unique():
        values[groups == group] -= values[groups == group].mean(0)
    return values


def _leading(activations: torch.Tensor, z: torch.Tensor, count: int) -> torch.Tensor:
    """The `count` leading principal axes of centred activations (N, F): (F, count).

    Block power iteration (Halko et al. 2011), because a whole SVD of 4096 x 2048 takes seconds. The block
    starts from what z explains linearly, which is nearly all, instead of from random vectors: a few rounds
    are enough, and nothing is left to chance. A component that no z explains linearly may be passed over; no
    slider could follow it.
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
