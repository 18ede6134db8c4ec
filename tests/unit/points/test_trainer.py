"""Test runs on points: every recipe takes steps, resumes bit for bit, and ignores the number of threads."""

import copy
import math

import pytest
import safetensors.torch
import torch

from gan.errors import UserError
from gan.kinds.points import data
from gan.kinds.points.data import PointSet
from gan.kinds.points.recipes import RECIPES, make_config
from gan.kinds.points.trainer import PointsTrainer
from gan.train.base import METRICS

STEPS = 6


@pytest.fixture(scope="module")
def points():
    return data.load("grid25")


def trainer(points: PointSet, /, recipe: str = "modern", **settings) -> PointsTrainer:
    return PointsTrainer(
        make_config(recipe=recipe, **{"steps": 100, "batch": 32, "width": 16, **settings}), points
    )


def resume(second: PointsTrainer, first: PointsTrainer) -> None:
    """Load the state of `first` into `second`, as gan.train.checkpoint does."""
    second.reset_step_state()
    second.load(copy.deepcopy(first.state()))
    second.step = first.step


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_takes_steps_and_resumes_bit_for_bit(points, recipe):
    few = {"points": 64} if "points" in RECIPES[recipe] else {}  # more than a batch
    through = trainer(points, recipe, **few)
    means = through.advance(STEPS)
    assert list(means) == list(METRICS)
    if through.config.loss == "relativistic":  # both losses come from the same logits
        assert means["loss_g"] - means["loss_d"] == pytest.approx(means["real"] - means["fake"], abs=1e-4)
    assert all(math.isfinite(value) for value in means.values())
    first = trainer(points, recipe, **few)
    first.advance(2)
    second = trainer(points, recipe, **few)
    second.advance(1)  # steps that the state replaces
    resume(second, first)
    assert second.advance(STEPS - 2) == means
    assert equal(second.state(), through.state())
    assert (second.step, second.images_seen, second.progress) == (
        through.step,
        through.images_seen,
        through.progress,
    )
    assert through.healthy() or recipe == "diverge"


def test_resumption_is_exact_across_the_end_of_an_epoch():
    few = PointSet("few", data.load("moons").points[:70], data.Box(0, 0, 1))
    through, part = trainer(few), trainer(few)
    through.advance(5)
    part.advance(2)
    resumed = trainer(few)
    resume(resumed, part)
    resumed.advance(3)
    assert equal(resumed.state(), through.state())
    rows = torch.cat([trainer(few)._real(index) for index in (0, 1)]).flatten(1)
    assert len(rows.unique(dim=0)) == 64, "an epoch shows a point at most once"


@pytest.mark.parametrize("threads", [1, 2])
def test_two_runs_on_as_many_threads_give_the_same_bits(points, threads):
    """Test what a run promises. Another number of threads may round otherwise, as on Intel's processors."""
    before, states = torch.get_num_threads(), []
    try:
        torch.set_num_threads(threads)
        for _ in range(2):
            run = PointsTrainer(make_config(steps=100), points)
            run.advance(20)
            states.append(run.state())
    finally:
        torch.set_num_threads(before)
    assert equal(*states)


def test_a_run_depends_on_its_seed(points):
    runs = [trainer(points, seed=seed) for seed in (0, 0, 1)]
    for run in runs:
        run.advance(2)
    assert equal(runs[0].state(), runs[1].state())
    assert not torch.equal(runs[0].sample(runs[0].fixed_z), runs[2].sample(runs[2].fixed_z))


def test_schedules_end_at_their_end_factors(points):
    run = trainer(points, gamma=0.5, gamma_end=0.01, lr_g=1e-3, lr_end=0.1)
    assert run._set_schedule()[0] == pytest.approx(0.5)
    assert run.lr_g.item() == pytest.approx(1e-3)
    run.step, run.lr_factor = 100, 0.5
    assert run.progress == 1
    assert run._set_schedule()[0] == pytest.approx(0.005)
    assert run.lr_g.item() == pytest.approx(0.5e-4)


def test_a_state_of_other_networks_is_refused(points):
    with pytest.raises(RuntimeError):
        trainer(points).load(trainer(points, width=8).state())


def test_a_run_is_unhealthy_where_a_weight_or_a_moment_is_not_finite_or_has_exploded(points):
    for value in (math.nan, math.inf, 1e5):
        run = trainer(points)
        run.advance(1)
        assert run.healthy()
        next(run.G.parameters()).data.view(-1)[0] = value
        assert not run.healthy()
    run = trainer(points)
    run.advance(1)
    run.opt_d.state[0]["exp_avg"].view(-1)[0] = math.nan
    assert not run.healthy()


def test_a_batch_larger_than_the_set_is_refused():
    few = PointSet("few", data.load("moons").points[:20], data.Box(0, 0, 1))
    with pytest.raises(UserError, match="holds 20"):
        trainer(few)


def test_what_is_published_draws_the_same_samples(points):
    run = trainer(points)
    run.advance(3)
    other = trainer(points, seed=9)
    other.ema.load_state_dict(safetensors.torch.load(run.published()))
    assert torch.equal(run.sample(run.fixed_z), other.sample(run.fixed_z))
