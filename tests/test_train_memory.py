"""A full memory: wherever it ends a step the run goes on as if that step had never begun, and what can't go on is told in a sentence."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gan.spec import read_header
from gan.train import trainer as module
from gan.train.state import NEWEST, load_state, save_state
from gan.train.trainer import Trainer
from tests.engine import tiny_trainer

FULL = torch.OutOfMemoryError("CUDA out of memory")
SETTINGS = {
    "modern": {"augment": "translation", "adaptive": True, "flip": True},
    "wasserstein": {"conditional": True},
    "dcgan": {"looks": 3, "augment": "translation"},
}
# What a step is made of, as methods of the trainer.
STAGES = ["_set_schedule", "_rows", "_batch", "_parts", "_draw", "_logits", "_update_d", "_teach_d", "_penalty", "_update_g", "_teach_g", "_update_ema"]


class Fills(TorchDispatchMode):
    """The memory is full at operator number `at`, counted from 0, of what happens within; `count` is how many there were."""

    def __init__(self, at: int):
        super().__init__()
        self.at, self.count = at, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        if self.count > self.at:
            raise FULL
        return function(*args, **(kwargs or {}))


def begun(recipe: str, folder, parts: int) -> Trainer:
    """A trainer after some steps, which `folder` holds as well; batches are worked on in so many parts."""
    trainer = tiny_trainer(recipe, **SETTINGS[recipe])
    trainer.parts = parts
    trainer.advance(3)
    save_state(folder, trainer, {})
    return trainer


def gone_on(trainer: Trainer, folder, out) -> dict[str, str]:
    """The digest over all bytes of the checkpoint, and its counters, of a trainer that went back to `folder` and took steps in twice as many parts."""
    load_state(folder, trainer)
    trainer.parts *= 2
    trainer.advance(2)
    save_state(out, trainer, {})
    return read_header(out / NEWEST)[1]


@pytest.mark.parametrize(("recipe", "parts"), [("modern", 1), ("modern", 2), ("wasserstein", 1), ("dcgan", 1)])
def test_wherever_a_step_breaks_off_the_run_goes_on_with_the_same_bytes(recipe, parts, tmp_path, monkeypatch):
    """Before and after each stage of a step, in the first of its calls and in the last."""
    trainer = begun(recipe, tmp_path / "at", parts)
    expected = gone_on(tiny_trainer(recipe, **SETTINGS[recipe]), tmp_path / "at", tmp_path / "expected")

    def breaks(owner, name: str, nth: int, after: bool) -> bool:
        """Whether the `nth` call of a method, counted from 1, was reached and broke the step off."""
        method, calls = getattr(owner, name), []

        def broken(*arguments):
            calls.append(None)
            if len(calls) == nth and not after:
                raise FULL
            result = method(*arguments)
            if len(calls) == nth:
                raise FULL
            return result

        with monkeypatch.context() as patched:
            patched.setattr(owner, name, broken)
            try:
                trainer.advance(2)
            except torch.OutOfMemoryError:
                return True
        return False

    places = [(trainer, name) for name in STAGES] + [(trainer.opt_d, "step"), (trainer.opt_g, "step"), (module, "augment"), (torch, "_foreach_add_")]
    for owner, name in places:
        for nth, after in ((1, False), (1, True), (3, True)):
            assert breaks(owner, name, nth, after) or nth > 1, name
            assert gone_on(trainer, tmp_path / "at", tmp_path / "out") == expected, f"{name}, call {nth}"


@pytest.mark.parametrize("recipe", SETTINGS)
def test_whichever_operator_finds_the_memory_full_the_run_goes_on_with_the_same_bytes(recipe, tmp_path):
    """A sample of the thousands in a step, those of the backward passes too."""
    trainer = begun(recipe, tmp_path / "at", 1)
    expected = gone_on(tiny_trainer(recipe, **SETTINGS[recipe]), tmp_path / "at", tmp_path / "expected")
    load_state(tmp_path / "at", trainer)
    with Fills(1 << 30) as whole:
        trainer.advance(1)
    for at in torch.randint(whole.count, (24,), generator=torch.Generator().manual_seed(0)).tolist():
        load_state(tmp_path / "at", trainer)
        with pytest.raises(torch.OutOfMemoryError), Fills(at):
            trainer.advance(1)
        assert gone_on(trainer, tmp_path / "at", tmp_path / "out") == expected, f"operator {at} of {whole.count}"


def test_nothing_of_a_step_stays_in_memory_when_its_state_is_to_be_replaced(tmp_path):
    trainer = begun("modern", tmp_path, 1)
    assert all(p.grad is not None for net in (trainer.G, trainer.D) for p in net.parameters())
    trainer.let_go()
    assert all(p.grad is None for net in (trainer.G, trainer.D) for p in net.parameters())
    assert not trainer.opt_g.state
    assert not trainer.opt_d.state
