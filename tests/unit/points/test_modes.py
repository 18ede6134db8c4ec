"""How well runs cover 25 Gaussians after some steps, in four of five seeds.

tests/benchmarks/quality/points.py measures more steps, and the seconds.
"""

from collections.abc import Callable

import pytest

from gan.kinds.points import data
from gan.kinds.points.metrics import diversity
from gan.kinds.points.recipes import FAILING, make_config
from gan.kinds.points.trainer import PointsTrainer
from gan.worker.health import Verdict
from gan.worker.watch import Watch

SEEDS, ENOUGH = 5, 4


def trained(steps: int, recipe: str, seed: int) -> PointsTrainer:
    run = PointsTrainer(make_config("grid25", recipe, steps=steps, seed=seed), data.load("grid25"))
    run.advance(steps)
    return run


def holds(steps: int, recipe: str, as_it_should: Callable[[PointsTrainer], bool]) -> bool:
    """Whether the runs are as they should be for ENOUGH of SEEDS seeds. It trains no more than needed."""
    right = wrong = 0
    while right < ENOUGH and wrong <= SEEDS - ENOUGH:
        fine = as_it_should(trained(steps, recipe, right + wrong))
        right, wrong = right + fine, wrong + (not fine)
    return right == ENOUGH


def test_the_modern_recipe_covers_all_25_modes_evenly():
    def evenly(run: PointsTrainer) -> bool:
        scores = run.scores()
        return scores.modes == 25 and scores.high_quality >= 0.95 and scores.kl < 0.2

    assert holds(1_500, "modern", evenly)


@pytest.mark.parametrize("recipe", [name for name in FAILING if name not in ("collapse", "diverge")])
def test_a_recipe_that_fails_is_diagnosed(recipe):
    """On seed 0 of five that do: see tests/benchmarks/README.md."""
    run = PointsTrainer(make_config("grid25", recipe, steps=200), data.load("grid25"))
    watch, judged = Watch(), Verdict("missing_modes", "warn", {"modes": 5, "of": 25})
    for check in range(3):  # the checks of half a minute
        run.advance(10)
        watch.see({"step": run.step, "images": 3_000, "seconds": 10.0 * check, **run.measure()})
    assert watch.verdict(judged)["key"] == FAILING[recipe]


def test_the_recipe_that_diverges_does():
    run = PointsTrainer(make_config("grid25", "diverge", steps=200), data.load("grid25"))
    run.advance(50)
    assert not run.healthy()


def test_the_collapse_recipe_draws_one_place_near_the_data():
    def in_one_place(run: PointsTrainer) -> bool:
        samples, real = run.sample(run.fixed_z), run.points.points
        near = (samples.abs().amax(0) <= 2 * real.abs().amax(0)).all()
        return run.scores().modes <= 1 and diversity(samples, real) < 0.15 and bool(near)

    assert holds(100, "collapse", in_one_place)
