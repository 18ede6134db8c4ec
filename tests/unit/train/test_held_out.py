"""Test which images are held out, and that no step reads them."""

import pytest
import torch

from gan.train.inputs.held_out import MOST, split
from tests.support.engine import tiny_trainer


@pytest.mark.parametrize(
    ("count", "batch", "held"),
    [(10_000, 64, MOST), (5_000, 64, 500), (1_000, 64, 100), (200, 64, 20), (199, 64, 19), (9, 4, 0)],
)
def test_a_tenth_is_held_out_and_at_most_500(count, batch, held):
    trained, held_out = split(count, None, batch)
    assert len(held_out) == held
    assert torch.equal(torch.cat([trained, held_out]).sort().values, torch.arange(count))


@pytest.mark.parametrize(("count", "held"), [(64, 0), (66, 2), (71, 7), (80, 8)])
def test_a_set_that_hardly_fills_a_batch_still_fills_it(count, held):
    trained, held_out = split(count, None, 64)
    assert (len(trained), len(held_out)) == (count - held, held)


def test_no_class_loses_its_last_image():
    labels = torch.cat([torch.zeros(500), torch.arange(1, 401)]).long()  # 400 classes of one image
    trained, held_out = split(len(labels), labels, 8)
    assert len(held_out) == 90
    assert labels[held_out].unique().tolist() == [0]
    assert labels[trained].unique().tolist() == list(range(401))
    everyone_alone = torch.arange(300)
    assert len(split(300, everyone_alone, 8).held_out) == 0


def test_the_choice_is_that_of_chance_and_always_the_same():
    held_out = split(10_000, None, 64).held_out
    assert torch.equal(held_out, split(10_000, None, 16).held_out), "other settings, the same images"
    # the mean of 500 of 10,000 numbers has a standard deviation of 126
    assert abs(held_out.float().mean() - 5_000) < 5 * 126


def test_few_images_are_of_all_classes_alike_and_leave_what_is_held_out():
    labels = torch.arange(1_000) % 4
    labels[::10] = 4  # a rarer class
    whole, few = split(1_000, labels, 8), split(1_000, labels, 8, few=20)
    assert torch.equal(few.held_out, whole.held_out)
    assert labels[few.trained].bincount().tolist() == [4] * 5
    assert set(few.trained.tolist()) < set(whole.trained.tolist())
    assert set(few.trained.tolist()) < set(split(1_000, labels, 8, few=40).trained.tolist())
    assert len(split(1_000, None, 8, few=20).trained) == 20
    assert torch.equal(split(1_000, labels, 8, few=5_000).trained, whole.trained), "there are no more"


@pytest.mark.parametrize("host", [False, True])
def test_a_run_on_few_images_reads_no_others(host):
    trainer = tiny_trainer(batch=8, images=10)
    rows = trainer._rows_on_host if host else trainer._rows
    drawn = {row for index in range(40) for row in rows(index).tolist()}
    assert drawn == set(trainer.split.trained.tolist())
    assert len(drawn) == 10


@pytest.mark.parametrize("host", [False, True])
def test_no_step_reads_an_image_that_is_held_out(host):
    trainer = tiny_trainer(batch=8)
    held_out = set(trainer.split.held_out.tolist())
    assert len(held_out) == trainer.held_out == 6
    rows = trainer._rows_on_host if host else trainer._rows
    drawn = {row for index in range(40) for row in rows(index).tolist()}
    assert drawn == set(range(64)) - held_out
    # pixels that no step may read: with them poisoned, the run stays the same
    poisoned = tiny_trainer(batch=8)
    poisoned.batches.images[poisoned.split.held_out] = 255
    assert trainer.advance(20) == poisoned.advance(20)
