"""Test that no operator of a step sums in a changing order.

The test finds such an operator without waiting for threads to arrive in another one.
"""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gan.config import AUGMENTS
from gan.models import projected
from gan.recipes import make_config
from gan.train.inputs import augment
from gan.train.trainer import Trainer
from tests.reliability.attacker.planted import planted
from tests.support.engine import CPU, SOUND, tiny_data

# Operators that sum in parallel without a fixed order: on a CPU, and more of them on a GPU.
UNORDERED = (
    "aten.index_put",
    "aten._index_put_impl",
    "aten.index_add",
    "aten.index_reduce",
    "aten.scatter_reduce",
    "aten.put_",
)
UNORDERED_ON_A_GPU = (
    *UNORDERED,
    "aten.scatter_add",
    "aten.upsample_bilinear2d_backward",
    "aten.upsample_bicubic2d_backward",
    "aten._adaptive_avg_pool2d_backward",
    "aten.grid_sampler_2d_backward",
    "aten.cumsum",
    "aten.histc",
    "aten.bincount",
)


class Watch(TorchDispatchMode):
    """Record the names of all operators that run, those of backward passes included."""

    def __init__(self):
        super().__init__()
        self.seen: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen.add(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("recipe", SOUND)
@pytest.mark.parametrize("pixel", [1, 4])
def test_no_operator_of_a_step_adds_up_in_a_changing_order(recipe, pixel, monkeypatch):
    """The test covers a GPU's step without a GPU. There the step moves and enlarges images in other ways."""
    monkeypatch.setattr(augment, "_pick_by_index", augment._pick_by_matrices)
    monkeypatch.setattr(projected, "_enlarge", projected._by_matrices)
    fixed = recipe.startswith("dcgan")
    settings = {
        "pixel": 1 if fixed else pixel,
        "augment": AUGMENTS[-1],
        "adaptive": True,
        "conditional": True,
        "clusters": 2,
        "flip": True,
    }
    config = make_config("tiny", recipe, 64, 3, width=8, z_dim=6, batch=4, **settings)
    trainer = Trainer(config, tiny_data(size=config.size, channels=3), CPU)
    # raises for an operator that torch knows to have no fixed order
    torch.use_deterministic_algorithms(True)
    try:
        with Watch() as watch:
            trainer.advance(2)
            trainer.sample_grid()
            trainer.healthy()
    finally:
        torch.use_deterministic_algorithms(False)
    assert [name for name in watch.seen if name.startswith(UNORDERED_ON_A_GPU)] == []
    assert any(name.startswith("aten.convolution_backward") for name in watch.seen), (
        "backward passes are watched"
    )


def test_the_watch_would_see_such_an_operator():
    with planted(), Watch() as watch:
        Trainer(make_config("tiny", "modern", 28, 1, width=8, batch=4, clusters=2), tiny_data(), CPU).advance(
            1
        )
    assert any(name.startswith(UNORDERED) for name in watch.seen)


def test_pixels_picked_by_matrices_are_those_picked_by_index_and_so_are_gradients():
    images = torch.randn(5, 3, 16, 16, dtype=torch.float64, requires_grad=True)
    rows = torch.randint(0, 16, (5, 16, 1))
    columns = torch.randint(0, 16, (5, 1, 16))
    weights = torch.randn(5, 3, 16, 16, dtype=torch.float64)
    results = []
    for pick in (augment._pick_by_index, augment._pick_by_matrices):
        picked = pick(images, rows, columns)
        results.append((picked, *torch.autograd.grad((picked * weights).sum(), images)))
    assert torch.equal(results[0][0], results[1][0])
    torch.testing.assert_close(results[0][1], results[1][1], rtol=1e-12, atol=1e-12)  # sums in another order
