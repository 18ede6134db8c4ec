"""Share the tiny configs of run tests, the fake worker's command, and waits for another process."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from gan.config import RunConfig
from gan.recipes import make_config
from gan.runs.store import Store

FAKE_WORKER = (sys.executable, str(Path(__file__).with_name("worker.py")))
LONG = 100_000  # steps: a fake run that never ends by itself
# Without clusters, whose search takes half a second of a core in each worker.
SMALL = {"batch": 8, "width": 8, "z_dim": 16, "clusters": 1}
PATIENCE = 180.0  # seconds; a loaded machine is slow


def tiny(steps: int = 20, seed: int = 0, **overrides: object) -> RunConfig:
    """Return a run of `steps` batches of 8 digits on the narrowest networks."""
    return make_config(
        "digits",
        size=28,
        channels=1,
        **{**SMALL, "kimg": steps * 8 / 1000, "seed": seed, **overrides},
    )


def children() -> list[psutil.Process]:
    """Return this process's children, except those that outlive tests.

    Those are multiprocessing's resource tracker and its fork server, which runs the forked servers.
    """
    return [child for child in psutil.Process().children() if not _stays(child)]


def _stays(process: psutil.Process) -> bool:
    try:
        return any("resource_tracker" in word or "forkserver" in word for word in process.cmdline())
    except psutil.Error:
        return False


def wait_until(
    condition: Callable[[], object], timeout: float = PATIENCE, what: Callable[[], str] = str
) -> None:
    """Return as soon as `condition()` is true. Fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout} s in vain {what()}"
        time.sleep(0.01)


def past(
    store: Store, config: RunConfig, fill: Callable[[Path], None] = lambda folder: None, **status: object
) -> str:
    """Add a run from the past to a store that a server is using. Returns its id.

    `fill` writes its files. The server never sees the run queued, because the finished folder is moved in at
    once.
    """
    store.root.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=store.root, prefix=".past-") as place:
        aside = Store(Path(place))
        name = aside.create(config)
        fill(aside.path(name))
        aside.update_status(name, **status)
        run_id = f"past-{time.time_ns()}"
        aside.path(name).rename(store.root / run_id)
    return run_id


def state(store: Store, run_id: str) -> str:
    """Return the run's state."""
    return store.status(run_id)["state"]


def reaches(store: Store, run_id: str, *states: str) -> None:
    """Wait until the run is in one of `states`."""
    wait_until(lambda: state(store, run_id) in states, what=lambda: f"for {states}: {store.status(run_id)}")
