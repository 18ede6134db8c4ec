"""Test that batches from the host, gathered by threads, give the bits of those on the device."""

import pytest
import torch

from gan.train.checkpoint import digest, load_state, save_state, tensors_of
from gan.train.inputs import batches
from gan.train.inputs.batches import FromHost, OnDevice
from tests.benchmarks.speed import mapped
from tests.support.engine import SOUND, tiny_data, tiny_trainer

SETTINGS = {"conditional": True, "clusters": 2, "flip": True}
COLOUR = {"projected": {"channels": 3}, "modern": {"channels": 3, "d_steps": 2}}


@pytest.fixture
def from_host(monkeypatch):
    """A device without memory for images."""
    monkeypatch.setattr(batches, "held", lambda size, memory: False)


def trained(recipe: str, steps: int) -> tuple[str, type]:
    trainer = tiny_trainer(recipe, **SETTINGS, **COLOUR.get(recipe, {}))
    trainer.advance(steps)
    return digest(tensors_of(trainer)), type(trainer.batches)


@pytest.mark.parametrize("recipe", SOUND)
def test_both_ways_give_the_same_bits(recipe, monkeypatch):
    steps = 2 if recipe in ("projected", "dcgan") else 9  # more than an epoch of eight batches
    on_device = trained(recipe, steps)
    monkeypatch.setattr(batches, "held", lambda size, memory: False)
    from_host = trained(recipe, steps)
    assert (on_device[1], from_host[1]) == (OnDevice, FromHost)
    assert on_device[0] == from_host[0]


def test_a_run_that_goes_back_reads_the_same_batches_again(from_host, tmp_path):
    trainer, other = tiny_trainer(**SETTINGS), tiny_trainer(**SETTINGS)
    trainer.advance(3)
    save_state(tmp_path, trainer, {})
    trainer.advance(6)
    end = digest(tensors_of(trainer))
    for each in (trainer, other):  # after a rollback, and in a new process
        load_state(tmp_path, each)
        each.advance(6)
        assert digest(tensors_of(each)) == end


def rows_of(index: int) -> torch.Tensor:
    return torch.tensor([index % 64, (7 * index + 3) % 64])


def test_few_batches_are_gathered_ahead_and_each_once():
    asked = []

    def rows(index):
        asked.append(index)
        return rows_of(index)

    images = tiny_data(channels=3).images
    host = FromHost(images, torch.device("cpu"), torch.channels_last, (2, 2), rows)
    for index in range(5):
        host.place(index % 2, index)
        batch = host.batch(index % 2, rows_of(index))
        assert torch.equal(batch, images[rows_of(index)])
        assert batch.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(host.batch(0, rows_of(4)), images[rows_of(4)])
    assert torch.equal(host.batch(1, rows_of(3)), images[rows_of(3)])
    assert asked == list(range(5 + batches.AHEAD))
    host.place(0, 100)
    assert sorted(host.gathered) == [101, 102, 103, 104]
    host.forget()
    assert not host.gathered


def test_batches_that_are_large_are_gathered_singly(monkeypatch):
    monkeypatch.setattr(batches, "AHEAD_BYTES", 10)
    assert (
        FromHost(tiny_data().images, torch.device("cpu"), torch.contiguous_format, (1, 8), rows_of).ahead == 1
    )


def test_an_error_in_a_thread_reaches_the_step(from_host, monkeypatch):
    trainer = tiny_trainer()
    trainer.advance(1)
    trainer.batches.forget()
    monkeypatch.setattr(trainer.batches, "_gather", lambda rows: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(MemoryError):
        trainer.advance(1)


def test_64_mb_in_a_file_take_no_memory_of_their_own():
    """The set in a file has 56 MB more pixels than the one in memory, and no more memory for them.

    The tolerance of 24 MB covers what the allocator keeps, and the buffers of generating and hashing.
    """
    quick = {"width": 8, "batch": 16, "clusters": 2}
    small, large = mapped.compare((8 * 2**20, 64 * 2**20), 1, 0.0, False, 40 * 2**20, quick)
    assert [entrant.answers[-1]["mapped"] for entrant in (small, large)] == [False, True]
    more = large.answers[-1]["anonymous"] - small.answers[-1]["anonymous"]
    assert more < 24 / 1024, f"{1024 * more:.0f} MB more"
