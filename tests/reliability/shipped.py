"""Runs with the shipped settings, for properties that must hold for users.

No batch, width or number of clusters is reduced here.
"""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from gan import data
from gan.config import RunConfig
from gan.recipes import make_config

THREADS = 2
# Name of a run -> data set and recipe. `modern` has the tuned settings of each bundled set; every other
# recipe occurs once.
RUNS = {
    "digits": ("digits", "modern"),
    "fashion": ("fashion", "modern"),
    "faces": ("faces", "modern"),
    "emoji": ("emoji", "modern"),
    "landscapes": ("landscapes", "modern"),
    "nonsaturating": ("digits", "nonsaturating"),
    "hinge": ("digits", "hinge"),
    "least_squares": ("digits", "least_squares"),
    "wasserstein": ("digits", "wasserstein"),
    "dcgan": ("digits", "dcgan"),
    "projected": ("emoji", "projected"),
}
SLOW = {"dcgan", "projected"}  # a second or more per step

# The loop ends with its parent process, however that ended.
_BURN = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: sum(range(100_000))"


def config_of(run: str, steps: int, seed: int = 0) -> RunConfig:
    """Return the shipped settings of a run in RUNS, with a budget of so many steps."""
    name, recipe = RUNS[run]
    info = data.info(name)
    made = make_config(name, recipe, info.size, info.channels, seed=seed)
    return make_config(
        name, recipe, info.size, info.channels, seed=seed, kimg=steps * made.batch * made.d_steps / 1000
    )


@contextlib.contextmanager
def busy(processes: int = THREADS) -> Iterator[None]:
    """Keep so many cores busy, so that threads are interrupted and finish in varying order."""
    burning = [subprocess.Popen([sys.executable, "-S", "-E", "-c", _BURN]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in burning:
            process.kill()
            process.wait()
