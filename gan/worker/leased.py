"""Train a run for some seconds on a GPU that is lent, and leave it paused with a checkpoint.

On ZeroGPU a visitor's quota pays for each second. So a lease measures nothing, and the images are decoded
before it. A chain of leases trains a run bit for bit as one process would.
"""

import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from gan.device import Device
from gan.errors import UserError
from gan.files import read_object
from gan.train.autotune.machine import same_compute, set_up
from gan.train.autotune.measure import native_bf16
from gan.train.parallel.team import ALONE, Team
from gan.worker import decoded
from gan.worker.run_dir import LEASE
from gan.worker.worker import Worker, work

MARGIN = 3.0  # seconds for the last checkpoint, where no lease has measured them yet
_log = logging.getLogger(__name__)


class LeasedWorker(Worker):
    """A worker that pauses its run when its time is over.

    end: when training must end, on the clock of time.monotonic(). With an end in the past it prepares the
    run: it decodes the data, writes the checkpoint of step 0, and trains nothing. leased: whether the GPU is
    lent; a process that vanishes then leaves a paused run.
    """

    def __init__(
        self,
        path: Path,
        report: Callable[[dict[str, Any]], None],
        place: str | None = None,
        team: Team = ALONE,
        *,
        end: float = 0.0,
        leased: bool = True,
    ):
        super().__init__(path, report, place, team)
        self._end_at = end
        self.dir.status["leased"] = leased
        self.began = time.monotonic()
        self.seconds = {"prepare": 0.0, "end": 0.0}

    def choose_device(self, picked: Device, began: Any) -> Device:
        """Return the device as in the checkpoint, else by what it can do: the self-test takes seconds."""
        if picked.torch_name == "cpu":
            return same_compute(picked, began) or picked
        precision = "bf16" if native_bf16(picked.torch_name) else "float32"
        return same_compute(picked, began) or set_up(picked, picked.threads, precision, True)

    def load_data(self) -> Any:
        """Return the data of the run, decoded once where they are a visitor's own images."""
        if self.kind.is_named(self.config.data):
            return super().load_data()
        data = decoded.kept(self.path, self.config)
        if data is None:
            data = super().load_data()
            decoded.keep(self.path, self.config, data)
        return data

    def train(self) -> str:
        """Train until the run or the time is over, and return the state."""
        self.seconds["prepare"] = time.monotonic() - self.began
        return super().train()

    def out_of_time(self) -> bool:
        """Return whether the lease leaves no time for another chunk."""
        return time.monotonic() >= self._end_at

    def _end(self) -> str:
        start = time.monotonic()
        if self.asked_to_end is None and self.progress < 1:
            self.end("pause")
            self.dir.status["reason"] = LEASE
        state = super()._end()
        self.seconds["end"] = time.monotonic() - start
        return state


def prepare(path: Path, report: Callable[[dict[str, Any]], None] = lambda status: None) -> str:
    """Decode the data of a run on the CPU, write its first checkpoint, and pause it for its first lease.

    Returns the state. Raises what `work` raises.
    """
    return work(path, report, make=partial(LeasedWorker, leased=False))


def lease(path: str, seconds: float, margin: float = MARGIN) -> dict[str, Any]:
    """Train the run in directory `path` from its checkpoint, and return within `seconds`.

    margin: the last seconds, which are left for the checkpoint.
    Returns {"state", "reason", "step", "progress", "prepare", "end"}, where the last two are the seconds
    until the first step and after the last one. An error is in the run's status, and the state is then
    "failed" or "paused". It may run in any thread of a process that was forked.
    """
    end, made = time.monotonic() + seconds - margin, list[LeasedWorker]()

    def make(where: Path, report: Callable[[dict[str, Any]], None], place: str | None, team: Team) -> Worker:
        made.append(LeasedWorker(where, report, place, team, end=end))
        return made[0]

    try:
        work(Path(path), make=make)
    except UserError:
        pass  # the status has its sentence
    except Exception:
        _log.exception("a lease of %s failed", path)
    status = read_object(Path(path) / "status.json")
    answer = {name: status.get(name) for name in ("state", "reason", "step", "progress")}
    return {**answer, **(made[0].seconds if made else {"prepare": 0.0, "end": 0.0})}
