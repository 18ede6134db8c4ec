"""Test the MLP pair of points: sizes, shapes, and the first layers at the start."""

import pytest
import torch

from gan.kinds.points import models
from gan.kinds.points.recipes import PointsConfig


def test_the_default_pair_has_about_34_000_parameters():
    config = PointsConfig()
    pair = (
        models.Generator(config.z_dim, config.width, config.depth),
        models.Discriminator(config.width, config.depth),
    )
    assert [sum(p.numel() for p in network.parameters()) for network in pair] == [17_410, 16_641]


@pytest.mark.parametrize("depth", [2, 4])
@pytest.mark.parametrize("width", [4, 7])  # an odd width as well
def test_both_networks_take_any_size(width, depth):
    points = models.Generator(3, width, depth)(torch.randn(5, 3))
    assert points.shape == (5, 2)
    assert models.Discriminator(width, depth)(points).shape == (5,)


def test_fourier_features_have_mean_square_one_and_are_not_trained():
    features = models.FourierFeatures(64)
    assert features(torch.randn(100, 2)).square().mean().item() == pytest.approx(1)
    assert list(features.parameters()) == []
    assert features.state_dict()["frequencies"].shape == (2, 32)


def test_the_first_layer_of_g_is_as_steep_as_it_says():
    steps = models.Generator(2, 4096, 2).steps
    assert (models.GAIN * steps.weight).std().item() == pytest.approx(models.STEEPNESS, rel=0.05)
    assert (models.GAIN * steps.bias).std().item() == pytest.approx(models.STEEPNESS, rel=0.05)
