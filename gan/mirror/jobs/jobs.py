"""Start runs in Jobs of the Hub, and follow them: state, files, commands, end.

A run in a job has "where" in its status: {"kind": "job", "id", "flavor", "stage"}. Whether it is alive says
the Hub, never a process or a silence here. Where the Hub can't be reached, the run stays as it is.
"""

import contextlib
import logging
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from gan.config import Settings
from gan.errors import UserError
from gan.files import write_bytes
from gan.kinds import get_kind
from gan.mirror.arrival import fresh_folder
from gan.mirror.contents import ID, Manifest
from gan.mirror.jobs.following import bring
from gan.mirror.jobs.hub import CANCELED, RUNS, WAITS, Flavor, Found, JobsHub, minutes_left
from gan.mirror.jobs.messages import clear, read_end, send_commands, send_order
from gan.mirror.mirror import Mirror
from gan.runs.processes import RESTARTS
from gan.runs.store import ENDED, LIVE, Store, error_json
from gan.train.origin import Origin

EVERY = 15.0  # seconds between two looks at a job and its files
LOOK = 1.0  # seconds between two looks for commands
GRACE = 90.0  # seconds that a job has to pause by itself: it looks for commands, and copies its checkpoint
FOLDER = "/tmp/ganarium"  # where a job keeps its run, on its own disk
SOON = 2.0  # seconds between two looks at a job that was asked to end
_log = logging.getLogger(__name__)


class Jobs:
    """The runs of a store that train in jobs. Any thread may call the methods.

    image: what jobs start from: "hf.co/spaces/OWNER/NAME", or a Docker image that holds GANarium.
    """

    def __init__(
        self, store: Store, mirror: Mirror, hub: JobsHub, image: str,
        every: float = EVERY, look: float = LOOK, grace: float = GRACE,
    ):  # fmt: skip
        self.store, self.mirror, self.hub, self.image = store, mirror, hub, image
        self._every, self._look, self._grace = every, look, grace
        self._brought: dict[str, Manifest] = {}
        self._said: dict[str, str] = {}  # the states that the mirrored runs tell of themselves
        self._due: dict[str, float] = {}  # when to look at a job again
        self._retry: dict[str, float] = {}  # when to hand commands on again
        self._starting: set[str] = set()
        self._adopted = False
        mirror.on_restored = self._adopt
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin to follow the jobs, also those that an earlier server started."""
        self._thread.start()

    def close(self) -> None:
        """End to follow. The jobs go on, and the next server finds them."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(5)

    # Start

    def submit(self, config: Settings, flavor: str, start: Origin | None = None) -> str:
        """Create a run, start a job for it and return its id.

        start: the model whose weights it begins with. Raises UserError for data that can't travel, a machine
        that does not exist, and every refusal of the Hub. Then there is no run.
        """
        refuse_own_data(config)
        machine = self.hub.flavor(flavor)
        self.store.usage.check()
        self.store.check_counts(new=True)
        with self._lock:
            where = _where("", machine.name, WAITS)
            run_id = self.store.create(config, "", start, state="starting", where=where)
            self._starting.add(run_id)
        try:
            self._begin(run_id, config, machine)
        except BaseException:
            self.store.hide(run_id)
            self.store.sweep()
            raise
        finally:
            self._starting.discard(run_id)
        return run_id

    def resume(self, run_id: str, flavor: str) -> None:
        """Let a run go on in a job, from its checkpoint.

        Raises UserError for a run that is not paused or failed, and what `submit` raises. Then the run is as
        before.
        """
        config = self.store.config(run_id)
        refuse_own_data(config)
        if not ID.fullmatch(run_id):
            raise UserError("jobs.bad_name", name=run_id)
        machine = self.hub.flavor(flavor)
        with self._lock:
            before = self.store.status(run_id)
            if before["state"] not in ("paused", "failed"):
                raise UserError("runs.cant_resume", state=before["state"])
            self._starting.add(run_id)
            self.store.drop_commands(run_id)
            where = _where("", machine.name, WAITS)
            self._write(run_id, state="starting", where=where, error=None, interrupted=False)
        try:
            self._begin(run_id, config, machine)
        except BaseException:
            self._write(run_id, state=before["state"], where=None, error=before["error"])
            raise
        finally:
            self._starting.discard(run_id)

    def _begin(self, run_id: str, config: Settings, machine: Flavor) -> None:
        """Send the run to the mirror's place, and start its job."""
        remote = self.mirror.remote
        self.mirror.prepare()
        clear(remote, run_id)
        if self.store.resumable(run_id):
            self.mirror.copy_now(run_id)
        else:
            send_order(remote, run_id, self.store.path(run_id))
        left = minutes_left(config.minutes, self.store.status(run_id)["progress"])
        command = _command(run_id, remote.place, machine.gpus)
        try:
            job = self.hub.start(run_id, self.image, command, machine.name, left)
            self._write(run_id, where=_where(job.id, machine.name, job.stage))
        except BaseException:
            self._take_back(run_id)
            raise
        self._brought.pop(run_id, None)
        self._due[run_id] = time.monotonic() + self._every

    def _take_back(self, run_id: str) -> None:
        """Cancel what may have started although no answer came: somebody would pay for it."""
        with contextlib.suppress(UserError):
            for job in self.hub.at_work():
                if job.run == run_id:
                    self.hub.cancel(job.id)
        with contextlib.suppress(UserError):
            clear(self.mirror.remote, run_id)

    # Follow

    def _loop(self) -> None:
        while not self._closing.wait(self._look):
            try:
                self.work()
            except Exception:  # a defect with one run must not end the watch over the others
                _log.exception("the jobs can't be followed")
                self._closing.wait(self._every)

    def work(self) -> None:
        """Look at each run in a job once: commands at once, the Hub every few seconds."""
        with self._lock:
            at_work = {
                summary["id"]: dict(summary["where"])
                for summary in self.store.list()
                if summary["where"] and summary["state"] in LIVE and summary["id"] not in self._starting
            }
        for run_id, where in at_work.items():
            # a start that was cut left no id, and `_adopt` finds its job
            if self.mirror.only in (None, run_id) and (where["id"] or self._adopted):
                self._follow(run_id, where)

    def in_job(self, run_id: str) -> bool:
        """Whether a run is in a job that has not been seen to end."""
        status = self.store.status(run_id)
        return bool(status["where"]) and status["state"] in LIVE

    def _adopt(self) -> None:
        """Follow jobs whose runs do not know it: they were restored from the mirror, or a start was cut.

        It comes before this server's first copy of a run, which would delete files of a job. Raises UserError
        where the Hub can't be asked, except for a token without jobs.
        """
        try:
            found = self.hub.at_work()
        except UserError as error:
            if error.key not in ("jobs.not_signed_in", "jobs.forbidden", "jobs.nowhere"):
                raise
            _log.warning("%s", error)
            found = []
        self._adopted = True
        for job in found:
            try:
                status = self.store.status(job.run)
            except UserError:  # of another place
                continue
            if self.mirror.only not in (None, job.run):
                continue
            lost = status["state"] in LIVE and status["where"] and not status["where"]["id"]
            if lost or (status["state"] == "paused" and not status["where"]):
                self._write(job.run, state="starting", where=_where(job.id, job.flavor, job.stage))

    def _follow(self, run_id: str, where: dict[str, Any]) -> None:
        """Hand on commands, look at the job, and bring its files. A fault is shown, and tried again."""
        try:
            told = self._command(run_id, where)
            if told or time.monotonic() >= self._due.get(run_id, 0.0):
                wait = min(SOON, self._every) if where.get("asked") else self._every
                self._due[run_id] = time.monotonic() + wait
                self._look_at(run_id, where)
        except UserError as error:
            if error.key != "mirror.lacks":  # the job replaced a file meanwhile
                self._write(run_id, error=error_json(error))

    def _command(self, run_id: str, where: dict[str, Any]) -> bool:
        """Hand the commands on to the job, and return whether there were any.

        One that should end has `grace` seconds before it is cancelled, even if it can't be told. Raises
        UserError where it can't; the commands then wait for the next attempt.
        """
        if time.monotonic() < self._retry.get(run_id, 0.0):
            return False
        commands = sorted(self.store.drop_commands(run_id))
        if not commands:
            return False
        asked = next((name for name in ("stop", "pause") if name in commands), None)
        if asked:
            where |= {"asked": asked, "until": where.get("until") or time.time() + self._grace}
            self._write(run_id, where=where)
        try:
            send_commands(self.mirror.remote, run_id, commands)
        except UserError:
            for name in commands:
                self.store.send(run_id, name)
            self._retry[run_id] = time.monotonic() + self._every
            if not asked:
                raise
        return True

    def _look_at(self, run_id: str, where: dict[str, Any]) -> None:
        job = self.hub.inspect(where["id"]) if where["id"] else None
        stage = job.stage if job else "DELETED"
        late = stage == WAITS or (stage == RUNS and time.time() >= where.get("until", 0.0))
        if where.get("asked") and late and not where.get("cancelled"):
            self.hub.cancel(where["id"])
            where["cancelled"] = True
        status = self._bring(run_id)
        if stage not in (WAITS, RUNS):
            self._settle(run_id, where, job, stage, status)
            return
        state = "running" if stage == RUNS and run_id in self._brought else "starting"
        self._write(run_id, **status, state=state, where={**where, "stage": stage}, error=None)

    def _bring(self, run_id: str) -> dict[str, Any]:
        """Bring the job's newest files, and return the fields of the status that they tell."""
        found = bring(self.mirror.remote, self.store, run_id, self._brought.get(run_id))
        if found is None:
            return {}
        self._brought[run_id], status = found
        self._said[run_id] = status["state"]
        status = {
            name: value for name, value in status.items() if name not in ("state", "created", "queued_at")
        }
        return {**status, "eta": _eta(self.store.config(run_id), status)}

    # End

    def _settle(
        self, run_id: str, where: dict[str, Any], job: Found | None, stage: str, status: dict[str, Any]
    ) -> None:
        """Write the last state of a run whose job has ended, and clear the messages about it.

        status: the fields that the files told so far.
        """
        remote, folder = self.mirror.remote, fresh_folder(self.store)
        try:
            told = read_end(remote, run_id, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        status |= self._bring(run_id)  # once more: the end was told after the last files
        state, error = told or self._last_state(run_id, where, job, stage)
        if where.get("asked") == "stop" and state == "paused":
            state = "stopped"
        if stage not in (CANCELED, "DELETED", "COMPLETED"):
            self._keep_log(run_id, where["id"])
        clear(remote, run_id)
        self._write(
            run_id,
            **{**status, "state": state, "error": error and error_json(error), "where": None, "eta": None},
        )
        self.mirror.know(run_id, self._brought.pop(run_id, None))
        for known in (self._due, self._retry, self._said):
            known.pop(run_id, None)

    def _last_state(
        self, run_id: str, where: dict[str, Any], job: Found | None, stage: str
    ) -> tuple[str, UserError | None]:
        """Return the state of a run whose job ended without a word: it is paused, and can go on."""
        if self._said.get(run_id) in ENDED:
            return self._said[run_id], None
        if where.get("asked"):
            return "paused", None
        if job is None:
            return "paused", UserError("jobs.vanished")
        if stage == CANCELED:
            return "paused", UserError("jobs.cancelled")
        return "paused", UserError("jobs.ended", reason=job.message or stage)

    def _keep_log(self, run_id: str, job_id: str) -> None:
        """Write the end of the job's log to the run's."""
        try:
            lines = self.hub.log(job_id)
        except UserError as error:
            lines = [str(error)]
        write_bytes(self.store.path(run_id) / "worker.log", "\n".join([*lines, ""]).encode())

    def _write(self, run_id: str, **changes: Any) -> None:
        try:
            self.store.update_status(
                run_id, **{"heartbeat": time.time(), "pid": None, "pid_started": None, **changes}
            )
        except UserError:  # somebody deleted its directory
            _log.warning("the run %s of a job is gone", run_id)


def let_go(store: Store) -> None:
    """Pause the runs in jobs, because this server can't follow jobs."""
    for summary in store.list():
        if summary["where"] and summary["state"] in LIVE:
            error = error_json(UserError("jobs.not_set_up"))
            store.update_status(summary["id"], state="paused", where=None, eta=None, error=error)


def refuse_own_data(config: Settings) -> None:
    """Raise UserError for data that only this machine has."""
    if not get_kind(config.kind).is_named(config.data):
        raise UserError("jobs.own_data", name=Path(config.data).name)


def _command(run_id: str, place: str, gpus: int) -> list[str]:
    """Return what a job runs: the training, on all GPUs of its machine."""
    several = ("--standalone", "--nproc-per-node=gpu", f"--max-restarts={RESTARTS}")
    torchrun = ("-m", "torch.distributed.run", *several) if gpus > 1 else ()
    return ["python", *torchrun, "-m", "gan", "train", f"{FOLDER}/{run_id}", "--mirror", place]


def _where(job_id: str, flavor: str, stage: str) -> dict[str, Any]:
    return {"kind": "job", "id": job_id, "flavor": flavor, "stage": stage}


def _eta(config: Settings, status: dict[str, Any]) -> float | None:
    """Return the seconds that a run has left, or None where its rate is unknown."""
    if not config.budget_images:
        return round(60 * minutes_left(config.minutes, status.get("progress", 0.0)), 1)
    rate = status.get("rate")
    return round(max(0.0, config.budget_images - status.get("images", 0)) / rate, 1) if rate else None
