"""The supervisor: run one worker at a time on the device, and keep a queue.

gan.runs.launcher starts the workers. All state is in the run directories, so a restarted server finds the
worker at work and the queue unchanged. The supervisor writes a run's status only while the run has no worker.
"""

import atexit
import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from gan.config import Settings
from gan.errors import UserError
from gan.files import append_line
from gan.kinds import get_kind
from gan.runs import processes, recovery
from gan.runs.adjust import send_adjustment
from gan.runs.backend import PREPARE, WAIT, Backend, Processes
from gan.runs.disk import Complaints, Reserve, Room, writing
from gan.runs.launcher import Launcher
from gan.runs.more import extend
from gan.runs.overtime import Overtime
from gan.runs.processes import Worker
from gan.runs.recovery import seconds_stalled
from gan.runs.store import LIVE, Store, error_json
from gan.train.autotune.machine import count_gpus
from gan.train.origin import Origin
from gan.worker.run_dir import LEASE

TICK = 0.25  # seconds between checks of the workers; commands do not wait for it
SURVEY = 2.0  # seconds between checks of all runs, for runs that other processes started or lost
PATIENCE = 5.0  # seconds before a retry after the disk was full
FREES = ("pause", "stop", "cancel", "end", "delete")  # commands that must work on a full disk
CHECKPOINT_TIMEOUT = 30.0  # seconds that close() waits for the worker's checkpoint

_log = logging.getLogger(__name__)


class Supervisor:
    """Starts, watches and ends the workers of the runs in `store`. Any thread may call its methods.

    worker_command: the worker's program and first arguments; the supervisor adds "--spare" (see gan.train).
    backend: decides what becomes of queued runs.
    """

    def __init__(
        self,
        store: Store,
        worker_command: Sequence[str] = (sys.executable, "-m", "gan", "train"),
        backend: Backend | None = None,
    ):
        self.store, self._backend = store, backend or Processes()
        self._launcher = Launcher(store, worker_command)
        # runs with a worker process; more than one only if a person started some at a terminal
        self._live: dict[str, Worker] = {}
        self._asked: set[str] = set()  # of those, the runs that a person asked to pause
        self._leased: set[str] = set()  # runs that wait for a lease or train in one, beside the queue
        self._queue: tuple[str, ...] = ()
        self._active: str | None = None
        self._next_survey = 0.0
        self._claimed: Path | None = None
        # runs whose worker ended with the machine or the server, until each is back in the queue
        self._lost: set[str] = set()
        self._room, self._reserve, self._complaints = Room(store.usage), Reserve(store.root), Complaints(_log)
        self._overtime = Overtime(store)
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="supervisor", daemon=True)
        self._actions = self._transitions()

    # Start and end

    def claim(self) -> None:
        """Claim the directory for this process. Raises UserError if a server has it or the disk is full."""
        with self._lock, writing():
            self.store.root.mkdir(parents=True, exist_ok=True)
            self._claimed = self._reserve.spend(lambda: recovery.claim(self.store.root))

    def start(self) -> None:
        """Start to supervise: adopt living workers, settle runs that lost theirs, delete a crash's leftovers.

        A run that the end of a server or of the machine interrupted resumes, ahead of the queue (see
        recovery.requeue_orphan). Raises what `claim` raises.
        """
        self.claim()
        self.store.sweep(crashed=True)
        with self._lock:
            recovery.settle_growth(self.store)
            recovery.requeue_flagged(self.store)
            self._lost = recovery.find_orphans(self.store)
            self._look_again()
        self._thread.start()
        atexit.register(self.close)

    def close(self) -> None:
        """Interrupt the active run and end the spare. Returns after the run's checkpoint, or after 30 s.

        The next server resumes the run. A slower worker finishes by itself; the next server adopts it, or
        finds its run paused. Further calls do nothing.
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
                run_id for run_id in ours if run_id not in self._asked and self.store.state(run_id) in LIVE
            ]
            for worker in ours.values():
                worker.terminate()
            self._launcher.close()
            processes.wait_for(list(ours.values()), CHECKPOINT_TIMEOUT)
            self._reap()
            # a worker may still be ending after it wrote "paused", so flag all runs, not only the ended ones
            recovery.flag_interrupted(self.store, interrupted)
            if self._claimed is not None:
                self._claimed.unlink(missing_ok=True)

    # Commands and queries of the page

    def submit(self, config: Settings, visitor: str = "", start: Origin | None = None, gpus: int = 1) -> str:
        """Create a run at the end of the queue and return its id. It starts at once if the device is free.

        visitor: the mark of the visitor who starts it, "" for none. start: the model whose weights it begins
        with. gpus: how many it may train on; fewer if the machine has fewer.
        """
        self.store.usage.check()
        with self._lock, writing():
            self.store.check_counts(new=True)
            run_id = self.store.create(config, visitor, start, gpus=gpus)
            self._look_again()
        return run_id

    def extend(self, run_id: str, more: Any) -> None:
        """Give a finished run a larger budget, and queue it at the end: see gan.runs.more.

        Raises UserError for a run in another state, one without a checkpoint, or an impossible budget.
        """
        with self._lock, writing():
            state = self.store.status(run_id)["state"]
            if state != "finished":
                raise UserError("runs.cant_more", state=state)
            self.store.usage.check()
            self.store.check_counts(new=False)
            extend(self.store.path(run_id), self.store.config(run_id), more)
            self._enqueue(run_id)

    def adjust(self, run_id: str, name: str, factor: float) -> None:
        """Multiply a setting of a run that trains on this machine, from its next step on.

        Raises UserError for a run that does not, and as gan.runs.adjust.send does.
        """
        with self._lock, writing():
            state = self.store.status(run_id)["state"]
            if state not in LIVE or run_id not in self._live:
                raise UserError("runs.cant_adjust", state=state)
            send_adjustment(self.store, run_id, name, factor)

    def command(self, run_id: str, name: str) -> None:
        """Apply "pause", "resume", "restart", "stop", "end", "cancel", "sample", "save" or "delete" to a run.

        Raises UserError for an unknown command or run, a state that does not allow the command, or a failed
        write.
        """
        if name not in self._actions:
            raise UserError("runs.unknown_command", name=name)
        with self._lock, writing():
            state = self.store.status(run_id)["state"]
            # if somebody damaged the files of a run at work, its worker still obeys and holds the device
            if run_id in self._leased and state not in LIVE:
                raise UserError("lease.busy")
            action = self._actions[name].get(
                "running" if state == "damaged" and run_id in self._live else state
            )
            if action is None:
                raise UserError(f"runs.cant_{name}", state=state)
            self._reserve.spend(lambda: action(run_id)) if name in FREES else action(run_id)
        if name == "delete":  # outside the lock: a slow disk must not delay other runs
            self.store.sweep()
            self._room.ask_again()

    def pause(self, run_id: str) -> None:
        """Let the worker finish its step, write its checkpoint and end. A queued run leaves the queue."""
        self.command(run_id, "pause")

    def resume(self, run_id: str) -> None:
        """Queue a paused or failed run at the end. It starts anew without a checkpoint."""
        self.command(run_id, "resume")

    def stop(self, run_id: str) -> None:
        """End a run for good and keep what it has learnt. A queued run leaves the queue."""
        self.command(run_id, "stop")

    def cancel(self, run_id: str) -> None:
        """Take a run out of the queue: a new run becomes stopped, a resumed one paused again."""
        self.command(run_id, "cancel")

    def end(self, run_id: str) -> None:
        """Kill the worker of a run that hangs (see seconds_stalled), and pause the run with the reason."""
        self.command(run_id, "end")

    def delete(self, run_id: str) -> None:
        """Delete a run that does not train, damaged ones included, with all its files."""
        self.command(run_id, "delete")

    def begin_lease(self, run_id: str) -> None:
        """Reserve a paused run with a checkpoint for one lease of a GPU. `end_lease` must follow.

        Raises UserError for a run in another state, and for one that is reserved already.
        """
        with self._lock:
            state = self.store.status(run_id)["state"]
            if run_id in self._leased:
                raise UserError("lease.busy")
            if state != "paused" or not self.store.resumable(run_id):
                raise UserError("lease.cant", state=state)
            self.store.usage.check()
            self.store.drop_commands(run_id)
            self._leased.add(run_id)

    def end_lease(self, run_id: str, error: UserError | None = None) -> None:
        """Settle a run whose lease is over. error: why the lease was refused or cut off."""
        with self._lock, writing():
            self._leased.discard(run_id)
            self._live.pop(run_id, None)  # its process may wait for another lease
            state = self.store.state(run_id)
            if error is not None and state in (*LIVE, "paused"):
                if error.key == "lease.cut":
                    self._note_cut(run_id)
                self._leave(run_id, "paused", error)
            self._look_again()

    def leases(self) -> set[str]:
        """Return the runs that wait for a lease or train in one."""
        return set(self._leased)

    def _note_cut(self, run_id: str) -> None:
        values = {"at": self.store.status(run_id)["step"], "step": recovery.saved_step(self.store, run_id)}
        event = {"time": round(time.time(), 3), "key": "lease_cut", "values": values}
        append_line(self.store.path(run_id) / "events.jsonl", event)

    def active(self) -> str | None:
        """Return the run that has the device, or None."""
        return self._active

    def queue(self) -> list[str]:
        """Return the queued runs, first come first."""
        return list(self._queue)

    def blocked(self) -> UserError | None:
        """Return why the first queued run does not start although the device is free, or None."""
        return self._room.lack if self._queue and not self._busy() else None

    def _busy(self) -> bool:
        """Return whether a run trains on this machine. A leased GPU is another one."""
        return any(run_id not in self._leased for run_id in list(self._live))

    def spare_ready(self) -> bool:
        """Return whether a spare has imported everything, so that a run would start at once."""
        return self._launcher.spare_ready()

    def _transitions(self) -> dict[str, dict[str, Callable[[str], None]]]:
        """Return what each command does, by the states that allow it."""

        def send(command: str) -> dict[str, Callable[[str], None]]:
            return dict.fromkeys(LIVE, lambda run_id: self.store.send(run_id, command))

        on_cpu: Callable[[str], None] = partial(self._enqueue, on_cpu=True)
        return {
            **({"cpu": dict.fromkeys(("paused", "failed"), on_cpu)} if self._backend.lends else {}),
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

    def _enqueue(self, run_id: str, on_cpu: bool = False) -> None:
        self.store.usage.check()
        self.store.check_counts(new=False)
        self.store.drop_commands(run_id)
        # the error stays until a worker takes the run, because the run may leave the queue before
        self.store.update_status(
            run_id,
            state="queued",
            queued_at=time.time(),
            interrupted=False,
            interruptions=0,
            pid=None,
            pid_started=None,
            where=None,
            on_cpu=on_cpu,
        )
        self._look_again()

    def _restart(self, run_id: str) -> None:
        """Delete what the run has learnt and queue it with the same settings, if its data still exists."""
        self.store.check_counts(new=False)
        config = self.store.config(run_id)
        get_kind(config.kind).locate(self.store.path(run_id), config.data)
        self.store.begin_anew(run_id)
        self._look_again()

    def _dequeue(self, run_id: str) -> None:
        status = self.store.status(run_id)
        # a paused run need not have a checkpoint: a full disk may have paused it at its start
        asked_again = status["queued_at"] > status["created"]
        self.store.update_status(
            run_id, state="paused" if asked_again or self.store.resumable(run_id) else "stopped"
        )
        self._look_again()

    def _end(self, run_id: str) -> None:
        self.store.update_status(run_id, state="stopped", pid=None, pid_started=None, eta=None, error=None)

    def _kill(self, run_id: str) -> None:
        status = self.store.status(run_id)
        # a damaged run reaches this line only while its worker is at work
        seconds = seconds_stalled({**status, "state": "running"})
        if seconds is None:
            raise UserError("runs.not_silent", seconds=round(time.time() - status["heartbeat"]))
        self._survey()  # adopts the worker if another server started it
        if run_id in self._live and not self._live[run_id].kill():
            raise UserError("runs.wont_end")
        self._live.pop(run_id, None)
        if self.store.state(run_id) in LIVE:
            key = "runs.ended" if self.store.resumable(run_id) else "runs.ended_early"
            self._leave(run_id, "paused", UserError(key, seconds=round(seconds)))
        self._look_again()

    def _end_late(self, run_id: str) -> None:
        """End the worker of a visitor's run that is over its time. The run keeps its last checkpoint."""
        if not self._live[run_id].kill():
            return
        del self._live[run_id]
        if self.store.state(run_id) in LIVE:
            self._leave(run_id, "stopped", UserError("runs.over_time"))
        self._survey()

    def _delete(self, run_id: str) -> None:
        """Hide a run. A worker that still ends after its last status writes nothing more.

        Raises UserError for a damaged run whose worker is at work.
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
                free = bool(self._queue) and not self._busy()
                room = free and self._room.look()  # outside the lock: a slow disk must not delay commands
                with self._lock:
                    self._tick(time.monotonic(), room)
                    if self._queue and not self._busy() and not free:
                        self._wake.set()
            except Exception as error:  # a full disk must not end the supervision of a run at work
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
        for run_id in self._overtime.late(self._live, now):
            self._end_late(run_id)
        while room and self._queue and not self._busy():
            self._start_run(self._queue[0])
            self._survey()
        if not self._backend.lends:  # its few processes are short, and a spare would only hold memory
            self._launcher.keep_spare(now, self._active)

    def _look_again(self) -> None:
        """Update the queue at once after a change, and wake the thread."""
        with contextlib.suppress(OSError):  # from other runs' files; the thread tries again
            self._survey()
        self._wake.set()

    def _reap(self) -> bool:
        """Settle the runs whose worker has ended, and return whether there were any."""
        ended = [(run_id, worker) for run_id, worker in self._live.items() if not worker.alive()]
        for run_id, worker in ended:
            del self._live[run_id]
            self._settle(run_id, worker)
        return bool(ended)

    def _settle(self, run_id: str, worker: Worker) -> None:
        """Write the final state of a run if its worker ended without doing so."""
        state = self.store.state(run_id)
        # a stop that came while the worker wrote the checkpoint of a pause
        if state == "paused" and "stop" in self.store.drop_commands(run_id):
            self._end(run_id)
        # A lease may have begun while the process that prepared the run was still ending.
        if state in LIVE and self.store.status(run_id)["pid"] in (worker.pid, None):
            self._leave(
                run_id,
                *recovery.last_state(
                    self.store, run_id, worker.exit_status, self._closing.is_set(), self._launcher.log
                ),
            )

    def _leave(
        self, run_id: str, state: str, error: UserError | None = None, reason: str | None = None
    ) -> None:
        """Write the state of a run that has no worker any more, with the error or the reason."""
        changes = {"state": state, "error": error and error_json(error), "reason": reason}
        self._reserve.spend(
            lambda: self.store.update_status(run_id, pid=None, pid_started=None, eta=None, **changes)
        )

    def _survey(self) -> None:
        """Check all runs: adopt unknown workers, settle runs that lost theirs, and read the queue."""
        summaries = self.store.list()
        unknown = [
            summary["id"]
            for summary in summaries
            # a run in a job has no process here, and gan.mirror.jobs watches it
            if summary["state"] in LIVE and summary["id"] not in self._live and not summary["where"]
        ]
        try:
            for run_id in unknown:
                with contextlib.suppress(UserError):  # deleted since `list`
                    self._reserve.spend(partial(self._adopt, run_id))
        finally:  # on a full disk, people must still see the queued runs and delete them
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
        # a worker writes its last status before it ends, so a status read after its end is final
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
        """Give a queued run to a worker, or to a team of several, unless it waits for a lease."""
        order = self._backend.order(self.store, run_id)
        if order == WAIT:
            self._leave(run_id, "paused", reason=LEASE)
            return
        asked = self.store.status(run_id)["gpus"]
        gpus = min(asked if type(asked) is int else 1, count_gpus())
        try:
            if gpus > 1:
                worker = self._launcher.start_team(run_id, gpus)
            else:
                worker = self._launcher.start(run_id, order == PREPARE)
        except UserError as error:
            self._leave(run_id, "failed", error)
            return
        self._live[run_id] = worker
        self._asked.discard(run_id)
        if gpus > 1:
            self._launcher.name(worker, run_id)
