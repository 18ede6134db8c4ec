"""Test a full memory: wherever it ends a step, the run continues as if that step had never begun.

A run that can't continue ends with a sentence.
"""

import contextlib
import errno
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode

from gan.data import bundled
from gan.data.own import files
from gan.errors import UserError, is_out_of_memory
from gan.files import read_json, read_lines, write_json
from gan.recipes import make_config
from gan.spec import read_header
from gan.train import checkpoint, step
from gan.train import trainer as module
from gan.train.checkpoint import NEWEST, load_state, save_state
from gan.train.trainer import Trainer
from gan.worker import worker
from tests.support.engine import tiny_trainer

FULL = torch.OutOfMemoryError("CUDA out of memory")
SETTINGS = {
    "modern": {"augment": "translation", "adaptive": True, "flip": True},
    "wasserstein": {"conditional": True, "d_steps": 2},
    "dcgan": {"clusters": 3, "augment": "translation"},
}
# The stages of a step, as methods of the trainer.
STAGES = [
    "_set_schedule",
    "_rows",
    "_batch",
    "_micro_batches",
    "_generate",
    "_judge",
    "_update_d",
    "_update_g",
]
# functions of gan/train/step.py
UPDATES = ["accumulate_d_gradients", "d_objective", "accumulate_g_gradients", "update_ema"]


class Full:
    """The method of Fills. A dispatch mode that defines it itself loads torch's compiler: 2 s of a core."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        if self.count > self.at:
            raise FULL
        return function(*args, **(kwargs or {}))


class Fills(Full, TorchDispatchMode):
    """Fill the memory at operator number `at` of this block, counted from 0.

    `count` is the number of operators.
    """

    def __init__(self, at: int):
        super().__init__()
        self.at, self.count = at, 0


def begun(recipe: str, folder, parts: int) -> Trainer:
    """Return a trainer after some steps, with batches in `parts` micro-batches. Also saves it in `folder`."""
    trainer = tiny_trainer(recipe, **SETTINGS[recipe])
    trainer.parts = parts
    trainer.advance(3)
    save_state(folder, trainer, {})
    return trainer


def gone_on(trainer: Trainer, folder, out) -> dict[str, str]:
    """Load `folder` into a trainer, and take steps in twice as many parts.

    Returns the header of its checkpoint, with the counters and a digest of all bytes.
    """
    load_state(folder, trainer)
    trainer.parts *= 2
    trainer.advance(2)
    save_state(out, trainer, {})
    return read_header(out / NEWEST)[1]


def full_at(trainer: Trainer, owner, name: str, nth: int, after: bool, monkeypatch) -> int:
    """Take a step that finds the memory full before or after call `nth` of a method, counted from 1.

    Returns the number of calls that began.
    """
    method, calls = getattr(owner, name), []

    def broken(*arguments):
        calls.append(None)
        if len(calls) == nth and not after:
            raise FULL
        result = method(*arguments)
        if len(calls) == nth:
            raise FULL
        return result

    with monkeypatch.context() as patched, contextlib.suppress(torch.OutOfMemoryError):
        patched.setattr(owner, name, broken)
        trainer.advance(1)
    return len(calls)


# In two parts the fakes are drawn again for G's update.
@pytest.mark.parametrize(("recipe", "parts"), [("modern", 2), ("wasserstein", 1), ("dcgan", 1)])
def test_wherever_a_step_breaks_off_the_run_goes_on_with_the_same_bytes(recipe, parts, tmp_path, monkeypatch):
    """The memory is full after each stage of a step, in its first and last calls, and amid the average.

    Before a stage is after the one before it.
    """
    trainer = begun(recipe, tmp_path / "at", parts)
    expected = gone_on(tiny_trainer(recipe, **SETTINGS[recipe]), tmp_path / "at", tmp_path / "expected")

    def check(owner, name: str, nth: int, after: bool) -> None:
        assert full_at(trainer, owner, name, nth, after, monkeypatch) == nth, name
        assert gone_on(trainer, tmp_path / "at", tmp_path / "out") == expected, f"{name}, call {nth}"

    places = [(trainer, name) for name in STAGES] + [(step, name) for name in UPDATES]
    places += [(trainer.opt_d, "step"), (trainer.opt_g, "step"), (module, "augment")]
    for owner, name in places:
        load_state(tmp_path / "at", trainer)
        last = full_at(trainer, owner, name, 0, False, monkeypatch)
        for nth in {1, last}:
            check(owner, name, nth, after=True)
    check(torch, "_foreach_add_", 1, after=False)


@pytest.mark.parametrize("recipe", SETTINGS)
def test_whichever_operator_finds_the_memory_full_the_run_goes_on_with_the_same_bytes(recipe, tmp_path):
    """The operators are a sample of the thousands in a step, those of the backward passes included."""
    trainer = begun(recipe, tmp_path / "at", 1)
    expected = gone_on(tiny_trainer(recipe, **SETTINGS[recipe]), tmp_path / "at", tmp_path / "expected")
    load_state(tmp_path / "at", trainer)
    with Fills(1 << 30) as whole:
        trainer.advance(1)
    for at in torch.randint(whole.count, (12,), generator=torch.Generator().manual_seed(0)).tolist():
        load_state(tmp_path / "at", trainer)
        with pytest.raises(torch.OutOfMemoryError), Fills(at):
            trainer.advance(1)
        assert gone_on(trainer, tmp_path / "at", tmp_path / "out") == expected, (
            f"operator {at} of {whole.count}"
        )


def test_nothing_of_a_step_stays_in_memory_when_its_state_is_to_be_replaced(tmp_path):
    trainer = begun("modern", tmp_path, 1)
    assert all(p.grad is not None for net in (trainer.G, trainer.D) for p in net.parameters())
    trainer.reset_step_state()
    assert all(p.grad is None for net in (trainer.G, trainer.D) for p in net.parameters())
    assert not trainer.opt_g.state
    assert not trainer.opt_d.state


# One error of each class: each class takes its own way through the worker.
CLASSES = [
    torch.OutOfMemoryError("CUDA out of memory"),
    MemoryError("Cannot allocate memory (os error 12)"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
    RuntimeError("std::bad_alloc"),
]
WAYS = [
    *CLASSES,
    MemoryError(),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 12 bytes"),
    RuntimeError("could not create a primitive"),
    RuntimeError("could not create a memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"),
    np._core._exceptions._ArrayMemoryError((9, 9), np.dtype("f8")),
]
OTHERS = [
    RuntimeError("could not create a primitive descriptor"),
    RuntimeError("mat1 and mat2"),
    OSError(errno.EIO, "Input/output error"),
    ValueError(),
]


@pytest.fixture
def run(tmp_path):
    """The directory of a short run."""
    write_json(
        tmp_path / "run" / "config.json",
        make_config("digits", "modern", 28, 1, width=8, z_dim=8, batch=4, kimg=0.04, clusters=1).to_json(),
    )
    return tmp_path / "run"


def fill(monkeypatch, owner, name: str, error: Exception, times: int, before=lambda: True) -> None:
    """Fill the memory at the next `times` calls of a method for which `before()` is true."""
    method, left = getattr(owner, name), [times]

    def full(*arguments, **options):
        if left[0] and before():
            left[0] -= 1
            raise error
        return method(*arguments, **options)

    monkeypatch.setattr(owner, name, full)


def failed(run) -> str:
    """Return the key of the sentence with which the run ends."""
    with pytest.raises(UserError):
        worker.work(run)
    status = read_json(run / "status.json")
    assert status["state"] == "failed"
    return status["error"]["key"]


@pytest.mark.parametrize("error", WAYS, ids=repr)
def test_a_full_memory_is_known_in_each_of_its_ways(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize("error", CLASSES, ids=repr)
def test_a_run_goes_on_where_the_memory_is_full_in_a_step_and_again_while_it_recovers(
    error, run, monkeypatch
):
    fill(monkeypatch, step, "accumulate_g_gradients", error, 1)
    fill(monkeypatch, worker, "load_state", error, 1)
    assert worker.work(run) == "finished"
    assert [line["key"] for line in read_lines(run / "events.jsonl")[0]] == ["in_parts"]
    assert read_header(run / "state" / NEWEST)


@pytest.mark.parametrize("error", OTHERS, ids=repr)
def test_other_errors_are_no_full_memory(error):
    assert not is_out_of_memory(error)


def test_an_error_that_hides_a_full_memory_is_one(run, monkeypatch):
    """A capture that breaks off hides a full memory in this way."""
    hidden = RuntimeError("operation failed due to a previous error during capture")
    hidden.__context__ = torch.OutOfMemoryError("CUDA out of memory")
    assert is_out_of_memory(hidden)


@pytest.mark.parametrize("error", CLASSES, ids=repr)
def test_where_there_is_no_memory_to_go_back_the_run_says_so_and_its_checkpoint_stays(
    error, run, monkeypatch
):
    assert worker.work(run) == "finished"
    kept = {path.name: path.read_bytes() for path in (run / "state").iterdir()}
    with monkeypatch.context() as patched:
        fill(patched, Trainer, "reset_step_state", error, 9)
        assert failed(run) == "train.out_of_memory"
    with monkeypatch.context() as patched:
        fill(patched, checkpoint, "read_state", error, 9)
        assert failed(run) == "train.out_of_memory"
    with monkeypatch.context() as patched:
        fill(patched, checkpoint, "_restore", error, 9)
        assert failed(run) == "train.out_of_memory"
    assert {path.name: path.read_bytes() for path in (run / "state").iterdir()} == kept
    assert worker.work(run) == "finished"


@pytest.mark.parametrize(("owner", "name"), [(Image, "open"), (bundled, "load_file"), (Path, "read_text")])
def test_a_data_set_that_finds_no_memory_is_not_called_damaged(owner, name, monkeypatch):
    fill(monkeypatch, owner, name, OSError(errno.ENOMEM, "Cannot allocate memory"), 1)
    with pytest.raises(OSError, match="Cannot allocate"):
        bundled.load("digits")


def test_a_decoder_that_finds_no_memory_says_less_and_is_not_called_damaged(monkeypatch):
    fill(monkeypatch, Image, "open", OSError("could not create decoder object"), 2)
    with pytest.raises(UserError, match="damaged"):
        bundled.load("digits")
    fill(monkeypatch, np, "empty", MemoryError(), 1)
    with pytest.raises(MemoryError):
        bundled.load("digits")


def test_pictures_that_find_no_memory_are_not_left_out(tmp_path, monkeypatch):
    for index in range(3):
        Image.effect_noise((16, 16), 80).save(tmp_path / f"{index}.png")
    fill(monkeypatch, Image, "open", OSError(errno.ENOMEM, "Cannot allocate memory"), 1)
    with pytest.raises(OSError, match="Cannot allocate"):
        files.load(str(tmp_path), 16)


def test_a_checkpoint_is_begun_only_where_there_is_memory_for_it(tmp_path, monkeypatch):
    """safetensors ends the process where it gets no memory. Nobody could catch that as an error."""
    begun("modern", tmp_path, 1)
    kept = (tmp_path / NEWEST).read_bytes()
    trainer = tiny_trainer("modern", **SETTINGS["modern"])
    monkeypatch.setattr(checkpoint, "COPIES", 1 << 40)
    with pytest.raises(RuntimeError) as caught:
        save_state(tmp_path, trainer, {})
    assert is_out_of_memory(caught.value)
    assert (tmp_path / NEWEST).read_bytes() == kept
