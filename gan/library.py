"""Use GANarium in a notebook or a program: train a run, open a generator, generate samples.

    from gan.library import load, train

    digits = train("digits", minutes=1, out="my-run")
    digits.grid(64)                              # a PIL image, which a notebook shows
    load("my-run").images(range(8), label="7")   # uint8 (8, 28, 28, 1)

A mistake raises gan.errors.UserError, whose text is one sentence.
"""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gan.cli.sample import MAX_COUNT, draw
from gan.cli.train import new_run, progress
from gan.export.track import tracking
from gan.hub.pull import find
from gan.latent.catalogue import class_index
from gan.latent.point import MAX_PSI, MAX_SEED, Point, number, whole


class Generator:
    """The trained generator of a run, a checkpoint, a shipped model or the Hub. Its weights do not change."""

    def __init__(self, place: str | Path):
        from gan.latent.generator import Model  # imports torch

        self._model = Model(find(str(place)))
        entry = self._model.entry
        self.title, self.size, self.channels, self.classes = (
            entry.title,
            entry.size,
            entry.channels,
            entry.classes,
        )

    def images(self, seeds: Sequence[int], label: str | int | None = None, psi: float = 1.0) -> np.ndarray:
        """Return the samples of 1 to 4,096 seeds in [0, 2^31 - 1]: uint8 (N, size, size, channels).

        label: a class by its name or number; None lets each seed choose one.
        psi: truncation from 0 (only the most typical sample) to 2; 1 as trained (Karras et al. 2019).
        """
        psi = number(str(psi), "psi", 0.0, MAX_PSI)
        index = class_index(None if label is None else str(label), self._model.entry)
        whole(str(len(seeds)), "number of seeds", 1, MAX_COUNT)
        points = [Point(whole(str(seed), "seed", 0, MAX_SEED), psi, index) for seed in seeds]
        return draw(self._model, points).permute(0, 2, 3, 1).numpy()

    def grid(
        self,
        count: int = 64,
        seed: int = 0,
        label: str | int | None = None,
        psi: float = 1.0,
        columns: int = 8,
    ) -> Image.Image:
        """Return the samples of `count` seeds from `seed` on, row by row. See `images` for label and psi."""
        import torch

        from gan.images import grid

        count = whole(str(count), "count", 1, MAX_COUNT)
        columns = whole(str(columns), "columns", 1, MAX_COUNT)

        images = torch.from_numpy(self.images(range(seed, seed + count), label, psi))
        sheet = grid(images.permute(0, 3, 1, 2), columns).permute(1, 2, 0).numpy()
        return Image.fromarray(sheet.squeeze(2) if self.channels == 1 else sheet)


def load(place: str | Path) -> Generator:
    """Return the generator of a run's folder, of a checkpoint, or of a shipped model such as "digits".

    "hub:owner/name[@revision]" is pulled from the Hugging Face Hub, unless it is already in the cache. Raises
    UserError if there is none.
    """
    return Generator(place)


def train(
    data: str = "digits",
    minutes: float = 5.0,
    out: str | Path | None = None,
    recipe: str = "modern",
    report: Callable[[str], None] | None = print,
    cap: int | None = None,
    **settings: Any,
) -> Generator:
    """Train a new run in this process and return its generator. Blocks until the time is over.

    data: a name from the catalogue, the path of a folder or zip of images, or hub:owner/name.
    out: the run's folder, runs/<data>-<recipe> by default. `python -m gan train` can resume it there.
    report: receives a line of progress about once a second; None for silence.
    cap: the most pictures of a data set of the Hub.
    settings: fields of gan.config.RunConfig.
    Ctrl-C pauses the run. Raises UserError.
    """
    asked = {"data": data, "recipe": recipe, "minutes": minutes, **settings}
    path = new_run(asked, None if out is None else Path(out), cap=cap)
    from gan.worker.worker import work  # imports torch

    with _signals_as_before(), tracking(path):
        work(path, lambda status: report(f"{progress(status)}  [{status['state']}]") if report else None)
    return Generator(path)


@contextlib.contextmanager
def _signals_as_before() -> Iterator[None]:
    """Restore the caller's handlers of Ctrl-C and SIGTERM, which a worker replaces."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {sign: signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)
