"""The supervisor: one active run on the device, a queue behind it, and a spare worker that has already
imported torch.

It owns no run. What it knows stands in the run directories, so that a server that was killed and started
again finds the worker still at its work, and the queue as it was. It writes a run's status only while that
run has no worker.
"""

import atexit
import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gan.config import RunConfig
from gan.data import find_pictures
from gan.errors import UserError
from gan.files import FULL
from gan.runs import processes, recovery
from gan.runs.disk import Complaints, Reserve, Room, writing
from gan.runs.processes import Worker
from gan.runs.recovery import seconds_stalled
from gan.runs.store import LIVE, Store, error_json

TICK = 0.25  # seconds between looks at the workers; commands do not wait for it
SURVEY = 2.0  # seconds between looks at all runs, for those that were started or lost behind our back
# seconds of training before the next spare is started: importing torch would steal the CPU from a run's first
# steps
SPARE_DELAY = 15.0
PATIENCE = 5.0  # seconds before the supervisor tries again what a full disk refused
RETRY = 30.0  # seconds before a spare that died by itself is replaced
FREES = ("pause", "stop", "cancel", "end", "delete")  # commands that must work on a full disk
CHECKPOINT_TIMEOUT = 30.0  # seconds that close() waits for the worker's checkpoint

_log = logging.getLogger(__name__)


class Supervisor:
    """Starts, watches and ends the workers of the runs in `store`. All methods may be called from any thread.

    worker_command: the worker's program and first arguments; "--spare" is added (see gan.train).
    """

    def __init__(self, store: Store, worker_command: Sequence[str] = (sys.executable, "-m", "gan", "train")):
        self.store = store
        self._command = tuple(worker_command)
        # runs that have a worker process; more than one only where a person started some at a terminal
        self._live: dict[str, Worker] = {}
        self._asked: set[str] = set()  # those of them that a person told to pause
        self._queue: tuple[str, ...] = ()
        self._active: str | None = None
        self._spare: Worker | None = None
        self._spare_log = store.root / ".spare.log"
        self._spare_not_before = 0.0
        self._training_since: float | None = None
        self._next_survey = 0.0
        self._claimed: Path | None = None
        # runs that were at work when the machine, or server and worker, ended; until each is queued again
        self._lost: set[str] = set()
        self._room, self._reserve, self._complaints = Room(store.usage), Reserve(store.root), Complaints(_log)
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="supervisor", daemon=True)
        self._actions = self._transitions()

    # Start and end

    def claim(self) -> None:
        """Take the directory for this process. Raises UserError where another server already supervises it,
        or the disk is full.
        """
        with self._lock, writing():
            self.store.root.mkdir(parents=True, exist_ok=True)
            self._claimed = self._reserve.spend(lambda: recovery.claim(self.store.root))

    def start(self) -> None:
        """Adopt workers that are still at work, settle the runs whose worker is gone, remove what a crash
        left half deleted, and begin to supervise.

        A run that the end of the last server or of the machine interrupted goes on, before all that wait (see
        recovery.requeue_orphan).

        Raises what `claim` raises.
        """
        self.claim()
        self.store.sweep(crashed=True)
        with self._lock:
            recovery.requeue_flagged(self.store)
            self._lost = recovery.find_orphans(self.store)
            self._look_again()
        self._thread.start()
        atexit.register(self.close)

    def close(self) -> None:
        """Interrupt the active run and end the spare; returns when the run's checkpoint is written, or after
        30 s. Further calls do nothing.

        The next server lets the run go on. A worker that takes longer is left to finish by itself; the next
        server finds its run paused, or adopts it.
        """
        if self._closing.is_set():
            return
        self._closing.set()
        self._wake.set()
        atexit.unregister(self.close)
        if self._thread.is_alive():
            self._thread.join(5)
        with self._lock:
            ours = {run_id: worker for run_id, worker in self._live.items() if worker.supervised}
            interrupted = [
                run_id for run_id in ours if run_id not in self._asked and self._state(run_id) in LIVE
            ]
            for worker in ours.values():
                worker.terminate()
            if self._spare is not None:
                self._spare.dismiss()
                self._spare = None
            processes.wait_for(list(ours.values()), CHECKPOINT_TIMEOUT)
            self._reap()
            # a worker says “paused” last, and on a busy machine takes a while to be gone
            recovery.flag_interrupted(self.store, interrupted)
            if self._claimed is not None:
                self._claimed.unlink(missing_ok=True)

    # What the page asks for

    def submit(self, config: RunConfig) -> str:
        """Create a run and put it at the end of the queue; it starts at once where the device is free.
        Returns its id.

        Raises UserError where the runs take all the space that they may, or that there is, and where there
        are too many.
        """
        self.store.usage.check()
        with self._lock, writing():
            self.store.check_counts(new=True)
            run_id = self.store.create(config)
            self._look_again()
        return run_id

    def command(self, run_id: str, name: str) -> None:
        """Do "pause", "resume", "restart", "stop", "end", "cancel", "sample", "save" or "delete" to a run.

        Raises UserError for another name, an unknown run, a run in a state that has no such transition, and a
        disk that can't be written.
        """
        if name not in self._actions:
            raise UserError("runs.unknown_command", name=name)
        with self._lock, writing():
            state = self.store.status(run_id)["state"]
            # Somebody may have spoilt the files of a run that trains on; its worker still listens, and holds
            # the device.
            action = self._actions[name].get(
                "running" if state == "damaged" and run_id in self._live else state
            )
            if action is None:
                raise UserError(f"runs.cant_{name}", state=state)
            self._reserve.spend(lambda: action(run_id)) if name in FREES else action(run_id)
        if name == "delete":  # outside the lock: a slow disk must not hold up the supervision of the others
            self.store.sweep()
            self._room.ask_again()

    def pause(self, run_id: str) -> None:
        """Let the worker finish its step, write its checkpoint and end; a queued run leaves the queue."""
        self.command(run_id, "pause")

    def resume(self, run_id: str) -> None:
        """Put a paused or failed run at the end of the queue; one without a checkpoint begins anew. Stopped
        and finished are final.
        """
        self.command(run_id, "resume")

    def stop(self, run_id: str) -> None:
        """End a run for good, keeping what it has learnt. A queued run leaves the queue."""
        self.command(run_id, "stop")

    def cancel(self, run_id: str) -> None:
        """Take a run out of the queue: a new one is then stopped, a resumed one paused again, whether it has
        a checkpoint or not.
        """
        self.command(run_id, "cancel")

    def end(self, run_id: str) -> None:
        """Kill the worker of a run that hangs (see silence). The run is then paused, and says why."""
        self.command(run_id, "end")

    def delete(self, run_id: str) -> None:
        """Remove a run that does not train, damaged ones too, with all its files."""
        self.command(run_id, "delete")

    def active(self) -> str | None:
        """The run that has the device, or None."""
        return self._active

    def queue(self) -> list[str]:
        """The runs that wait for the device, first come first."""
        return list(self._queue)

    def blocked(self) -> UserError | None:
        """Why the first run of the queue is not started although the device is free, or None."""
        return self._room.lack if self._queue and not self._live else None

    def spare_ready(self) -> bool:
        """Whether a spare has imported everything, so that a run would start at once."""
        try:
            return self._spare is not None and self._spare_log.read_bytes().rstrip().endswith(b"ready")
        except OSError:
            return False

    def _transitions(self) -> dict[str, dict[str, Callable[[str], None]]]:
        """What each command does in each state where it is allowed."""

        def send(command: str) -> dict[str, Callable[[str], None]]:
            return dict.fromkeys(LIVE, lambda run_id: self.store.send(run_id, command))

        return {
            "pause": {**dict.fromkeys(LIVE, self._pause), "queued": self._dequeue},
            "stop": {**send("stop"), "queued": self._dequeue, "paused": self._end},
            "cancel": {"queued": self._dequeue},
            "resume": dict.fromkeys(("paused", "failed"), self._enqueue),
            "restart": dict.fromkeys(("paused", "stopped", "failed"), self._restart),
            "end": dict.fromkeys(LIVE, self._kill),
            "delete": dict.fromkeys(
                ("queued", "paused", "finished", "stopped", "failed", "damaged"), self._delete
            ),
            "sample": send("sample"),
            "save": send("save"),
        }

    def _pause(self, run_id: str) -> None:
        self.store.send(run_id, "pause")
        self._asked.add(run_id)

    def _enqueue(self, run_id: str) -> None:
        self.store.usage.check()
        self.store.check_counts(new=False)
        self.store.drop_commands(run_id)
        # The error stays until a worker takes the run, for when it leaves the queue again.
        self.store.update_status(
            run_id,
            state="queued",
            queued_at=time.time(),
            interrupted=False,
            interruptions=0,
            pid=None,
            pid_started=None,
        )
        self._look_again()

    def _restart(self, run_id: str) -> None:
        """Forget all that it has learnt, and queue it with the same settings. Not where its pictures are
        gone: then it could not begin.
        """
        self.store.check_counts(new=False)
        find_pictures(self.store.path(run_id), self.store.config(run_id).data)
        self.store.begin_anew(run_id)
        self._look_again()

    def _dequeue(self, run_id: str) -> None:
        status = self.store.status(run_id)
        # a checkpoint can't tell: a run that a full disk paused at its start has none
        asked_again = status["queued_at"] > status["created"]
        self.store.update_status(
            run_id, state="paused" if asked_again or self.store.resumable(run_id) else "stopped"
        )
        self._look_again()

    def _end(self, run_id: str) -> None:
        self.store.update_status(run_id, state="stopped", pid=None, pid_started=None, eta=None)

    def _kill(self, run_id: str) -> None:
        status = self.store.status(run_id)
        # a run whose files were spoilt is at work as well, or we would not be here
        seconds = seconds_stalled({**status, "state": "running"})
        if seconds is None:
            raise UserError("runs.not_silent", seconds=round(time.time() - status["heartbeat"]))
        self._survey()  # its worker may be another server's
        if run_id in self._live and not self._live[run_id].kill():
            raise UserError("runs.wont_end")
        self._live.pop(run_id, None)
        if self._state(run_id) in LIVE:
            self._leave(
                run_id,
                "paused",
                UserError(
                    "runs.ended" if self.store.resumable(run_id) else "runs.ended_early",
                    seconds=round(seconds),
                ),
            )
        self._look_again()

    def _delete(self, run_id: str) -> None:
        """A worker that has written its last status may still be leaving; it writes nothing more. That of a
        damaged run may train on.
        """
        status = self.store.status(run_id)
        if status["state"] == "damaged" and processes.find(status["pid"], status["pid_started"]) is not None:
            raise UserError("runs.cant_delete", state="running")
        self.store.hide(run_id)
        self._look_again()

    # The background thread

    def _loop(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(TICK)
            self._wake.clear()
            try:
                self._reserve.keep()
                free = bool(self._queue) and not self._live
                room = free and self._room.look()  # outside the lock: a slow disk must not hold up commands
                with self._lock:
                    self._tick(time.monotonic(), room)
                    if self._queue and not self._live and not free:
                        self._wake.set()
            # a full disk must not end the supervision of a run that is still training
            except Exception as error:
                if self._complaints.tell(error):
                    self._room.refused()
                self._closing.wait(PATIENCE)
            else:
                self._complaints.over()

    def _tick(self, now: float, room: bool) -> None:
        if self._closing.is_set():
            return
        if self._reap() or now >= self._next_survey:
            self._next_survey = now + SURVEY
            self._survey()
        while room and self._queue and not self._live:
            self._start_run(self._queue[0])
            self._survey()
        self._keep_spare(now)

    def _look_again(self) -> None:
        """After a change of the queue: show it at once, and let the thread act on it."""
        # of other runs than the one that was changed; the thread tries again
        with contextlib.suppress(OSError):
            self._survey()
        self._wake.set()

    def _reap(self) -> bool:
        """Settle the runs whose worker has ended; whether there were any."""
        ended = [(run_id, worker) for run_id, worker in self._live.items() if not worker.alive()]
        for run_id, worker in ended:
            del self._live[run_id]
            self._settle(run_id, worker)
        return bool(ended)

    def _settle(self, run_id: str, worker: Worker) -> None:
        """Write what became of a run whose worker ended without saying so itself."""
        state = self._state(run_id)
        # asked for while the worker wrote the checkpoint of a pause
        if state == "paused" and "stop" in self.store.drop_commands(run_id):
            self._end(run_id)
        if state in LIVE:
            self._leave(
                run_id,
                *recovery.last_state(
                    self.store, run_id, worker.exit_status, self._closing.is_set(), self._spare_log
                ),
            )

    def _state(self, run_id: str) -> str | None:
        """The run's state, or None where somebody has deleted its directory."""
        try:
            return self.store.status(run_id)["state"]
        except UserError:
            return None

    def _leave(self, run_id: str, state: str, error: UserError | None = None) -> None:
        """Write in what state a run is that has no worker any more, and why."""
        told = error and error_json(error)
        self._reserve.spend(
            lambda: self.store.update_status(
                run_id, state=state, error=told, pid=None, pid_started=None, eta=None
            )
        )

    def _survey(self) -> None:
        """Look at all runs: adopt workers that are not ours, settle runs that lost theirs while nobody
        watched, and read the queue.
        """
        summaries = self.store.list()
        unknown = [
            summary["id"]
            for summary in summaries
            if summary["state"] in LIVE and summary["id"] not in self._live
        ]
        try:
            for run_id in unknown:
                with contextlib.suppress(UserError):  # deleted since it was listed
                    self._reserve.spend(lambda run_id=run_id: self._adopt(run_id))
        finally:  # what waits can be seen and deleted where the disk is too full to settle what was lost
            waiting = [
                summary
                for summary in (self.store.list() if unknown else summaries)
                if summary["state"] == "queued"
            ]
            self._queue = tuple(
                summary["id"]
                for summary in sorted(waiting, key=lambda summary: (summary["queued_at"], summary["id"]))
            )
            self._active = next(iter(self._live), None)

    def _adopt(self, run_id: str) -> None:
        status = self.store.status(run_id)
        worker = processes.find(status["pid"], status["pid_started"])
        if worker is not None:
            self._live[run_id] = worker
            self._lost.discard(run_id)
            return
        # A worker writes its last status before it ends: what is read after its end is final.
        again = self.store.status(run_id)
        if again["state"] not in LIVE or again["pid"] != status["pid"]:
            return
        if run_id in self._lost:
            recovery.requeue_orphan(self.store, run_id)
            self._lost.discard(run_id)
        else:
            self._leave(
                run_id, "paused", None if self.store.resumable(run_id) else UserError("runs.interrupted")
            )

    # Workers

    def _start_run(self, run_id: str) -> None:
        """Hand a queued run to the spare, or to a fresh worker where there is none."""
        self._training_since = None
        try:
            if not (self._spare and self._hand_over(self._spare, run_id)):
                self._spare = self._spawn()
                if not self._hand_over(self._spare, run_id):
                    recovery.keep_last_words(self.store, run_id, self._spare_log)
                    self._leave(run_id, "failed", UserError("runs.start_failed", reason="it ended at once"))
        except OSError as error:
            if error.errno in FULL:
                raise  # the run stays in the queue, and the spare in waiting, until there is room
            self._leave(run_id, "failed", UserError("runs.start_failed", reason=str(error)))
        self._spare = None

    def _hand_over(self, worker: Worker, run_id: str) -> bool:
        """Name the worker in the status first: a server that dies between the two lines must leave a run that
        the next one understands.
        """
        self.store.update_status(
            run_id,
            state="starting",
            pid=worker.pid,
            pid_started=worker.started,
            heartbeat=time.time(),
            error=None,
        )
        if not worker.hand_over(self.store.path(run_id)):
            return False
        self._live[run_id] = worker
        self._asked.discard(run_id)
        return True

    def _keep_spare(self, now: float) -> None:
        """Have one spare, but start it neither beside the first steps of a run nor again and again where it
        can't live.
        """
        if self._spare is not None and not self._spare.alive():
            _log.warning(
                "the spare worker ended with exit status %s; see %s", self._spare.exit_status, self._spare_log
            )
            self._spare, self._spare_not_before = None, now + RETRY
        if self._spare is None and now >= self._spare_not_before and self._device_is_calm(now):
            try:
                self._spare = self._spawn()
            except OSError as error:
                _log.warning("no spare worker can be started: %s", error)
                self._spare_not_before = now + RETRY

    def _device_is_calm(self, now: float) -> bool:
        if self._active is None:
            return True
        if self._training_since is None and self._state(self._active) == "running":
            self._training_since = now
        return self._training_since is not None and now - self._training_since >= SPARE_DELAY

    def _spawn(self) -> Worker:
        with open(self._spare_log, "wb") as log:
            return processes.spawn_spare(self._command, log)
