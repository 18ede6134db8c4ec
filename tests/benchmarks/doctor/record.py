"""Train the runs of a set, and keep what the page said and what the oracle found:

    python -m tests.benchmarks.doctor.record --set test --to DIRECTORY [--seconds 75]

Each run becomes one JSON file. The command goes on where it ended, and several may share a directory. A run
trains in the product's worker on one thread. Every five seconds its weights are kept, and the oracle judges
them afterwards.
"""

import argparse
import fcntl
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from gan import data
from gan.data import Dataset
from gan.device import Device
from gan.errors import UserError
from gan.files import write_json
from gan.kinds import get_kind
from gan.recipes import RECIPES, make_config
from gan.worker.doctor import is_check
from gan.worker.health import judge
from gan.worker.run_dir import read_config
from gan.worker.worker import Worker, work
from tests.benchmarks.doctor.cases import SETS, Case
from tests.benchmarks.doctor.oracle import Oracle

EVERY = 5.0  # seconds of training between two moments
DEVICE = Device("cpu", "CPU, one thread", 1)


class Recorder(Worker):
    """A worker that keeps weights, and what the page says, beside the run."""

    def choose_device(self, picked: Device, began: Any) -> Device:
        """Return one thread, so that two runs on two cores don't slow each other down."""
        return DEVICE

    def prepare(self) -> None:
        """Begin the records."""
        super().prepare()
        self.moments = 0
        self.told: list[dict[str, Any]] = []
        (self.path / "moments").mkdir(exist_ok=True)

    def _publish(self, means: dict[str, float]) -> None:
        super()._publish(means)
        line = self.stats[-1]
        judged = judge(list(self.stats), self.progress, self.config.loss, self.trainer.modes)
        if is_check(line):
            self.told.append({**line, "judged": judged._asdict(), "shown": self.watch.verdict(judged)["key"]})
            write_json(self.path / "told.json", {"lines": self.told})
        if self.elapsed < EVERY * (self.moments + 1):
            return
        self.moments += 1
        weights = {"G": self.trainer.G.state_dict(), "D": self.trainer.D.state_dict()}
        torch.save({"seconds": self.elapsed, "images": self.trainer.images_seen, **weights},
                   self.path / "moments" / f"{self.moments:03d}.pt")  # fmt: skip


def record(name: str, case: Case, seed: int, seconds: float, place: Path) -> dict[str, Any]:
    """Train one run in the directory `place` and return its record."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    info = data.info(case.data)
    changes = {"size": info.size, "channels": info.channels}
    if "size" in RECIPES[case.recipe]:
        del changes["size"]
    config = make_config(
        case.data, case.recipe, minutes=seconds / 60, seed=seed, **{**changes, **case.changes}
    )
    write_json(place / "config.json", config.to_json())
    try:
        state = work(place, make=Recorder)
    except UserError as error:
        state = error.key
    told = place / "told.json"
    lines = json.loads(told.read_text())["lines"] if told.exists() else []
    return {
        "case": name, "seed": seed, "state": state, "changes": dict(case.changes), "recipe": case.recipe,
        "data": case.data, "torch": torch.__version__, "lines": lines, "moments": list(_judged(place)),
    }  # fmt: skip


def _judged(place: Path) -> Iterator[dict[str, Any]]:
    """Yield what the oracle says of each moment."""
    found = sorted((place / "moments").glob("*.pt"))
    if not found:
        return
    config = read_config(place)
    engine = get_kind(config.kind).load_engine()
    dataset: Dataset = engine.load(config)
    oracle = Oracle(engine.build(config, dataset, DEVICE), dataset)
    for path in found:
        weights = torch.load(path, weights_only=True)
        yield {
            "seconds": round(weights["seconds"], 2), "images": weights["images"], **oracle.judge(weights)
        }  # fmt: skip


def main() -> None:
    """Record all runs of a set that are not recorded yet."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--set", choices=SETS, required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=75.0)
    parser.add_argument("--only", nargs="*", default=())
    options = parser.parse_args()
    torch.set_num_threads(DEVICE.threads)
    options.to.mkdir(parents=True, exist_ok=True)
    runs = [(name, case, seed) for name, case in SETS[options.set].items() for seed in case.seeds]
    for name, case, seed in sorted(runs, key=lambda run: run[2]):  # one seed of each case first
        if options.only and name not in options.only:
            continue
        target = options.to / f"{name}-{seed}.json"
        with open(options.to / f"{target.stem}.lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # another command records it
            if target.exists():
                continue
            place = options.to / target.stem
            write_json(target, record(name, case, seed, options.seconds, place))
            shutil.rmtree(place)
        print(target, flush=True)


if __name__ == "__main__":
    main()
