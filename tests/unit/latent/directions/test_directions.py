"""Test GANSpace directions against numpy's SVD, and against directions planted in a linear generator."""

import numpy as np
import pytest
import torch
from torch import nn

from gan.latent.directions import unsupervised as room
from gan.latent.directions.unsupervised import find_directions
from gan.models import ModelSpec, build_generator


class Planted(nn.Module):
    """A linear generator of one layer.

    Activation j of z is scales[j] * (axes[j] . z). An orthogonal matrix mixes the activations, and a class
    offset moves them.
    """

    def __init__(self, axes: torch.Tensor, scales: torch.Tensor, offsets: torch.Tensor | None = None):
        super().__init__()
        mix = torch.linalg.qr(torch.randn(40, len(scales), generator=torch.Generator().manual_seed(1))).Q
        self.matrix = mix @ torch.diag(scales) @ axes
        self.offsets = offsets

    def first_layer(self, z, labels):
        return z @ self.matrix.T + 3.0 + (0 if self.offsets is None else self.offsets[labels])

    def forward(self, z, labels):
        return self.first_layer(z, labels)


def spec(z_dim: int, num_classes: int = 0, **values) -> ModelSpec:
    return ModelSpec(
        **{
            "architecture": "modern",
            "size": 32,
            "channels": 1,
            "z_dim": z_dim,
            "width": 8,
            "num_classes": num_classes,
            **values,
        }
    )


def orthogonal(z_dim: int) -> torch.Tensor:
    return torch.linalg.qr(torch.randn(z_dim, z_dim, generator=torch.Generator().manual_seed(0))).Q


def used_generator(model: ModelSpec) -> nn.Module:
    """Return a generator whose normalisation has seen data and whose z has a spectrum, as after training."""
    torch.manual_seed(0)
    generator = build_generator(model).train()
    with torch.no_grad():
        generator.dense.weight[:, : model.z_dim] *= torch.linspace(1.5, 0.3, model.z_dim)
        for _ in range(20):
            generator.first_layer(
                torch.randn(64, model.z_dim),
                torch.arange(64) % model.num_classes if model.num_classes else None,
            )
    return generator.eval()


def test_planted_directions_are_recovered():
    axes, scales = orthogonal(12)[:5], torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0])
    found = find_directions(Planted(axes, scales), spec(12), 5)
    overlap = found.vectors @ axes.numpy().T
    assert np.abs(np.diag(overlap)) == pytest.approx(np.ones(5), abs=0.02)
    assert found.sigma == pytest.approx(scales.numpy(), rel=0.05)
    assert found.share == pytest.approx((scales**2 / (scales**2).sum()).numpy(), rel=0.1)
    assert found.share.sum() == pytest.approx(1, abs=1e-4)


def test_planted_directions_are_found_behind_larger_class_differences():
    axes, scales = orthogonal(12)[:3], torch.tensor([3.0, 2.0, 1.0])
    offsets = 20 * torch.randn(4, 40, generator=torch.Generator().manual_seed(2))
    found = find_directions(Planted(axes, scales, offsets), spec(12, num_classes=4), 3)
    assert np.abs(np.diag(found.vectors @ axes.numpy().T)) == pytest.approx(np.ones(3), abs=0.02)
    assert found.sigma == pytest.approx(scales.numpy(), rel=0.05)


@pytest.mark.parametrize("num_classes", [0, 3])
def test_agrees_with_numpys_svd_of_the_activations(num_classes, monkeypatch):
    monkeypatch.setattr(room, "SAMPLES", 1024)  # numpy's SVD of more samples takes seconds
    model = spec(24, num_classes)
    generator = used_generator(model)
    found = find_directions(generator, model, 10)
    with torch.no_grad():
        z, activations = (t.double().numpy() for t in room._activations(generator, model))
    u, s, _ = np.linalg.svd(activations, full_matrices=False)
    order = np.argsort(-found.sigma)  # numpy sorts by variance, the code by the change of images
    assert found.sigma[order] == pytest.approx(s[:10] / np.sqrt(len(z)), rel=1e-3)
    assert found.share[order] == pytest.approx((s**2 / (s**2).sum())[:10], rel=1e-3)
    solution = np.linalg.lstsq(u[:, :10] * s[:10], z - z.mean(0), rcond=None)[0]
    cosines = (solution * found.vectors[order]).sum(1) / np.linalg.norm(solution, axis=1)
    assert np.abs(cosines) == pytest.approx(np.ones(10), abs=1e-3)


def test_vectors_have_length_one_a_fixed_sign_and_falling_effect():
    model = spec(24)
    found = find_directions(used_generator(model), model, 10)
    assert found.vectors.shape == (10, 24)
    assert found.vectors.dtype == np.float32
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx(np.ones(10), abs=1e-6)
    assert (found.vectors[np.arange(10), np.abs(found.vectors).argmax(1)] > 0).all()
    assert (np.diff(found.effect) <= 0).all()


def test_amount_one_moves_the_activations_by_about_one_sigma():
    axes, scales = orthogonal(12)[:2], torch.tensor([5.0, 2.0])
    generator = Planted(axes, scales)
    found = find_directions(generator, spec(12), 2)
    for vector, sigma in zip(found.vectors, found.sigma, strict=True):
        step = generator.first_layer(torch.from_numpy(vector)[None], None) - generator.first_layer(
            torch.zeros(1, 12), None
        )
        assert step.norm().item() == pytest.approx(sigma, rel=0.06)


def test_effect_is_the_change_of_pictures_against_random_directions():
    axes, scales = orthogonal(12), torch.linspace(6, 0.5, 12)
    generator = Planted(axes, scales)
    found = find_directions(generator, spec(12), 10)
    many = nn.functional.normalize(torch.randn(4000, 12, generator=torch.Generator().manual_seed(3)), dim=1)
    usual = (many @ generator.matrix.T).abs().mean()
    expected = (torch.from_numpy(found.vectors) @ generator.matrix.T).abs().mean(1) / usual
    # the code estimates the usual change from 8 random directions
    assert found.effect == pytest.approx(expected.numpy(), rel=0.25)
    assert found.effect / found.effect[0] == pytest.approx((expected / expected[0]).numpy(), rel=1e-4)


def test_effect_is_tried_at_fewer_points_where_pictures_cost_much(monkeypatch):
    """Two points separate the directions as well as eight.

    The numbers differ, because eight directions at two points estimate them less exactly.
    """
    model = spec(24)
    generator = used_generator(model)
    usual = find_directions(generator, model, 10)
    assert room._points(generator, model, 18) == room.POINTS
    monkeypatch.setattr(room, "WORK", 1)
    assert room._points(generator, model, 18) == room.FEWEST
    quick = find_directions(generator, model, 10)
    quick, usual = (each.effect[np.argsort(-each.sigma)] for each in (quick, usual))
    assert quick == pytest.approx(usual, rel=0.5)
    assert np.corrcoef(quick, usual)[0, 1] > 0.8  # these weights are random, so no direction stands out


def test_what_a_picture_costs_is_counted_by_its_multiplications():
    """The first, dense layer multiplies each weight once, and convolutions once for each pixel.

    An image of twice the side has four times the pixels.
    """

    class Small(nn.Sequential):
        def forward(self, z, labels):
            return super().forward(z)

    generator = Small(
        nn.Linear(6, 10, bias=False),
        nn.Unflatten(1, (10, 1, 1)),
        nn.ConvTranspose2d(10, 4, 4),
        nn.Conv2d(4, 2, 3, padding=1),
    )
    multiplications = 6 * 10 + 10 * 4 * 16 + 4 * 2 * 9 * 16
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "WORK", 2 * 18 * multiplications * 5)
        assert room._points(generator, spec(6), 18) == 5


def test_is_deterministic_whatever_the_random_state():
    model = spec(24)
    generator = used_generator(model)
    torch.manual_seed(1)
    first = find_directions(generator, model, 10)
    torch.manual_seed(2)
    second = find_directions(generator, model, 10)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(("z_dim", "expected"), [(2, 2), (3, 3), (30, 10)])
def test_never_more_directions_than_numbers_in_z(z_dim, expected):
    model = spec(z_dim)
    assert find_directions(used_generator(model), model, 10).vectors.shape == (expected, z_dim)


def test_a_layer_in_which_nothing_varies_gives_zeros():
    found = find_directions(Planted(orthogonal(6), torch.zeros(6)), spec(6), 4)
    assert not found.vectors.any()
    assert not found.share.any()
    assert not found.effect.any()


def test_textbook_dcgan_has_directions():
    model = spec(10, architecture="dcgan", size=64, channels=3)
    torch.manual_seed(0)
    found = find_directions(build_generator(model).eval(), model, 10)
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx(np.ones(10), abs=1e-6)
