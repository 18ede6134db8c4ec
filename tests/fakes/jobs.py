"""The jobs of a local Hugging Face Hub: each starts its command in a forked process, which really trains.

A machine is a folder, new at each attempt. HOLD lets a worker wait at a step until it is asked to end.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gan.errors import UserError
from gan.mirror.jobs.jobs import FOLDER
from tests import ROOT
from tests.fakes.runs import PATIENCE
from tests.support.processes.forked import Child

HARDWARE = [
    {"name": "t4-small", "prettyName": "Nvidia T4 - small", "cpu": "4 vCPU", "ram": "15 GB",
     "accelerator": {"type": "gpu", "model": "T4", "quantity": "1", "vram": "16 GB",
                     "manufacturer": "Nvidia"},
     "unitCostMicroUSD": 6667, "unitCostUSD": 0.006667, "unitLabel": "minute"},
    {"name": "l4x4", "prettyName": "4x Nvidia L4", "cpu": "48 vCPU", "ram": "186 GB",
     "accelerator": {"type": "gpu", "model": "L4", "quantity": "4", "vram": "96 GB",
                     "manufacturer": "Nvidia"},
     "unitCostMicroUSD": 63333, "unitCostUSD": 0.063333, "unitLabel": "minute"},
    {"name": "cpu-basic", "prettyName": "CPU Basic", "cpu": "2 vCPU", "ram": "16 GB",
     "unitCostMicroUSD": 167, "unitCostUSD": 0.000167, "unitLabel": "minute"},
]  # fmt: skip
FAIL = -1
TIME = "2026-01-01T00:00:00.000Z"
TORCHRUN = "torch.distributed.run"
HOLD = "GANARIUM_TEST_HOLD"


@dataclass
class Job:
    """A job as the Hub keeps it."""

    id: str
    spec: dict[str, Any]
    machine: Path
    stage: str = "SCHEDULING"
    message: str | None = None
    attempts: int = 0
    process: Child | subprocess.Popen | None = None
    starting: threading.Thread | None = None

    def begin(self, hold: int) -> None:
        """Start the command on a machine without files."""
        self.attempts += 1
        shutil.rmtree(self.machine, ignore_errors=True)
        self.machine.mkdir(parents=True)
        words = [word.replace(FOLDER, str(self.machine / "disk")) for word in self.spec["command"]]
        variables = {**os.environ, **self.spec.get("secrets", {}), HOLD: str(hold), "GANARIUM_NICE": "0"}
        self.stage, self.process = "RUNNING", None
        # the first fork imports torch, for which no client waits
        self.starting = threading.Thread(target=self._start, args=(words, variables))
        self.starting.start()

    def _start(self, words: list[str], variables: dict[str, str]) -> None:
        if TORCHRUN in words:
            self.process = _start_ranks(words, variables, self.machine / "log")
        else:
            self.process = Child(_train, words[3:], variables, self.machine / "log")


@dataclass
class FakeJobs:
    """The jobs of one owner. Tests read and change it.

    busy: no machine is free. loses: a job starts, but the answer is an error. hold: the step at which workers
    wait, 0 for none, FAIL for a failure of the training. refuse: the status of answers.
    """

    machines: Path
    busy: bool = False
    loses: bool = False
    hold: int = 0
    refuse: int | None = None
    jobs: dict[str, Job] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers of the answer to a request for jobs."""
        if self.refuse:
            return _json({"error": "no"}, self.refuse)
        if path == "/api/jobs/hardware":
            return _json(HARDWARE)
        job_id, _, act = path.removeprefix("/api/jobs/owner").lstrip("/").partition("/")
        if not job_id:
            return self._start(json.loads(body)) if method == "POST" else _json(list(map(_told, self._all())))
        job = self.jobs.get(job_id)
        if job is None:
            return _json({"error": "no job"}, 404)
        self._look(job)
        if act == "cancel":
            self.cancelled.append(job_id)
            self.end(job, "CANCELED")
        if act == "logs":
            lines = (job.machine / "log").read_text().splitlines()
            text = "".join(f"data: {json.dumps({'data': line, 'timestamp': TIME})}\n\n" for line in lines)
            return 200, text.encode(), {"Content-Type": "text/event-stream"}
        return _json(_told(job))

    def _start(self, spec: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
        job = Job(f"job{len(self.jobs)}", spec, self.machines / f"machine{len(self.jobs)}")
        self.jobs[job.id] = job
        if not self.busy:
            job.begin(self.hold)
        return _json(_told(job), 500 if self.loses else 200)

    def _all(self) -> list[Job]:
        for job in self.jobs.values():
            self._look(job)
        return list(self.jobs.values())

    def _look(self, job: Job) -> None:
        """Note the end of a job's process. One that failed begins anew, as often as was asked."""
        status = job.process.poll() if job.process and job.stage == "RUNNING" else None
        if status == 0:
            job.stage = "COMPLETED"
        elif status is not None and job.attempts < job.spec.get("attempts", 1):
            job.begin(self.hold)
        elif status is not None:
            job.stage, job.message = "ERROR", f"exit code {status}"

    def end(self, job: Job, stage: str) -> None:
        """End a job's process by force."""
        if job.starting is not None:
            job.starting.join()
        if job.process is not None:
            job.process.kill()
            job.process.wait()
        job.stage = stage

    def close(self) -> None:
        """Leave no process behind."""
        for job in self.jobs.values():
            self.end(job, job.stage)


def _told(job: Job) -> dict[str, Any]:
    status = {"stage": job.stage, "message": job.message}
    owner = {"id": "0", "name": "owner", "type": "user"}
    return {"id": job.id, "status": status, "owner": owner, "flavor": job.spec["flavor"],
            "labels": job.spec.get("labels"), "command": job.spec["command"]}  # fmt: skip


def _json(value: Any, status: int = 200) -> tuple[int, bytes, dict[str, str]]:
    return status, json.dumps(value).encode(), {"Content-Type": "application/json"}


def _start_ranks(words: list[str], variables: dict[str, str], log: Path) -> subprocess.Popen:
    """Run a command of torchrun. Two processes on cores of the CPU stand for its GPUs."""
    words = [word.replace("=gpu", "=2") for word in words[1:]]
    with open(log, "ab") as said:
        return subprocess.Popen(
            [sys.executable, *words], env={**variables, "OMP_NUM_THREADS": "1"}, cwd=ROOT, stdout=said,
            stderr=said,
        )  # fmt: skip


def _train(words: list[str], variables: dict[str, str], log: Path) -> None:
    """Run the command of a job, with short waits."""
    from gan.cli.commands import main
    from gan.hub import client
    from gan.mirror.jobs import inside
    from gan.worker import worker

    number = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(number, 1)
    os.dup2(number, 2)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(ROOT)
    client.TIMEOUT = PATIENCE
    inside.LISTEN, inside.EVERY, inside.LOOK = 0.2, 0.5, 0.1
    hold = int(variables[HOLD])
    if hold == FAIL:
        worker.Worker.train = _fail
    elif hold:
        worker.Worker._publish = _holding(worker.Worker._publish, hold)
        worker.CHUNK_SECONDS = 0.0  # one step at a time
    sys.exit(main(words))


def _fail(_: Any) -> str:
    raise UserError("train.diverged", times=4, step=9)


def _holding(publish: Any, hold: int) -> Any:
    """Return Worker._publish with a wait at a step, whose checkpoint is written first."""
    import time

    def held(self: Any, means: dict[str, float]) -> None:
        publish(self, means)
        if self.trainer.step < hold:
            return
        self._write_sheet()
        self._write_state()
        self._write_status()
        while self.asked_to_end is None:
            time.sleep(0.05)
            for command in self.dir.take_commands():
                if command["command"] in ("pause", "stop"):
                    self.end(command["command"])

    return held
