"""Fake a worker without torch that keeps the contract of a run directory.

Usage: `python worker.py --spare`, then one line with the run to train. It takes config.kimg * 1000 /
config.batch steps of a few milliseconds. The run's seed selects a fault: see SEEDS.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil

from gan.files import append_line, read_json, write_bytes, write_json

SEEDS = {"exit at once": 11, "crash": 12, "kill": 13, "mistake": 14, "no checkpoint": 15, "slow to leave": 16}
STEP_SECONDS = 0.004


class FakeRun:
    def __init__(self, path: Path):
        self.path, self.config = path, read_json(path / "config.json")
        self.status = read_json(path / "status.json")
        self.end: str | None = None

    def write(self, state: str, **changes: object) -> None:
        process = psutil.Process()
        self.status |= {
            "state": state,
            "heartbeat": time.time(),
            "pid": process.pid,
            "pid_started": process.create_time(),
            **changes,
        }
        write_json(self.path / "status.json", self.status)

    def commands(self) -> list[str]:
        found = []
        for path in sorted((self.path / "commands").glob("*.json")):
            found.append(read_json(path)["command"])
            path.unlink()
        return found

    def train(self) -> int:
        seed, started = self.config["seed"], time.monotonic()
        self.write("starting", error=None, heard=time.time(), nice=os.nice(0))
        steps = round(self.config["kimg"] * 1000 / self.config["batch"])
        step = self.status["step"]
        print(f"training from step {step}", file=sys.stderr, flush=True)
        if seed == SEEDS["mistake"]:
            self.write(
                "failed", error={"key": "train.no_labels", "values": {"data": "digits"}, "text": "no labels"}
            )
            return 2
        while step < steps and self.end is None:
            time.sleep(STEP_SECONDS)
            step += 1
            append_line(
                self.path / "stats.jsonl",
                {"step": step, "images": step * self.config["batch"], "loss_d": 0.5, "loss_g": 1.0},
            )
            if step % 5 == 1:
                self.write(
                    "running",
                    step=step,
                    progress=step / steps,
                    elapsed=time.monotonic() - started,
                    eta=(steps - step) * STEP_SECONDS,
                )
            if step == 10 and seed == SEEDS["crash"]:
                raise RuntimeError("the fake ran out of luck")
            if step == 10 and seed == SEEDS["kill"]:
                os.kill(os.getpid(), signal.SIGKILL)
            for command in self.commands():
                if command in ("pause", "stop"):
                    self.end = command
                else:
                    self.write("running", taken=command)
        if seed != SEEDS["no checkpoint"]:
            write_bytes(self.path / "state" / "checkpoint.safetensors", b"step")
        self.write(
            {None: "finished", "pause": "paused", "stop": "stopped"}[self.end],
            step=step,
            progress=step / steps,
        )
        if seed == SEEDS["slow to leave"]:
            time.sleep(1)
        return 0


def main() -> int:
    assert sys.argv[1:] == ["--spare"], sys.argv
    os.nice(int(os.environ.get("GANARIUM_NICE", "0")))
    print("ready", flush=True)
    line = sys.stdin.readline()
    if not line:
        return 0
    asked = json.loads(line)
    path = Path(asked["run_dir"])
    if read_json(path / "config.json")["seed"] == SEEDS["exit at once"]:
        print("no torch here", file=sys.stderr, flush=True)
        return 3
    log = os.open(path / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1), os.dup2(log, 2)
    run = FakeRun(path)

    def pause(*_: object) -> None:
        run.end = "pause"

    signal.signal(signal.SIGTERM, pause)
    if asked["prepare"]:
        write_bytes(path / "state" / "checkpoint.safetensors", b"step")
        run.write("paused", reason="lease")
        return 0
    return run.train()


if __name__ == "__main__":
    sys.exit(main())
