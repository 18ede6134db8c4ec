"""Test Adam in latent space: equality with PyTorch's, its rising and falling rate, the range of points."""

import numpy as np
import pytest
import torch

from gan.latent.point import parse_at, write_at
from gan.latent.search import drag, inversion
from gan.latent.search.adam import BETAS, BOUND, Rate, SearchAdam


@pytest.mark.parametrize("rate", [drag.RATE, inversion.RATE])
def test_the_rate_rises_and_falls(rate):
    rates = [rate(step) for step in range(1, rate.steps + 1)]
    top = int(np.argmax(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert 0.9 * rate.top < rates[top] <= rate.top
    assert rates[-1] == pytest.approx(rate.last * rate.top)


def test_steps_are_those_of_adam():
    """The tolerance 1e-6 is some roundings of float32, because the terms are the same in another order."""
    chance = torch.Generator().manual_seed(3)
    start = torch.randn(2, 3, 5, generator=chance)
    descent = SearchAdam(start, Rate(0.1, 5, 0.1, 20))
    reference = start.clone().requires_grad_()
    adam = torch.optim.Adam([reference], betas=BETAS)
    while not descent.done:
        slopes = torch.randn(2, 3, 5, generator=chance)
        adam.param_groups[0]["lr"] = descent.rate(descent.steps + 1)
        reference.grad = slopes
        adam.step()
        descent.step(slopes)
        torch.testing.assert_close(descent.z, reference.detach(), rtol=0, atol=1e-6)
    assert not start.equal(descent.z)


def test_a_place_stays_where_it_can_be_written_out():
    descent = SearchAdam(torch.tensor([7.9, -7.9]), Rate(1.0, 1, 1.0, 3))
    descent.step(torch.tensor([-1.0, 1.0]))
    assert descent.z.tolist() == pytest.approx([BOUND, -BOUND])
    z = np.array([0, 1, -1, BOUND, -BOUND, 9, 1 / 3], np.float32)
    shape = type("Shape", (), {"z_dim": 7, "num_classes": 0})
    assert np.abs(np.array(parse_at({"at": write_at(z)}, shape)) - z.clip(-8, 8 - 1 / 4096)).max() <= 1 / 8192
