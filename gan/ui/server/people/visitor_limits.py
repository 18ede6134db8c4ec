"""Limit what visitors of a Space take: bytes of the disk, the size of a run's networks, memory, long steps.

A run's numbers are estimated from its settings before it starts. gan.ui.server.people.visitors applies the
limits.
"""

import threading
from pathlib import Path

from gan import data as data_room
from gan.config import RunConfig, Settings
from gan.data.names import UPLOADS
from gan.data.pixels import SHARE as IN_MEMORY
from gan.data.pixels import held
from gan.device import memory_limit
from gan.errors import UserError
from gan.kinds.points.recipes import PointsConfig
from gan.runs.disk import GB, size_of
from gan.runs.store import LIVE, Store
from gan.spec import MAX_CLASSES
from gan.train.autotune.machine import Machine, Speed, has_gpu, load_profile
from gan.ui.server.children.surveys import remembered

SHARE = 0.5  # of the quota, for all visitors together; the rest stays the owner's
CHECKPOINT_MB = 128
MEMORY_SHARE = 0.5  # of the machine's memory; the page, its models and the next worker need the rest
STEP_SECONDS = 10.0  # of one step, in which nobody can pause the run
# Bytes of a run's files for each parameter. Checkpoints hold a network, Adam's two moments, and for G its
# average. There are two, and a third while it is written. The generator is there twice, and in snapshots.
_IN_CHECKPOINT, _CHECKPOINTS = 16, 3
_OF_GENERATOR = 2 * 4 + 33 * 2
_OF_START = 4  # the copy of the model that the run starts from
_GRIDS, _IN_GRID = 240, 64
_OF_PIXEL = 0.5  # bytes of a value in a grid, as WebP
_SHEETS_OF_POINTS, _OTHER_FILES = 25 * 10**6, 5 * 10**6
# A machine that nobody has measured counts as a slow one of its kind, and a worker as one of 600 MB.
_UNMEASURED = {False: Speed(2e-5, 5e-11), True: Speed(2e-5, 1e-12)}
_BASE = 600 * 10**6
_one_at_a_time = threading.Lock()  # counting takes up to seconds, and a crowd asks for the same


def check_size(config: Settings, lent: bool = False) -> None:
    """Raise UserError for a run whose networks, memory or steps are too large for a visitor.

    lent: whether the run trains on a GPU that is lent. The count of an unknown shape takes about a second.
    """
    with _one_at_a_time:
        G, D = _parameters(config)
        megabytes = _IN_CHECKPOINT * (G + D) / 10**6
        if megabytes > CHECKPOINT_MB:
            raise UserError("access.large_run", megabytes=round(megabytes), most=CHECKPOINT_MB)
        if isinstance(config, RunConfig):
            _check_pixels(config)
            _check_step(config, _machine(lent))


def expected_bytes(config: Settings) -> int:
    """Return how many bytes the files of a run may take at most, about."""
    with _one_at_a_time:
        G, D = _parameters(config)
    weights = _CHECKPOINTS * _IN_CHECKPOINT * (G + D) + _OF_GENERATOR * G + _OF_START * (G + D)
    if not isinstance(config, RunConfig):
        return weights + _SHEETS_OF_POINTS + _OTHER_FILES
    image = config.size**2 * config.channels
    decoded = 0 if config.data in data_room.catalogue() else image * _count(config)  # for leases of a GPU
    return round(weights + _GRIDS * _IN_GRID * image * _OF_PIXEL + decoded + _OTHER_FILES)


def check_share(store: Store, more: int = 0, starting: str = "") -> None:
    """Raise UserError where `more` bytes do not fit into the visitors' share of the quota.

    Runs that wait or train, and the one that is `starting`, count with what they may still take. Uploads that
    no run of the owner uses count too.
    """
    allowed = store.usage.allowed
    if not allowed:
        return
    used, share = _used(store, store.usage.measure(), starting), SHARE * allowed
    if used + more >= share:
        raise UserError("access.no_bytes", used=f"{used / GB:.2g}", allowed=f"{share / GB:.2g}")


def _used(store: Store, sizes: dict[str, int], starting: str) -> int:
    """Return the bytes that visitors have, or will have. sizes: of the entries of the runs folder."""
    total, owners = 0, set[str]()
    for summary in store.list():
        run_id = summary["id"]
        try:
            config, mark = store.config(run_id), store.visitor(run_id)
        except UserError:  # deleted since the listing, or damaged
            total += sizes.get(run_id, 0)
            continue
        if mark:
            grows = run_id == starting or summary["state"] in ("queued", *LIVE)
            total += max(sizes.get(run_id, 0), expected_bytes(config) if grows else 0)
        else:
            owners |= _upload_of(config.data)
    return total + max(
        0, sizes.get(UPLOADS, 0) - sum(size_of(store.root / UPLOADS / name) for name in owners)
    )


def _upload_of(data: str) -> set[str]:
    """Return the name of the upload's folder in the path of a run's data; empty for other data."""
    _, found, rest = f"/{data}".replace("\\", "/").partition(f"/{UPLOADS}/")
    return {rest.partition("/")[0]} if found else set()


def _parameters(config: Settings) -> tuple[int, int]:
    """Return the numbers of parameters of G and D. Both imports load torch, at a visitor's first run."""
    if isinstance(config, RunConfig):
        from gan.train.autotune.cost import count_networks

        return count_networks(config, _classes(config))
    from gan.kinds.points.models import count_parameters

    assert isinstance(config, PointsConfig), "there are two kinds of runs"
    found = count_parameters(config)
    return found["G"], found["D"]


def _count(config: RunConfig) -> int:
    """Return the number of images: of a named set, or as the survey of an upload found them; else 0."""
    known = data_room.catalogue().get(config.data)
    report = remembered(Path(config.data)) if _upload_of(config.data) else None
    return known.count if known else report.count if report else 0


def _classes(config: RunConfig) -> int:
    """Return the number of classes; for somebody's own images the most that there may be."""
    known = data_room.catalogue().get(config.data)
    return MAX_CLASSES if known is None else len(known.classes)


def _check_pixels(config: RunConfig) -> None:
    """Raise UserError where the images would lie in a file, which is outside the quota."""
    pixels = config.size**2 * config.channels * _count(config)
    if not held(pixels):
        most = memory_limit() / IN_MEMORY
        raise UserError("access.heavy_run", needed=f"{pixels / GB:.2g}", most=f"{most / GB:.2g}")


def _machine(lent: bool) -> Machine:
    """Return the measured machine, else a slow one of its kind. A GPU that is lent is never measured here."""
    known = None if lent else load_profile()
    if known is not None:
        return known
    gpu = lent or has_gpu()
    return Machine("", "cuda" if gpu else "cpu", 1, "float32", True, _UNMEASURED[gpu], _BASE)


def _check_step(config: RunConfig, machine: Machine) -> None:
    """Raise UserError where the steps are too long, or need too much memory.

    On a GPU the worker halves the batch where memory is full, so only a CPU's memory counts.
    """
    from gan.train.autotune.cost import count_step, estimate

    seconds = machine.speed.seconds(count_step(config, _classes(config)).work)
    if seconds > STEP_SECONDS:
        raise UserError("access.slow_run", seconds=round(seconds), most=round(STEP_SECONDS))
    needed = estimate(config, machine, _count(config), _classes(config)).memory_bytes or 0
    most = MEMORY_SHARE * memory_limit()
    if machine.torch_name == "cpu" and needed > most:
        raise UserError("access.heavy_run", needed=f"{needed / GB:.2g}", most=f"{most / GB:.2g}")
