"""Find directions that change images a lot, from the weights alone.

GANSpace (Härkönen et al. 2020) is a PCA of the first layer's activations. SeFa (Shen and Zhou 2021)
factorises the first layer's matrix in closed form. Both are then tried on samples. The trial measures how
much each direction changes an image, and how similar two directions are.
"""

import copy
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from gan.latent.sampling import latent
from gan.models import ImageGenerator, ModelSpec

SAMPLES = 4096
MEMORY_FLOATS = 2**24  # largest number of activations in memory: 64 MB
CHUNK = 512  # samples in a forward pass
OVERSAMPLING, ITERATIONS = 22, 4
SEED = 2020
# To measure effects: latent vectors, random directions to compare with, standard deviations to each side.
POINTS, RANDOM, REACH = 8, 8, 2.0
# Least number of latent vectors, multiplications allowed (about a second of one core), images in a forward
# pass.
FEWEST, WORK, AT_ONCE = 2, 3e10, 32
DEAD = 0.25  # a direction with a smaller effect than this gets no slider
ALIKE = 0.9  # two directions with a larger overlap than this share a slider
LAYERS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)


class Directions(NamedTuple):
    """K directions as numpy arrays, by decreasing effect; gan.latent.directions.probes orders named ones.

      vectors (K, z_dim)   float32 of length 1; all zeros for a component without variance
      sigma (K,)           standard deviation of the activations along the direction
      share (K,)           its share of their total variance
      effect (K,)          change of the images, in multiples of random directions of the same length
      overlap (K, K)       similarity of two directions in [0, 1]

    An amount of 1.0 moves z by one standard deviation of N(0, I) along the direction. The overlap is the
    larger of two |cosines|: between the vectors, and between their changes to the same images, over pixels.
    """

    vectors: np.ndarray
    sigma: np.ndarray
    share: np.ndarray
    effect: np.ndarray
    overlap: np.ndarray

    def verdicts(self) -> list[dict[str, bool | int | None]]:
        """For each direction: is it "dead", and which direction is its "twin"?

        A dead direction hardly changes images. The twin overlaps by more than ALIKE and has a larger effect,
        the largest among such directions. It is None if there is none. Dead directions are no twins and have
        none.
        """
        order = np.argsort(-self.effect, kind="stable")
        dead = self.effect < DEAD
        twins = {
            k: next((int(j) for j in order[:place] if self.overlap[j, k] > ALIKE), None)
            for place, k in enumerate(order)
        }
        return [{"dead": bool(dead[k]), "twin": None if dead[k] else twins[k]} for k in range(len(order))]


@torch.inference_mode()
def find_directions(generator: ImageGenerator, spec: ModelSpec, count: int) -> Directions:
    """The `count` leading directions of a generator by GANSpace, a function of its weights alone.

    There are fewer if z or the layer is smaller. As in GANSpace, PCA runs on the activations, and least
    squares maps the components back to z. The means of classes and clusters are subtracted first: the class
    selector and the cluster slider control those. The entry of largest magnitude in each vector is positive.
    """
    z, activations = _activations(generator, spec)
    total = activations.square().sum().item()
    z -= z.mean(0)
    components = _leading(activations, z, min(count, spec.z_dim, activations.shape[1]))
    coordinates = (activations @ components).double()
    spread = coordinates.square().sum(0)
    # The components are uncorrelated over these samples: least squares needs one division for each.
    vectors = (coordinates.T @ z.double()) / spread.clamp_min(1e-12)[:, None]
    vectors = torch.where((spread > 1e-9 * total)[:, None], nn.functional.normalize(vectors, dim=1), 0.0)
    vectors = _upright(vectors).float()
    sigma, share = (spread / len(z)).sqrt().float(), (spread / max(total, 1e-12)).float()
    return _by_effect(generator, spec, vectors, sigma, share)


@torch.inference_mode()
def factorise(generator: ImageGenerator, spec: ModelSpec, count: int) -> Directions:
    """The `count` leading directions of a generator by SeFa, a function of its weights alone.

    There are fewer if z is smaller. They are the eigenvectors of A^T A with the largest eigenvalues. A
    (features, z_dim) is the product of all matrices between z and the first nonlinearity. `sigma` is the
    standard deviation of the pre-activations along each. The class embedding does not depend on z, so A has
    no column for it.
    """
    matrix = generator.first_matrix().double()
    values, vectors = torch.linalg.eigh(matrix.T @ matrix)
    kept = min(count, spec.z_dim)
    spread, vectors = values.flip(0)[:kept].clamp_min(0), _upright(vectors.T.flip(0)[:kept]).float()
    sigma, share = spread.sqrt().float(), (spread / values.sum().clamp_min(1e-12)).float()
    return _by_effect(generator, spec, vectors, sigma, share)


def _by_effect(
    generator: ImageGenerator,
    spec: ModelSpec,
    vectors: torch.Tensor,
    sigma: torch.Tensor,
    share: torch.Tensor,
) -> Directions:
    """The directions sorted by their measured effect."""
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
    """Vectors (K, z_dim) with signs that make the entry of largest magnitude positive."""
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    return torch.where(largest < 0, -vectors, vectors)


@torch.inference_mode()
def measure(
    generator: ImageGenerator, spec: ModelSpec, vectors: torch.Tensor
) -> tuple[np.ndarray, np.ndarray]:
    """`effect` (K,) and `overlap` (K, K) of vectors (K, z_dim); see `Directions`.

    The images lie REACH to either side of up to POINTS latent vectors. A large generator gets fewer, to limit
    the time. Their number follows from the generator's multiplications and not from a clock, so the result is
    reproducible. The effect is the mean change of a pixel, divided by that of random directions. Those leave
    the cluster unchanged. The effect is 0 if no direction changes the images.
    """
    count = _points(generator, spec, len(vectors) + RANDOM)
    z = torch.from_numpy(latent(SEED + 1, POINTS * spec.z_dim).reshape(POINTS, spec.z_dim)[:count])
    others = torch.from_numpy(latent(SEED + 2, RANDOM * spec.z_dim).reshape(RANDOM, spec.z_dim))
    if spec.clusters > 1:
        others[:, -1] = 0
    directions = torch.cat([vectors, nn.functional.normalize(others, dim=1)])
    changes = _changes(generator, spec, z, directions)
    sizes, kinds = changes.abs().mean((1, 2)), nn.functional.normalize(changes[: len(vectors)], dim=2)
    overlap = torch.maximum(
        (vectors @ vectors.T).abs(), torch.einsum("ipx,jpx->ijp", kinds, kinds).abs().mean(2)
    ).clamp(max=1)
    return (sizes[: len(vectors)] / sizes[len(vectors) :].mean().clamp_min(1e-12)).numpy(), overlap.numpy()


def _changes(
    generator: ImageGenerator, spec: ModelSpec, z: torch.Tensor, directions: torch.Tensor
) -> torch.Tensor:
    """Image differences between z + REACH * direction and z - REACH * direction: (K, N, pixels).

    z is (N, z_dim); `directions` are K directions (K, z_dim).
    """
    places = torch.cat([z + side * REACH * direction for direction in directions for side in (1, -1)])
    labels = torch.arange(len(z)).repeat(2 * len(directions)) % spec.num_classes if spec.num_classes else None
    parts = [slice(start, start + AT_ONCE) for start in range(0, len(places), AT_ONCE)]
    pictures = torch.cat(
        [generator(places[part], None if labels is None else labels[part]).flatten(1) for part in parts]
    )
    there, back = pictures.unflatten(0, (len(directions), 2, len(z))).unbind(1)
    return there - back


def _points(generator: ImageGenerator, spec: ModelSpec, directions: int) -> int:
    """The number of latent vectors at which so many directions can be tried within WORK multiplications."""
    multiplications = 0

    def count(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal multiplications
        assert isinstance(layer, LAYERS)
        # The layer uses each weight once at each position, except positions that strides skip.
        multiplications += layer.weight.numel() * min(inputs[0][0, 0].numel(), output[0, 0].numel())

    alone = copy.deepcopy(generator)  # hooks on the original would count other threads' calls
    for layer in alone.modules():
        if isinstance(layer, LAYERS):
            layer.register_forward_hook(count)
    alone(torch.zeros(1, spec.z_dim), torch.zeros(1, dtype=torch.int64) if spec.num_classes else None)
    return int(min(POINTS, max(FEWEST, WORK / (2 * directions * max(multiplications, 1)))))


def _activations(generator: ImageGenerator, spec: ModelSpec) -> tuple[torch.Tensor, torch.Tensor]:
    """z (N, z_dim) and first-layer activations (N, features), centred within each group.

    N is SAMPLES, or fewer if the activations would exceed MEMORY_FLOATS.
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
    generator: ImageGenerator, spec: ModelSpec, z: torch.Tensor, labels: torch.Tensor | None
) -> torch.Tensor:
    """The group of each z (N, z_dim) with labels (N,) or None: its pair of class and cluster, (N,) int64."""
    if spec.clusters > 1:
        return generator.class_conditioning().group(z, labels)
    return torch.zeros(len(z), dtype=torch.int64) if labels is None else labels


def centred(values: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
    """Subtract from `values` (N, ...) the mean of their group (N,), in place."""
    for group in groups.unique():
        values[groups == group] -= values[groups == group].mean(0)
    return values


def _leading(activations: torch.Tensor, z: torch.Tensor, count: int) -> torch.Tensor:
    """The `count` leading principal axes of centred activations (N, F): (F, count).

    Block power iteration (Halko et al. 2011); a full SVD of 4096 x 2048 takes seconds. The block starts from
    the activations that z explains linearly, which are nearly all, and not from random vectors. So a few
    rounds are enough, and the result is deterministic. The method may miss a component that z does not
    explain linearly, but no slider could follow it.
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
