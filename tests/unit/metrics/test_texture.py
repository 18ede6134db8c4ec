"""Test contrast and noise on images whose values are known."""

import math

import pytest
import torch

from gan.metrics.texture import FLAT, WHITE_NOISE, Texture, compare, texture

REAL = Texture(0.5, 0.1)


def ramp(size: int) -> torch.Tensor:
    """Four images that brighten evenly from left to right."""
    return torch.linspace(-1, 1, size).expand(4, 1, size, size)


def test_a_ramp_by_hand():
    found = texture(ramp(101))
    spread = math.sqrt((101**2 - 1) / 12) * 0.02  # of a discrete uniform distribution in steps of .02
    assert found.contrast == pytest.approx(spread, rel=1e-5)
    assert found.roughness == pytest.approx(0.02 / spread, rel=1e-5)


def test_independent_pixels_are_at_one_and_the_data_at_zero():
    noise = torch.randn(64, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 0.2
    assert texture(noise).roughness == pytest.approx(WHITE_NOISE, rel=0.01)
    assert compare(noise, REAL) == {
        "contrast": pytest.approx(0.4, abs=0.01),
        "noise": pytest.approx(1, abs=0.01),
    }
    assert compare(ramp(64), texture(ramp(64))) == {"contrast": 1.0, "noise": 0.0}


def test_contrast_is_that_within_an_image():
    """Sixty-four flat images of different colours have none."""
    flat = torch.linspace(-1, 1, 64).view(64, 1, 1, 1).expand(64, 3, 8, 8)
    assert compare(flat, REAL) == {"contrast": 0.0, "noise": None}


@pytest.mark.parametrize("real", [Texture(0.0, 0.0), Texture(FLAT / 2, 0.0), Texture(0.5, 1.3)])
def test_a_scale_without_length_measures_nothing(real):
    assert compare(ramp(16), real)["noise"] is None
