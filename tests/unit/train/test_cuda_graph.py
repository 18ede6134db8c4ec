"""Test captured steps.

A recorder that keeps Python functions tests their bookkeeping. On a GPU, where there is one, captured steps
must compute the same as eager steps.
"""

from collections import Counter
from dataclasses import replace

import pytest
import torch

from gan.device import pick_device
from gan.train.base import METRICS
from gan.train.checkpoint import load_state, save_state
from gan.train.cuda_graph import WARM_UP, GraphedStep, Recorder
from gan.train.trainer import Trainer
from tests.support.engine import SOUND, tiny_config, tiny_data, tiny_trainer


class Tape:
    """A recorder without a GPU. Capturing runs nothing.

    Replaying runs the work, and puts its result where a graph would: into the same tensor.
    """

    def __init__(self):
        self.count: Counter[str] = Counter()

    def recorder(self) -> Recorder:
        return Recorder(self.warm_up, self.capture)

    def warm_up(self, work):
        self.count["warm"] += 1
        return work()

    def capture(self, work, rng):
        self.count["captured"] += 1
        result = torch.zeros(len(METRICS))

        def replay():
            self.count["replayed"] += 1
            result.copy_(work())

        return replay, result


def graphed(tape: Tape, **settings) -> Trainer:
    trainer = tiny_trainer(**settings)
    trainer.run_step = GraphedStep(trainer._train_step, trainer.rngs, tape.recorder())
    return trainer


def state(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {
        f"{name}.{key}": value.float().cpu().clone()
        for name in ("G", "D", "ema")
        for key, value in getattr(trainer, name).state_dict().items()
    }


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"penalty_every": 3, "augment": "translation", "adaptive": True},
        {"recipe": "wasserstein", "conditional": True},
    ],
)
def test_graphed_steps_are_the_steps_of_an_eager_run(settings):
    """The bits are equal, because the recorder calls the same function.

    Only the host's work around it could differ: seeds, rows, schedule, counters.
    """
    plain, taped = tiny_trainer(**settings), graphed(Tape(), **settings)
    for steps in (1, 12, 2):
        assert plain.advance(steps) == pytest.approx(taped.advance(steps), abs=0)
    for name, value in state(plain).items():
        assert torch.equal(value, state(taped)[name]), name
    assert plain.step == taped.step == 15


def test_each_kind_of_step_is_warmed_up_then_captured_once():
    tape = Tape()
    graphed(tape, penalty_every=2).advance(20)
    assert tape.count == {"warm": 2 * WARM_UP, "captured": 2, "replayed": 20 - 2 * WARM_UP}


def test_another_optimizer_state_needs_another_recording(tmp_path):
    """Recordings name memory.

    After a checkpoint is loaded, the old ones would write into moments that nobody reads.
    """
    tape = Tape()
    trainer = graphed(tape)
    trainer.advance(8)
    save_state(tmp_path, trainer, {})
    trainer.advance(4)
    expected = state(trainer)
    load_state(tmp_path, trainer)
    assert not trainer.run_step.recorded
    trainer.advance(4)
    assert tape.count["captured"] == 2
    assert all(torch.equal(value, expected[name]) for name, value in state(trainer).items())


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="captures a real CUDA graph")
# A share of the distance that some steps moved a tensor. Convolutions may pick other algorithms, and sum in
# another order.
TOLERANCE = {"float32": 0.02, "bf16": 0.3}
SETTINGS = [
    {},
    {"penalty_every": 3, "flip": True, "augment": "color,translation,cutout", "adaptive": True},
    {"conditional": True, "clusters": 3},
]


def on_gpu(recipe: str, precision: str, graph: bool, settings: dict) -> Trainer:
    config = tiny_config(recipe, **settings)
    return Trainer(
        config,
        tiny_data(size=config.size, channels=config.channels),
        replace(pick_device(), graph=graph, precision=precision),
    )


def assert_alike(one: Trainer, other: Trainer, begin: dict[str, torch.Tensor], precision: str) -> None:
    """Each tensor has moved by the same from the common start.

    A missing step of twelve, or of four in bf16, would exceed the tolerance.
    """
    here, there = state(one), state(other)
    for name, start in begin.items():
        distance, apart = (here[name] - start).norm(), (here[name] - there[name]).norm()
        assert apart <= TOLERANCE[precision] * distance + 1e-6, name


@needs_gpu
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("precision", TOLERANCE)
@pytest.mark.parametrize("recipe", SOUND)
def test_on_a_gpu_captured_and_eager_steps_agree(recipe, precision, settings):
    eager, captured = (on_gpu(recipe, precision, graph, settings) for graph in (False, True))
    begin = state(eager)
    eager.advance(12), captured.advance(12)
    assert captured.run_step.recorded
    assert_alike(eager, captured, begin, precision)


@needs_gpu
@pytest.mark.parametrize("recipe", SOUND)
def test_on_a_gpu_a_resumed_run_with_graphs_goes_on_as_the_whole_one(recipe, tmp_path):
    whole, first, second = (
        on_gpu(recipe, "float32", True, {"conditional": True, "clusters": 3}) for _ in range(3)
    )
    begin = state(whole)
    whole.advance(16)
    first.advance(10)
    save_state(tmp_path, first, {})
    load_state(tmp_path, second)
    second.advance(6)
    assert_alike(whole, second, begin, "float32")


@needs_gpu
@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("recipe", SOUND)
def test_on_a_gpu_no_step_waits_for_the_device(recipe, graph):
    """The batch is as large as the data, so every step begins an epoch."""
    trainer = on_gpu(
        recipe,
        "float32",
        graph,
        {
            "batch": 64,
            "conditional": True,
            "clusters": 3,
            "augment": "color,translation,cutout",
            "adaptive": True,
        },
    )
    trainer.advance(10)
    trainer.G.train(), trainer.D.train()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(3):
            trainer._next_step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
