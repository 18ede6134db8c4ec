"""The worker: drives a Trainer on a run directory until the budget is used up or somebody asks it to end.

The trainer knows no clock and no file; this module has both. It hands the trainer chunks of about a quarter of a second, and between them publishes
statistics, grids, the live generator and checkpoints, and takes commands. Whatever ends it, the run directory can be continued from its last checkpoint.
"""

import contextlib
import logging
import math
import os
import signal
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import torch

from gan import data
from gan.config import RunConfig
from gan.device import Device, pick_device
from gan.errors import UserError
from gan.files import read_json
from gan.metrics.diversity import pairwise_diversity
from gan.train.health import WINDOW, judge
from gan.train.machine import compute, same_compute
from gan.train.rhythm import CHUNK_SECONDS, GRID_SECONDS, GRID_SHARE, Rhythm
from gan.train.rundir import RunDir, read_config
from gan.train.selftest import know
from gan.train.state import has_state, load_state, save_state, saved_counters
from gan.train.trainer import Trainer

_log = logging.getLogger(__name__)

STATUS_SECONDS = 0.5
LIVE_SECONDS = 3.0
STATE_SECONDS = 10.0
SNAPSHOT_GROWTH = 1.3  # a snapshot whenever the images seen have grown by this factor
FIRST_SNAPSHOT = 2000


class Worker:
    """One run from its directory's state to its next end."""

    def __init__(self, path: Path, report: Callable[[dict[str, Any]], None]):
        self.path, self.report = path, report
        self.config = read_config(path)
        self.dir = RunDir(path)
        self.asked_to_end: str | None = None
        self.elapsed = 0.0  # seconds of training, pauses not counted
        self.rate = 0.0  # images/s, smoothed
        self.next_snapshot = FIRST_SNAPSHOT
        self.grid = Rhythm(GRID_SECONDS, GRID_SHARE)
        self.status, self.live, self.state = (Rhythm(s) for s in (STATUS_SECONDS, LIVE_SECONDS, STATE_SECONDS))
        self.diversity: float | None = None
        self.stats: deque[dict[str, Any]] = deque(maxlen=WINDOW)

    def prepare(self) -> None:
        """Load data and networks, continue from the checkpoint where there is one, and publish the first grid."""
        picked, process = pick_device(), psutil.Process()
        self.dir.write_status(state="starting", device=picked.label, pid=process.pid, pid_started=process.create_time())
        device = self._device(picked)
        torch.set_num_threads(device.threads)
        self.dir.write_status(device=device.label, compute=compute(device))
        dataset = data.load(self.config.data, self.config.size, self.config.channels)
        self.trainer = Trainer(self.config, dataset, device)
        resumed = has_state(self.path / "state")
        if resumed:
            counters = load_state(self.path / "state", self.trainer)
            self.elapsed, self.rate, self.next_snapshot = counters["elapsed"], counters["rate"], counters["next_snapshot"]
        self.dir.rewind(self.trainer.step if resumed else -1)
        self.stats.extend(self.dir.last_stats(WINDOW))
        self.real_diversity = pairwise_diversity(dataset.images[:256].float() / 127.5 - 1)
        sizes = {name: sum(p.numel() for p in net.parameters()) for name, net in (("G", self.trainer.G), ("D", self.trainer.D))}
        self.dir.status |= {"parameters": sizes, "classes": list(self.trainer.classes)}
        if not resumed:
            self.grid.run(self._write_grid)
        self.dir.write_status(state="running")

    def _device(self, picked: Device) -> Device:
        """The device as this machine trains fastest, or as the run began on it: other threads and another precision round differently."""
        began = saved_counters(self.path / "state").get("compute")
        device = same_compute(picked, began) or know(picked).device(picked)
        self.compute = {"device": device.torch_name, **compute(device)}
        if began not in (None, self.compute):
            _log.warning("This run began on %s; it goes on with %s, and no longer step by step as it would have there.", began, self.compute)
        return device

    def train(self) -> str:
        """Train until the end and return the state that the run is left in: finished, paused or stopped."""
        steps = 1
        while self.progress < 1 and self.asked_to_end is None:
            start = time.monotonic()
            means = self.trainer.advance(steps)
            if not all(math.isfinite(value) for value in means.values()):
                raise UserError("train.diverged", step=self.trainer.step)
            chunk_seconds = time.monotonic() - start
            self._publish(means)
            self._account(time.monotonic() - start, steps)
            steps = max(1, min(2 * steps, round(steps * CHUNK_SECONDS / chunk_seconds)))
            if self.trainer.config.budget_images:
                left = (self.trainer.total_images - self.trainer.images_seen) / (self.config.batch * self.config.d_steps)
                steps = max(1, min(steps, math.ceil(left)))
        return self._end()

    def end(self, how: str) -> None:
        """Ask the run to end after its step: "pause" or "stop"; a stop is final and wins over a pause."""
        if self.asked_to_end != "stop":
            self.asked_to_end = how

    @property
    def progress(self) -> float:
        """Part of the budget that is used up: of images where the config counts them, else of time."""
        return self.trainer.progress if self.config.budget_images else min(1.0, self.elapsed / (60 * self.config.minutes))

    def _account(self, seconds: float, steps: int) -> None:
        """Count time and rate, and where time is the budget foresee how many images it will hold, because schedules follow images alone."""
        rate = steps * self.config.batch * self.config.d_steps / seconds
        weight = 1 - math.exp(-seconds / 5) if self.rate else 1.0
        self.rate += weight * (rate - self.rate)
        self.elapsed += seconds
        if not self.config.budget_images:
            left = max(0.0, 60 * self.config.minutes - self.elapsed)
            self.trainer.total_images = self.trainer.images_seen + self.rate * left

    def _publish(self, means: dict[str, float]) -> None:
        asked = self.dir.take_commands()
        for command in asked:
            if command in ("pause", "stop"):
                self.end(command)
        line = {"step": self.trainer.step, "images": self.trainer.images_seen, "seconds": round(self.elapsed, 2)}
        line |= {name: float(f"{value:.5g}") for name, value in means.items()}
        self.stats.append({**line, "diversity": self.diversity, "rate": round(self.rate, 1)})
        self.dir.write_stats(self.stats[-1])
        self.grid.run(self._write_grid, force="sample" in asked)
        self.live.run(lambda: self.dir.write_live(self.trainer))
        if self.trainer.images_seen >= self.next_snapshot or "save" in asked:
            self.dir.write_snapshot(self.trainer)
            self.next_snapshot = SNAPSHOT_GROWTH * max(self.trainer.images_seen, FIRST_SNAPSHOT)
        self.state.run(self._write_state, force="save" in asked)
        self.status.run(self._write_status, force=bool(asked) or self.trainer.step <= 4)

    def _write_grid(self) -> None:
        images = self.trainer.sample_grid()
        self.diversity = round(pairwise_diversity(images) / max(self.real_diversity, 1e-6), 3)
        self.dir.write_grid(self.trainer.step, images)

    def _write_state(self) -> None:
        counters = {"elapsed": self.elapsed, "rate": self.rate, "next_snapshot": self.next_snapshot, "compute": self.compute}
        save_state(self.path / "state", self.trainer, counters)

    def _write_status(self, state: str = "running") -> None:
        total = self.trainer.total_images
        left = max(0.0, total - self.trainer.images_seen) / self.rate if self.rate and math.isfinite(total) else None
        verdict = judge(list(self.stats), self.progress, self.config.loss)._asdict()
        self.dir.write_status(
            state=state, step=self.trainer.step, images=self.trainer.images_seen, progress=round(self.progress, 5), elapsed=round(self.elapsed, 2),
            eta=None if left is None or state != "running" else round(left, 1), rate=round(self.rate, 1) or None, verdict=verdict,
        )  # fmt: skip
        self.report(self.dir.status)

    def _end(self) -> str:
        """Leave everything on disk: the checkpoint, the live generator, a last grid and, where the run is over, a last snapshot."""
        state = {None: "finished", "pause": "paused", "stop": "stopped"}[self.asked_to_end]
        self._write_state()
        self._write_grid()
        self.dir.write_live(self.trainer)
        if state != "paused":
            self.dir.write_snapshot(self.trainer)
        self._write_status(state)
        return state


def be_nice() -> None:
    """Lower this process's priority by $GANARIUM_NICE, so that the page beside it stays quick.

    Linux schedules sessions as groups (sched_autogroup) where it is so configured, and a worker has a session of its own: there the nice value of a
    process means nothing to other sessions, and that of its group has to be set as well.
    """
    nice = int(os.environ.get("GANARIUM_NICE", "0"))
    if nice:
        os.nice(nice)
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(nice))


def rehearse() -> None:
    """Take one step of a tiny run in memory: the first optimizer, convolution and second derivative of a process cost seconds of imports and set-up."""
    images = torch.zeros(4, 1, 28, 28, dtype=torch.uint8)
    config = RunConfig(data="rehearsal", size=28, channels=1, batch=2, width=8)
    Trainer(config, data.Dataset("rehearsal", images, None, (), {}), Device("cpu", "CPU", 1)).advance(1)


def work(path: Path, report: Callable[[dict[str, Any]], None] = lambda status: None) -> str:
    """Train the run in the directory `path` to its end, or until it is asked to pause or stop, and return the state that it is left in.

    SIGTERM and SIGINT pause. A UserError, and any defect, is written into the status as a failure before it is raised again.
    """
    refuse_second_worker(path)
    torch.set_flush_denormal(True)
    try:
        worker = Worker(path, report)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.end("pause"))
        worker.prepare()
        return worker.train()
    except torch.OutOfMemoryError as error:
        mistake = UserError("train.out_of_memory")
        _fail(path, mistake)
        raise mistake from error
    except Exception as error:
        _fail(path, error)
        raise


def refuse_second_worker(path: Path) -> None:
    """Raises UserError where another process already trains this run: two would overwrite each other's files."""
    try:
        status = read_json(path / "status.json")
        other = psutil.Process(int(status["pid"])) if status["state"] in ("starting", "running") else None
        same = other is not None and other.pid != os.getpid() and abs(other.create_time() - float(status["pid_started"])) < 1
        at_work = same and other.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, TypeError, KeyError, psutil.Error):
        return
    if at_work:
        raise UserError("train.already_training", path=path, pid=other.pid)


def _fail(path: Path, error: Exception) -> None:
    """Write the failure into the status of the run, where `path` is a run at all."""
    if not (path / "config.json").exists():
        return
    if isinstance(error, UserError):
        told = {"key": error.key, "values": {name: str(value) for name, value in error.values.items()}, "text": str(error)}
    else:
        told = {"key": None, "values": {}, "text": f"{type(error).__name__}: {error}"}
    RunDir(path).write_status(state="failed", eta=None, error=told)
