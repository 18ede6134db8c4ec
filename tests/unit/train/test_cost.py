"""Test the estimate of a run's cost before it starts.

It counts operations as the trainer performs them, and times them by the machine's measurements.
"""

import dataclasses

import pytest

from gan.models import count_parameters
from gan.recipes import make_config
from gan.train.autotune import cost
from gan.train.autotune.cost import count_step, estimate
from gan.train.autotune.machine import Machine, Speed
from tests.support.engine import SOUND, tiny_trainer

# 10 GFLOP/s and nothing else
MACHINE = Machine("CPU, 2 threads", "cpu", 2, "float32", True, Speed(0.0, 1e-10), 500_000_000)


@pytest.mark.parametrize(
    "settings", [{}, {"penalty_every": 3, "augment": "color,translation,cutout"}, {"conditional": True}]
)
@pytest.mark.parametrize("recipe", SOUND)
def test_a_step_is_counted_as_the_trainer_takes_it(recipe, settings):
    trainer = tiny_trainer(recipe, batch=4, **settings)
    every = trainer.config.penalty_every
    with cost.Tally() as tally:
        trainer.advance(every)
    step = count_step(trainer.config, classes=3)
    assert step.work.flops == pytest.approx(tally.flops / every, rel=0.02)  # equal when the test was written
    # operations outside the networks are not counted
    assert 0.5 * tally.calls < step.work.calls * every < tally.calls
    assert (step.parameters_g, step.parameters_d) == (
        count_parameters(trainer.G),
        count_parameters(trainer.D),
    )


def test_work_grows_with_what_there_is_to_do():
    plain = make_config("digits", "modern", 28, 1, conditional=False)
    flops = lambda **changes: count_step(dataclasses.replace(plain, **changes)).work.flops  # noqa: E731
    assert flops(batch=2 * plain.batch) == 2 * flops()
    assert flops(d_steps=3) > 2 * flops()
    assert flops(width=2 * plain.width) > 2 * flops()
    assert flops(penalty="none") < flops(penalty_every=4) < flops(penalty_every=1)


def test_settings_that_change_no_work_are_not_counted_again():
    config = make_config("digits", "modern", 28, 1)
    first = count_step(config, 10)
    same = dataclasses.replace(
        config,
        minutes=99.0,
        seed=7,
        lr_g=0.02,
        lr_d=0.02,
        gamma=3.0,
        ema=1.0,
        flip=True,
        data="faces",
        recipe="hinge",
        lr_end=1.0,
    )
    assert count_step(same, 10) is first
    assert count_step(dataclasses.replace(config, conditional=False), 10) is count_step(
        dataclasses.replace(config, conditional=False), 0
    )


def test_an_estimate_follows_the_planted_speed():
    config = make_config("landscapes", "modern", 64, 3, minutes=2.0)
    found = estimate(config, MACHINE, 1000)
    step = count_step(config)
    alone = config.batch / (1e-10 * step.work.flops)
    assert 0.6 * alone < found.images_per_second < alone  # grids and files take their share
    assert found.kimg == pytest.approx(found.images_per_second * 120 / 1000)
    faster = estimate(config, dataclasses.replace(MACHINE, speed=Speed(0.0, 0.5e-10)), 1000)
    assert faster.images_per_second > 1.8 * found.images_per_second
    assert estimate(dataclasses.replace(config, minutes=4.0), MACHINE, 1000).kimg == pytest.approx(
        2 * found.kimg
    )
    assert estimate(dataclasses.replace(config, kimg=7.0), MACHINE, 1000).kimg == 7.0


def test_critic_steps_show_real_images_too():
    config = make_config("landscapes", "wasserstein", 64, 3)
    step = count_step(config)
    assert estimate(config, MACHINE, 1000).images_per_second == pytest.approx(
        config.batch * config.d_steps / (1e-10 * step.work.flops), rel=0.4
    )


def test_memory_holds_networks_pictures_and_activations(monkeypatch):
    config = make_config("landscapes", "modern", 64, 3)
    memory = lambda known=MACHINE, count=1000, **changes: (  # noqa: E731
        estimate(dataclasses.replace(config, **changes), known, count).memory_bytes
    )
    step = count_step(config)
    pictures = 1000 * 3 * 64 * 64
    assert memory() == pytest.approx(
        MACHINE.base + pictures + 4 * (6 * step.parameters_g + 4 * step.parameters_d) + step.activations,
        rel=1e-6,
    )
    assert memory(batch=64) > memory() < memory(width=64)
    assert memory(dataclasses.replace(MACHINE, precision="bf16")) < memory()
    many = 1_000_000
    monkeypatch.setattr(cost, "held", lambda size: True)
    # two copies while the data move to their place
    assert memory(count=many) == MACHINE.base + 2 * many * 3 * 64 * 64
    assert memory(dataclasses.replace(MACHINE, torch_name="cuda"), count=many) < 0.6 * memory(count=many)
    monkeypatch.setattr(cost, "held", lambda size: False)
    assert memory(count=many) == memory(count=0), "these stay in a file"


def test_an_unknown_machine_leaves_its_part_open():
    found = estimate(make_config("digits", "modern", 28, 1), None, 1000, 10)
    assert found.parameters_g > 10_000 < found.parameters_d
    assert (found.images_per_second, found.kimg, found.memory_bytes) == (None, None, None)


def test_the_largest_settings_are_counted_without_their_memory():
    found = estimate(make_config("landscapes", "modern", 128, 3, width=256, batch=1024), MACHINE, 1000)
    assert found.memory_bytes > 2e10


def test_many_updates_of_the_discriminator_are_counted_at_the_price_of_one(monkeypatch):
    counted = []
    real = cost.d_objective
    monkeypatch.setattr(cost, "d_objective", lambda *given: counted.append(1) or real(*given))
    # a batch size that no other test has counted
    config = make_config("digits", "modern", 28, 1, penalty_every=4, batch=37)
    count_step(config)
    one = len(counted)
    ten = count_step(dataclasses.replace(config, d_steps=10))
    assert len(counted) == 2 * one
    assert ten.work.flops > 5 * count_step(config).work.flops
