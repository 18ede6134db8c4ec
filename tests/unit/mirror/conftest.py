"""Two small runs that the tests of moving and mirroring share."""

from pathlib import Path

import pytest

from gan.files import append_line
from gan.mirror.contents import CHECKPOINT
from gan.runs.store import Store
from gan.train.checkpoint import digest as digest_of
from gan.train.checkpoint import read_state
from gan.train.throttle import Throttle
from gan.worker.worker import Worker, work
from tests.fakes.runs import tiny

STEPS = 12
SECRET = "/home/somebody/secret"


def state_of(run: Path) -> str:
    """Return the SHA-256 of all tensors of a run's newest checkpoint."""
    return digest_of(read_state(run / CHECKPOINT)[0])


def half_way(path: Path, steps: int) -> None:
    """Train a run until it is asked to pause, at about half of its steps."""
    box: dict[str, Worker] = {}

    def report(status):
        if status["step"] >= steps // 2:
            box["worker"].end("pause")

    box["worker"] = Worker(path, report)
    # one step at a time, each with a status, however fast the machine is
    box["worker"].chunk_seconds, box["worker"].status = 0.0, Throttle(0.0, share=1e9)
    box["worker"].prepare()
    assert box["worker"].train() == "paused"


@pytest.fixture(scope="package")
def trained(tmp_path_factory):
    """Two runs with the same settings: one finished undisturbed, one paused half-way."""
    store = Store(tmp_path_factory.mktemp("trained") / "runs")
    whole, half = store.create(tiny(STEPS)), store.create(tiny(STEPS))
    assert work(store.path(whole)) == "finished"
    half_way(store.path(half), STEPS)
    append_line(store.path(half) / "events.jsonl", {"time": 1.0, "key": "set_changed",
                                                    "values": {"name": SECRET, "more": ["x"]}})  # fmt: skip
    store.rename(half, "My digits")
    store.update_status(half, error={"key": None, "values": {}, "text": SECRET}, pid=4711)
    return store, whole, half
