"""Test closed-form factorisation against planted directions and numpy.

The tests also define dead directions and twins of other directions.
"""

import numpy as np
import pytest
import torch

from gan.latent.directions.unsupervised import Directions, centred, factorise, find_directions, group_of
from gan.models import ModelSpec, build_generator
from tests.unit.latent.directions.test_directions import Planted, orthogonal, spec, used_generator


class Factored(Planted):
    """A Planted generator that shows its matrix."""

    def first_matrix(self):
        return self.matrix


def lively(model: ModelSpec):
    """Return a generator whose normalisation has its own scale and shift for each channel."""
    torch.manual_seed(0)
    generator = build_generator(model).train()
    for module in generator.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.running_mean, -1, 1)
            torch.nn.init.uniform_(module.running_var, 0.3, 3)
    return generator.eval().requires_grad_(False)


def test_planted_directions_are_recovered():
    axes, scales = orthogonal(12)[:5], torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0])
    found = factorise(Factored(axes, scales), spec(12), 5)
    assert np.abs(np.diag(found.vectors @ axes.numpy().T)) == pytest.approx(np.ones(5), abs=1e-5)
    assert found.sigma == pytest.approx(scales.numpy(), rel=1e-5)
    assert found.share == pytest.approx((scales**2 / (scales**2).sum()).numpy(), rel=1e-5)


def test_the_largest_effect_comes_first_whatever_the_matrix_says():
    axes, scales = orthogonal(6), torch.tensor([3.0, 2.5, 2.0, 1.5, 1.0, 0.5])
    planted = Factored(axes, scales)
    # the third axis changes the image most
    planted.forward = lambda z, labels: z @ axes.T * torch.tensor([0.1, 1.0, 9.0, 1.0, 1.0, 1.0])
    found = factorise(planted, spec(6), 4)
    assert abs(found.vectors[0] @ axes[2].numpy()) == pytest.approx(1, abs=1e-4)
    assert (np.diff(found.effect) <= 0).all()
    assert found.sigma[0] == pytest.approx(2.0, rel=1e-4)


@pytest.mark.parametrize(("architecture", "size", "num_classes", "clusters"), [
    ("modern", 32, 0, 1), ("modern", 28, 3, 4), ("dcgan", 64, 0, 1), ("dcgan", 64, 4, 1),
])  # fmt: skip
def test_the_matrix_is_what_z_goes_through_before_the_nonlinearity(architecture, size, num_classes, clusters):
    model = spec(9, num_classes, architecture=architecture, size=size, channels=3, clusters=clusters)
    generator = lively(model)
    z = torch.randn(40, 9, generator=torch.Generator().manual_seed(1))
    step = 1e-2 * torch.randn(40, 9, generator=torch.Generator().manual_seed(2))
    step[:, -1] = 0  # the last number also chooses the cluster
    labels = torch.arange(40) % num_classes if num_classes else None
    before, after = generator.first_layer(z, labels), generator.first_layer(z + step, labels)
    straight = (before > 0) & (after > 0)  # where the nonlinearity is the identity
    assert straight.float().mean() > 0.2
    moved = step @ generator.first_matrix().T
    assert (after - before)[straight].numpy() == pytest.approx(moved[straight].numpy(), abs=2e-5)


def test_agrees_with_numpys_eigenvectors():
    model = spec(24, 3)
    generator = used_generator(model)
    matrix = generator.first_matrix().detach().double().numpy()
    assert matrix.shape[1] == 24, "no column of a class"
    _, _, right = np.linalg.svd(matrix, full_matrices=False)
    found = factorise(generator, model, 6)
    best = np.abs(found.vectors @ right[:6].T).max(1)
    assert best == pytest.approx(np.ones(6), abs=1e-3)
    assert np.abs(found.vectors @ found.vectors.T - np.eye(6)).max() < 1e-4


def directions(effect, overlap) -> Directions:
    nothing = np.zeros(len(effect), np.float32)
    return Directions(
        np.zeros((len(effect), 4), np.float32),
        nothing,
        nothing,
        np.array(effect, np.float32),
        np.array(overlap, np.float32),
    )


def test_dead_directions_and_twins_are_told():
    overlap = np.eye(5)
    overlap[0, 2] = overlap[2, 0] = 0.95
    overlap[1, 4] = overlap[4, 1] = 0.99
    found = directions([2.0, 0.1, 1.0, 0.8, 0.5], overlap).verdicts()
    assert [verdict["dead"] for verdict in found] == [False, True, False, False, False]
    assert [verdict["twin"] for verdict in found] == [None, None, 0, None, None], (
        "a dead one is nobody's twin"
    )
    assert directions([1.0, 0.1, 2.0, 0.8, 0.5], overlap).verdicts()[0]["twin"] == 2, (
        "the one that does less is the twin, wherever it stands"
    )


def test_two_ways_to_the_same_change_overlap():
    axes = orthogonal(8)
    planted = Factored(axes, torch.linspace(3, 1, 8))
    planted.forward = lambda z, labels: (
        (z @ axes[0] + z @ axes[1])[:, None] * torch.ones(5)
        + (z @ axes[2])[:, None] * torch.tensor([1.0, -1, 0, 0, 0])
    )
    found = find_directions(planted, spec(8), 3)
    order = np.abs(found.vectors @ axes[:3].numpy().T).argmax(0)
    first, second, other = order
    assert found.overlap[first, second] > 0.99
    assert found.overlap[first, other] < 0.3
    stronger, weaker = sorted((first, second), key=lambda k: -found.effect[k])
    assert (found.verdicts()[weaker]["twin"], found.verdicts()[stronger]["twin"]) == (stronger, None)


def test_clusters_are_taken_out_as_classes_are():
    model = spec(12, 2, clusters=3, size=28)
    generator = lively(model)
    generator.conditioning.set_shares(torch.tensor([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]))
    z, labels = torch.randn(600, 12, generator=torch.Generator().manual_seed(3)), torch.arange(600) % 2
    groups = group_of(generator, model, z, labels)
    assert set(groups.tolist()) == set(range(6))
    assert torch.equal(groups // 3, labels)
    quantile = torch.special.ndtr(z[:, -1])
    assert torch.equal(
        groups[labels == 0] % 3, (quantile > 0.5).long()[labels == 0] + (quantile > 0.8).long()[labels == 0]
    )
    left = centred(generator.first_layer(z, labels), groups)
    assert max(left[groups == group].mean(0).abs().max().item() for group in range(6)) < 1e-5
