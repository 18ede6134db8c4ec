"""Test Adam: it equals PyTorch's to the last bit, resumes its state, and does not load torch's compiler."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from gan.train.optim import Adam

BETAS = (0.5, 0.99)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8 * 6 * 6, 5)).to(
        memory_format=torch.channels_last
    )


def losses(net: nn.Module, steps: int, seed: int):
    rng = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        yield net(torch.randn(4, 3, 8, 8, generator=rng)).square().mean()


def ours(net: nn.Module) -> Adam:
    return Adam(net.parameters(), torch.tensor(0.01), BETAS)


def take(net: nn.Module, optimizer, steps: int = 5, seed: int = 1) -> None:
    for loss in losses(net, steps, seed):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(
        torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )


@pytest.fixture
def pair():
    """Two equal networks."""
    return network(), network()


def test_every_step_is_that_of_pytorch(pair):
    one, other = pair
    reference = torch.optim.Adam(other.parameters(), lr=torch.tensor(0.01), betas=BETAS, eps=1e-8, fused=True)
    optimizer = ours(one)
    take(one, optimizer)
    take(other, reference)
    assert same(one, other)
    states = reference.state_dict()["state"]
    assert optimizer.tensors().keys() == {
        f"{index}.{name}" for index, state in states.items() for name in state
    }
    assert all(
        torch.equal(value, states[int(key.split(".")[0])][key.split(".")[1]])
        for key, value in optimizer.tensors().items()
    )


def test_the_rate_is_the_tensor_that_was_given(pair):
    one, other = pair
    optimizer = ours(one)
    optimizer.lr.zero_()
    take(one, optimizer)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_it_goes_on_where_it_was(pair):
    one, other = pair
    first, second = ours(one), ours(other)
    take(one, first)
    other.load_state_dict(one.state_dict())
    second.load(
        {key: value.clone(memory_format=torch.contiguous_format) for key, value in first.tensors().items()}
    )
    for net, optimizer in ((one, first), (other, second)):
        take(net, optimizer, seed=2)
    assert same(one, other)
    second.load({})
    assert second.tensors() == {}


def test_what_has_no_gradient_stays(pair):
    one, other = pair
    optimizer = ours(one)
    one[0].requires_grad_(False)
    take(one, optimizer)
    assert torch.equal(one[0].weight, other[0].weight)
    assert not torch.equal(one[3].weight, other[3].weight)
    assert {key.split(".")[0] for key in optimizer.tensors()} == {"2", "3", "4", "5"}


def test_training_does_not_load_the_compiler():
    """The compiler takes 2 s of a core and 150 MB in each process."""
    code = (
        "import sys; from tests.support.engine import tiny_trainer; tiny_trainer().advance(2); "
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=600, check=False).returncode == 0
