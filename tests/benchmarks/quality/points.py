"""Measure how well runs on points cover the modes, and their speed: python -m tests.benchmarks.quality.points

The seeds train one after the other, on as many threads as the option says. The table has a row per seed:
steps, seconds of training and milliseconds a step, without scores and sheets. It also has the metrics of
gan/kinds/points/metrics.py. With --seconds a run ends after that time. The option --steps then still sets its
schedules.

    python -m tests.benchmarks.quality.points --data grid25 --recipe modern collapse --seeds 5 --threads 2
    python -m tests.benchmarks.quality.points --set lr_g=2e-3 gamma=0.01 --steps 4000
    python -m tests.benchmarks.quality.points --sheet
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from typing import Any

import torch

from gan.kinds.points import data
from gan.kinds.points.recipes import PointsConfig, make_config
from gan.kinds.points.trainer import PointsTrainer
from tests.benchmarks.tables import markdown

CHUNK = 100  # steps between readings of the clock
HEADER = (
    "data",
    "recipe",
    "seed",
    "steps",
    "seconds",
    "ms a step",
    "modes",
    "high quality",
    "KL",
    "precision",
    "coverage",
)


def train(config: PointsConfig, seconds: float | None) -> tuple[PointsTrainer, float]:
    """Return a trainer after the config's steps, or those that fit into `seconds`, and the time taken."""
    trainer = PointsTrainer(config, data.load(config.data))
    begun = time.perf_counter()
    while trainer.step < config.steps and (seconds is None or time.perf_counter() - begun < seconds):
        trainer.advance(min(CHUNK, config.steps - trainer.step))
    return trainer, time.perf_counter() - begun


def row(config: PointsConfig, seconds: float | None) -> list[str]:
    """Return the row of HEADER for one run."""
    trainer, took = train(config, seconds)
    scores = ["–" if value is None else f"{value:.3f}".rstrip("0").rstrip(".") for value in trainer.scores()]
    return [
        config.data,
        config.recipe,
        str(config.seed),
        str(trainer.step),
        f"{took:.1f}",
        f"{1e3 * took / trainer.step:.2f}",
        *scores,
    ]


def sheet_milliseconds(config: PointsConfig, times: int = 20) -> float:
    """Return the median milliseconds of drawing a sheet, samples and field included."""
    trainer, taken = PointsTrainer(config, data.load(config.data)), []
    for _ in range(times):
        begun = time.perf_counter()
        trainer.sample_sheet()
        taken.append(1e3 * (time.perf_counter() - begun))
    return statistics.median(taken)


def _setting(text: str) -> tuple[str, Any]:
    """Convert name=value to a setting of its field's type."""
    name, _, value = text.partition("=")
    kind = type(getattr(PointsConfig, name, ""))
    return name, kind(value)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="grid25")
    parser.add_argument("--recipe", nargs="+", default=["modern"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=None, help="instead of the recipe's own")
    parser.add_argument("--seconds", type=float, default=None, help="end a run after so long")
    parser.add_argument("--set", nargs="*", type=_setting, default=[], metavar="NAME=VALUE")
    parser.add_argument("--sheet", action="store_true", help="only measure how long a sheet takes")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(asked.threads)
    settings = dict(asked.set) | ({} if asked.steps is None else {"steps": asked.steps})
    if asked.sheet:
        print(f"{sheet_milliseconds(make_config(asked.data, asked.recipe[0], **settings)):.1f} ms a sheet")
        return
    configs = [
        make_config(asked.data, recipe, seed=seed, **settings)
        for recipe in asked.recipe
        for seed in range(asked.seeds)
    ]
    print(markdown(HEADER, [row(config, asked.seconds) for config in configs]))


if __name__ == "__main__":
    main()
