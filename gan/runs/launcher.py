"""Start the worker of a run: a spare process, a fresh one, or a team of several. Keep a spare ready.

The spare has already imported torch, so that its run starts at once.
"""

import logging
import time
from collections.abc import Sequence

from gan.errors import UserError
from gan.files import FULL
from gan.runs import processes, recovery
from gan.runs.processes import Spare, Worker
from gan.runs.store import Store

# seconds of training before the next spare starts: importing torch would slow down a run's first steps
SPARE_DELAY = 15.0
RETRY = 30.0  # seconds before a new spare replaces one that died

_log = logging.getLogger(__name__)


class Launcher:
    """Starts the workers of the runs in `store`. One thread at a time may call its methods.

    command: the worker's program and first arguments.
    """

    def __init__(self, store: Store, command: Sequence[str]):
        self._store, self._command = store, tuple(command)
        self.spare: Spare | None = None
        self.log = store.root / ".spare.log"  # of the newest spare, until it has a run
        self._spare_not_before = 0.0
        self._training_since: float | None = None

    def spare_ready(self) -> bool:
        """Return whether a spare has imported everything, so that a run would start at once."""
        try:
            return self.spare is not None and self.log.read_bytes().rstrip().endswith(b"ready")
        except OSError:
            return False

    def start(self, run_id: str, prepare: bool) -> Worker:
        """Give a queued run to the spare, or to a fresh worker. prepare: it is not to train the run.

        Raises UserError if no worker takes it, and OSError if the disk is full.
        """
        self._training_since = None
        try:
            if self.spare is None or not self._hand_over(self.spare, run_id, prepare):
                self.spare = self._spawn()
                if not self._hand_over(self.spare, run_id, prepare):
                    recovery.keep_last_words(self._store, run_id, self.log)
                    self.spare = None
                    raise UserError("runs.start_failed", reason="it ended at once")
        except OSError as error:
            if error.errno in FULL:
                raise  # the run stays queued, and the spare stays, until the disk has room
            self.close()
            raise UserError("runs.start_failed", reason=str(error)) from error
        worker, self.spare = self.spare, None
        return worker

    def start_team(self, run_id: str, gpus: int) -> Worker:
        """Give a queued run to a team of workers. The spare stays: torchrun could not hand over a run.

        Raises what `start` raises.
        """
        self._training_since = None
        path = self._store.path(run_id)
        try:
            with open(path / "worker.log", "ab") as log:
                worker = processes.spawn_team(self._command, gpus, path, log)
        except OSError as error:
            if error.errno in FULL:
                raise
            raise UserError("runs.start_failed", reason=str(error)) from error
        return worker

    def name(self, worker: Worker, run_id: str) -> None:
        """Write into a run's status that this worker starts it."""
        self._store.update_status(
            run_id,
            state="starting",
            pid=worker.pid,
            pid_started=worker.started,
            heartbeat=time.time(),
            error=None,
        )

    def _hand_over(self, worker: Spare, run_id: str, prepare: bool) -> bool:
        """Write the worker into the status first, then give it the run.

        If the server dies in between, the next server still understands the status.
        """
        self.name(worker, run_id)
        return worker.hand_over(self._store.path(run_id), prepare)

    def keep_spare(self, now: float, active: str | None) -> None:
        """Start a spare if there is none, but not during a run's first steps, or right after one has died.

        active: the run that has the device.
        """
        if self.spare is not None and not self.spare.alive():
            _log.warning(
                "the spare worker ended with exit status %s; see %s", self.spare.exit_status, self.log
            )
            self.spare, self._spare_not_before = None, now + RETRY
        if self.spare is None and now >= self._spare_not_before and self._device_is_calm(now, active):
            try:
                self.spare = self._spawn()
            except OSError as error:
                _log.warning("no spare worker can be started: %s", error)
                self._spare_not_before = now + RETRY

    def _device_is_calm(self, now: float, active: str | None) -> bool:
        if active is None:
            return True
        if self._training_since is None and self._store.state(active) == "running":
            self._training_since = now
        return self._training_since is not None and now - self._training_since >= SPARE_DELAY

    def _spawn(self) -> Spare:
        with open(self.log, "wb") as log:
            return processes.spawn_spare(self._command, log)

    def close(self) -> None:
        """End the spare."""
        if self.spare is not None:
            self.spare.dismiss()
            self.spare = None
