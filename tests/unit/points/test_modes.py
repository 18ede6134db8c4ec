"""Test how many of 25 Gaussians runs cover after some steps.

tests/benchmarks/points.py measures more seeds.
"""

from gan.kinds.points import data
from gan.kinds.points.metrics import Scores
from gan.kinds.points.recipes import make_config
from gan.kinds.points.trainer import PointsTrainer


def scores_after(steps: int, recipe: str) -> Scores:
    run = PointsTrainer(make_config("grid25", recipe, steps=steps), data.load("grid25"))
    run.advance(steps)
    return run.scores()


def test_the_modern_recipe_covers_all_25_modes():
    scores = scores_after(2_000, "modern")
    assert scores.modes == 25
    assert scores.high_quality >= 0.95
    assert scores.kl < 0.2


def test_the_collapse_recipe_loses_nearly_all_modes():
    assert scores_after(200, "collapse").modes <= 6
