"""Test the trainer: determinism, steps in chunks, schedules, and the purpose of training."""

import inspect
import math

import pytest
import torch

from gan.errors import UserError
from gan.train import trainer as module
from gan.train.base import METRICS, seed_for
from gan.train.losses import PENALTIES, Judged
from gan.train.trainer import Trainer
from tests.support.engine import CPU, SOUND, tiny_config, tiny_data, tiny_trainer


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    nets = {"G": trainer.G, "D": trainer.D, "ema": trainer.ema}
    return {f"{net}.{name}": t.clone() for net, m in nets.items() for name, t in m.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("recipe", SOUND)
def test_every_recipe_takes_finite_steps_and_moves_both_networks(recipe):
    trainer = tiny_trainer(recipe)
    before = weights(trainer)
    means = trainer.advance(3)
    after = weights(trainer)
    assert set(means) == set(METRICS)
    assert all(math.isfinite(value) for value in means.values())
    for net in ("G.", "D.", "ema."):
        assert any(not torch.equal(before[name], after[name]) for name in before if name.startswith(net)), net
    assert trainer.images_seen == 3 * trainer.config.batch * trainer.config.d_steps


@pytest.mark.parametrize("splits", [1, 2])
def test_the_losses_of_d_and_g_come_from_the_same_logits(splits):
    """softplus(d) - softplus(-d) = d, so with the relativistic loss their difference is D's gap."""
    trainer = tiny_trainer("modern", lr_d=0.05)  # one update of D moves its logits far
    trainer.splits = splits
    for _ in range(3):
        means = trainer.advance(1)
        assert means["loss_g"] - means["loss_d"] == pytest.approx(means["real"] - means["fake"], abs=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"conditional": True, "augment": "color,translation,cutout", "flip": True},
        {"recipe": "wasserstein"},
        {"augment": "translation", "adaptive": True},
    ],
)
def test_a_run_is_a_function_of_its_seed_however_it_is_chunked(settings):
    whole, parts, other = tiny_trainer(**settings), tiny_trainer(**settings), tiny_trainer(**settings, seed=1)
    whole.advance(6)
    torch.rand(10)  # the global generator must not matter
    for steps in (1, 3, 2):
        parts.advance(steps)
    other.advance(6)
    assert same(weights(whole), weights(parts))
    assert not same(weights(whole), weights(other))


def test_every_epoch_shows_each_picture_once_in_a_new_order():
    trainer = tiny_trainer(batch=29)  # of 64 pictures 6 are held out
    pixels = trainer.batches.images[trainer.split.trained].float().flatten(1).sum(1)
    seen = []
    for index in range(4):
        trainer._place_batch(0, index)
        images, _ = trainer._batch(0)
        seen += [((image + 1) * 127.5).sum().item() for image in images]
    for epoch in (seen[:58], seen[58:]):
        assert sorted(epoch) == pytest.approx(sorted(pixels.tolist()), rel=1e-4)
    assert seen[:58] != seen[58:]


def test_schedules_follow_the_images_seen():
    trainer = tiny_trainer(kimg=0.8, lr_g=1e-3, lr_end=0.2, gamma=2.0, gamma_end=0.1)
    trainer._set_schedule()
    assert trainer.schedule.lr_g.item() == pytest.approx(1e-3)
    assert trainer.schedule.gamma.item() == pytest.approx(2.0)
    trainer.step = 50
    trainer._set_schedule()
    assert trainer.progress == pytest.approx(0.5)
    assert trainer.schedule.lr_g.item() == pytest.approx(1e-3 * 0.6)
    trainer.step = 100
    trainer._set_schedule()
    assert trainer.schedule.lr_d.item() == pytest.approx(2e-4)
    assert trainer.schedule.gamma.item() == pytest.approx(0.2)


def test_the_average_follows_its_ramped_half_life():
    """After n images with half-life .05 n, one batch keeps 0.5^(batch / (.05 n)) of the average.

    The formula is StyleGAN2-ADA's.
    """
    trainer = tiny_trainer()
    trainer.advance(40)
    before = weights(trainer)
    trainer.advance(1)
    after = weights(trainer)
    beta = 0.5 ** (8 / (0.05 * 320))
    name = "dense.weight"
    torch.testing.assert_close(
        after[f"ema.{name}"],
        beta * before[f"ema.{name}"] + (1 - beta) * after[f"G.{name}"],
        atol=1e-6,
        rtol=1e-4,
    )
    assert torch.equal(after["ema.norm.running_mean"], after["G.norm.running_mean"])


def test_without_an_average_the_shown_generator_is_the_trained_one():
    trainer = tiny_trainer("dcgan")
    trainer.advance(2)
    state = weights(trainer)
    assert all(torch.equal(state[name], state["ema" + name[1:]]) for name in state if name.startswith("G."))


@pytest.mark.parametrize(("penalty", "times"), [("none", 0), ("r1", 1), ("r1r2", 2)])
def test_penalties_are_one_squared_gradient_a_side(penalty, times):
    trainer = tiny_trainer(recipe="hinge", penalty=penalty)
    trainer._place_batch(0, 0)
    real, _ = trainer._batch(0)
    fake = trainer.G(torch.randn(8, 6)).detach()
    real.requires_grad_(), fake.requires_grad_()
    got = PENALTIES[penalty](trainer.D, Judged(real, trainer.D(real)), Judged(fake, trainer.D(fake)), None)
    expected = 0.0
    for images in (real, fake)[:times]:
        for image in images.detach():  # one at a time, because the reference can't mix samples
            x = image[None].requires_grad_()
            expected += torch.autograd.grad(trainer.D(x).sum(), x)[0].square().sum().item() / 8
    assert got.item() == pytest.approx(expected, rel=1e-4)


def test_a_lazy_penalty_comes_every_so_many_steps():
    trainer, penalties = tiny_trainer(penalty_every=3), []
    step = trainer.run_step
    trainer.run_step = lambda penalised: penalties.append(step(penalised)) or penalties[-1]
    trainer.advance(6)
    assert [float(metrics[-1]) > 0 for metrics in penalties] == [True, False, False, True, False, False]


def test_the_step_reads_no_clock_and_no_file():
    source = inspect.getsource(module)
    assert not any(word in source for word in ("import time", "open(", "Path", ".item()"))


def test_the_discriminator_learns_to_tell_and_the_generator_to_please():
    """All images have one colour. After 150 steps G must draw close to it, from a start near grey."""
    data = tiny_data()
    data.images.fill_(230)
    trainer = Trainer(tiny_config(kimg=1.2), data, CPU)
    start = trainer.sample_grid().mean().item()
    trainer.advance(150)
    target = 230 / 127.5 - 1
    assert abs(trainer.sample_grid().mean().item() - target) < 0.25 * abs(start - target)


@pytest.mark.parametrize(
    ("key", "settings"),
    [("train.batch_too_large", {"batch": 128}), ("train.no_labels", {"conditional": True})],
)
def test_settings_that_do_not_fit_the_data_are_refused(key, settings):
    data = tiny_data()
    if key == "train.no_labels":
        object.__setattr__(data, "labels", None)
    with pytest.raises(UserError) as caught:
        Trainer(tiny_config(**settings), data, CPU)
    assert caught.value.key == key


def test_seeds_depend_on_every_part():
    values = [seed_for(a, b) for a in range(20) for b in range(20)]
    assert len(set(values)) == 400
    assert seed_for(1, 23) != seed_for(12, 3)
    assert all(0 <= value < 2**63 for value in values)


def test_numbers_that_explode_without_becoming_nan_are_seen():
    """The weight and the statistics have the size that diverged runs reached."""
    trainer = tiny_trainer()
    trainer.advance(1)
    assert trainer.healthy()
    for value, healthy in ((2000.0, True), (12500.0, False), (-17700.0, False)):
        trainer.means[1] = value
        assert trainer.healthy() == healthy
    trainer.means.zero_()
    with torch.no_grad():
        next(trainer.D.parameters())[0] = 1e9
    assert not trainer.healthy()
