"""Train each entrant of minutes.py in its own process, and only while it is that entrant's turn."""

import math
import multiprocessing
import resource
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import torch

from gan.config import RunConfig
from gan.data.dataset import Dataset, fit
from gan.device import Device
from gan.images import to_uint8
from gan.train.trainer import Trainer
from tests.benchmarks import tutorial
from tests.benchmarks.quality import sets
from tests.benchmarks.variants import Variant, config_of

CHUNK = 0.25  # seconds between readings of the clock, as in the worker
MEMORY_OF = 5.0  # seconds over which the rate is smoothed, as in the worker
DRAWN = 256  # samples of a batch
DONE = 0.05  # seconds of a budget that may be left over


class Job(NamedTuple):
    """The task of an entrant."""

    variant: Variant | None  # None for the tutorial's DCGAN
    data: str
    folder: Path | None
    images: int | None  # number of training images; None for all
    seed: int
    budget: float  # seconds
    device: Device

    @property
    def name(self) -> str:
        """Return the entrant's name in the table."""
        return self.variant.name if self.variant else "tutorial"


class Drawn(NamedTuple):
    """An entrant's samples, and its counters at that moment."""

    # uint8 (N, C, H, W). An array, because tensors would travel through shared memory, and the process would
    # have to outlive them.
    pixels: Any
    images_seen: int
    megabytes: float  # peak memory so far


def config_for(variant: Variant, data: str, dataset: Dataset, seed: int, budget: float) -> RunConfig:
    """Return a variant's config for `budget` seconds of training on `data`, a key of SETS.

    Raises UserError for an impossible setting.
    """
    channels, size = dataset.images.shape[1:3]
    subject = sets.SETS[data]
    usual = {name: value for name, value in subject.settings.items() if name not in variant.settings}
    return config_of(
        variant, subject.name, size, channels, seed=seed, minutes=max(0.05, budget / 60), **usual
    )


class Ours:
    """One of GANarium's recipes, driven as the worker drives it.

    The schedule follows a forecast of the images that the budget will hold.
    """

    def __init__(self, job: Job, dataset: Dataset):
        config = config_for(job.variant, job.data, dataset, job.seed, job.budget)
        self.labels = dataset.labels
        self.trainer = Trainer(config, fit(dataset, config.size, config.channels), job.device)
        self.left, self.rate = job.budget, 0.0  # seconds, steps a second

    @property
    def images_seen(self) -> int:
        """Return the number of real images shown to D."""
        return self.trainer.images_seen

    def advance(self, seconds: float) -> None:
        """Train for about `seconds`."""
        end = time.monotonic() + seconds
        while (start := time.monotonic()) < end:
            steps = max(1, round(self.rate * min(CHUNK, end - start)))
            self.trainer.advance(steps)
            self._account(steps, time.monotonic() - start)

    def _account(self, steps: int, seconds: float) -> None:
        weight = 1 - math.exp(-seconds / MEMORY_OF) if self.rate else 1.0
        self.rate += weight * (steps / seconds - self.rate)
        self.left = max(0.0, self.left - seconds)
        per_step = self.images_seen / self.trainer.step
        self.trainer.total_images = self.images_seen + self.rate * per_step * self.left

    def draw(self, count: int) -> torch.Tensor:
        """Return samples (count, C, H, W) of the EMA generator as uint8.

        A conditional generator gets the labels of random training images.
        """
        rng, device = torch.Generator().manual_seed(count), self.trainer.device
        z = torch.randn(count, self.trainer.config.z_dim, generator=rng).to(device)
        labels = (
            self.labels[torch.randint(len(self.labels), (count,), generator=rng)].to(device)
            if self.trainer.classes
            else None
        )
        parts = [slice(start, start + DRAWN) for start in range(0, count, DRAWN)]
        return torch.cat(
            [
                to_uint8(self.trainer.sample(z[part], None if labels is None else labels[part])).cpu()
                for part in parts
            ]
        )


class Reference:
    """The tutorial's DCGAN, with the methods of Ours. It has no schedule that ends with a budget."""

    def __init__(self, job: Job, dataset: Dataset):
        self.tutorial = tutorial.Tutorial(
            fit(dataset, tutorial.SIZE, None).images, job.seed, job.device.torch_name
        )

    @property
    def images_seen(self) -> int:
        """Return the number of real images shown to D."""
        return self.tutorial.images_seen

    def advance(self, seconds: float) -> None:
        """Train for about `seconds`.

        The clock is right, because every step of the tutorial waits for the device.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.tutorial.advance(1)

    def draw(self, count: int) -> torch.Tensor:
        """Return samples (count, C, 64, 64) as uint8."""
        rng = torch.Generator().manual_seed(count)
        batches = -(-count // tutorial.BATCH)
        noise = torch.randn(batches, tutorial.BATCH, tutorial.NZ, generator=rng)
        return torch.cat([to_uint8(self.tutorial.draw(z)).cpu() for z in noise])[:count]


def peak_megabytes(device: Device) -> float:
    """Return this process's peak memory in MB: the GPU's where there is one, else the resident memory.

    VmHWM comes first, because Linux's ru_maxrss includes the parent process.
    """
    if device.torch_name == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return (kilobytes[0] if kilobytes else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024


def serve(pipe: Connection, job: Job) -> None:
    """Serve one entrant in this process.

    The answer to ("train", seconds) is the seconds spent, and the answer to ("draw", count) is a Drawn. None
    ends the process.
    """
    torch.set_num_threads(job.device.threads)
    torch.set_flush_denormal(True)
    dataset = sets.load_training(job.data, job.folder, job.seed, job.images)
    pupil = (Ours if job.variant else Reference)(job, dataset)
    pipe.send("ready")
    for order, value in iter(pipe.recv, None):
        if order == "train":
            start = time.monotonic()
            pupil.advance(value)
            pipe.send(time.monotonic() - start)
        else:
            megabytes = peak_megabytes(job.device)
            pipe.send(Drawn(pupil.draw(value).numpy(), pupil.images_seen, megabytes))


class Entrant:
    """The benchmark's handle of an entrant's process."""

    def __init__(self, job: Job):
        context = multiprocessing.get_context("spawn")
        self.job, self.spent = job, 0.0
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, job), daemon=True)
        self.process.start()
        theirs.close()
        self._answer()

    def _answer(self) -> Any:
        try:
            return self.pipe.recv()
        except EOFError as error:
            raise SystemExit(f"{self.job.name} has ended; the reason stands above") from error

    def train(self, seconds: float) -> None:
        """Let the entrant train for about `seconds`."""
        self.pipe.send(("train", seconds))
        self.spent += self._answer()

    def draw(self, count: int) -> Drawn:
        """Return samples of the entrant as it is now."""
        self.pipe.send(("draw", count))
        return self._answer()

    def end(self) -> None:
        """End the process."""
        self.pipe.send(None)
        self.process.join()


def race(entrants: Sequence[Entrant], mark: float, turn: float) -> None:
    """Train all entrants until each has spent `mark` seconds, in turns of `turn` seconds.

    The entrant that has done the smallest share of its own stretch gets the next turn. So all of them train
    from the beginning to the end, although some enter with seconds already spent.
    """
    stretches = [
        (entrant, entrant.spent, mark - entrant.spent) for entrant in entrants if entrant.spent < mark - DONE
    ]
    while under_way := [each for each in stretches if each[0].spent < mark - DONE]:
        entrant = min(under_way, key=lambda each: (each[0].spent - each[1]) / each[2])[0]
        entrant.train(min(turn, mark - entrant.spent))
