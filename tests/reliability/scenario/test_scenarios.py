"""Short versions of the scenarios of kills.py: narrow networks; processes kill themselves at a step."""

import contextlib
import io
import json
import os
import signal
import sys
from functools import partial

import pytest
import torch
from safetensors.torch import save_file

from gan.cli.train import main as command
from gan.export import track
from gan.export.event_file import FILE, FOLDER, records
from gan.files import append_line, read_json, read_lines, read_object, write_json
from gan.kinds.points.trainer import PointsTrainer
from gan.runs.more import extensions
from gan.train.checkpoint import NEWEST, digest, has_state, read_state
from gan.train.origin import START
from gan.train.trainer import Trainer
from gan.worker import worker
from gan.worker.leased import LeasedWorker, lease, prepare
from tests.fakes.runs import wait_until
from tests.reliability.kills import Outcome, count_kill
from tests.reliability.scenario.scenarios import SCENARIOS, next_words
from tests.reliability.scenario.undisturbed import differences, retrain, tracked_images
from tests.support.processes.forked import Child

STEPS = 8
DIES, ENDS = "dies", "ends"
NARROW = {"batch": 16, "width": 8}
# Scenario -> its settings, and before which step which process dies, or which lease ends. The scenario of a
# server that is killed trains the same run as that of a lease.
SHORT = {
    "started": ({"batch": 8}, [(DIES, 6)]),
    "more": (NARROW, [(DIES, 2), None, (DIES, 6)]),
    "lease": (NARROW, [(ENDS, 3), (DIES, 6)]),
    "tracked": (NARROW, [(DIES, 6)]),
    "points": (NARROW, [(DIES, 6)]),
}


def train(run, words, how, at):
    """Train a run as its scenario does, until the process dies or the lease ends before a step."""
    worker.CHUNK_SECONDS = 0.0  # a chunk is one step
    worker.STATE_SECONDS = float("inf")  # only a run's begin and an end in order write checkpoints
    track.PAUSE = 0.01
    if how == DIES:
        for trainer in (Trainer, PointsTrainer):
            trainer._next_step = dying(trainer._next_step, at, run)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        if read_object(run / "status.json").get("queued_at") is None:
            sys.exit(command([str(run), *words]))
        if not has_state(run / "state"):
            prepare(run)
        LeasedWorker.out_of_time = lambda self: how == ENDS and self.trainer.step >= at
        lease(str(run), 600)


def dying(next_step, at, run):
    """Return a step before which the process kills itself, once a tracker of the run has two points."""

    def die_or_go_on(self):
        if self.step == at:
            wait_until(lambda: self.config.track == "none" or len(tracked_images(run)) >= 2)
            os.kill(os.getpid(), signal.SIGKILL)
        return next_step(self)

    return die_or_go_on


def change_everything(run):
    """Change a number of the statistics, a byte of a grid, and the last bit of each number of a tensor."""
    first, *rest = read_lines(run / "stats.jsonl")[0]
    lines = [{**first, "pair": first["pair"] + 1}, *rest]
    (run / "stats.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    grid = max((run / "samples").iterdir())
    grid.write_bytes(grid.read_bytes()[:-1] + b"x")
    tensors, meta = read_state(run / "state" / NEWEST)
    name = min(name for name in tensors if name.startswith("G.") and name.endswith("weight"))
    tensors[name] = tensors[name].nextafter(torch.tensor(9.0))
    text = json.dumps(meta)
    save_file(tensors, run / "state" / NEWEST, metadata={"trainer": text, "sha256": digest(tensors, text)})
    return ["statistics of step 1: pair", f"the grid of step {STEPS}"], [
        f"1 tensors of the checkpoint, as {name}"
    ]


def other_origin(run):
    record = read_json(run / START / "origin.json")
    write_json(run / START / "origin.json", {**record, "weights": "0"})
    return ["the model that it began with"]


def extended_twice(run):
    (event,) = [one for one in read_lines(run / "events.jsonl")[0] if one["key"] == "more_images"]
    append_line(run / "events.jsonl", event)
    return [f"its extensions: {extensions(run)}"]


def lost_and_doubled(run):
    """Drop the last point but one from the tracker, repeat the last one, and add half of it."""
    path = run / FOLDER / FILE
    data, places = path.read_bytes(), [place for place, _ in records(path)]
    last = data[places[-2] :]
    path.write_bytes(data[: places[-3]] + 2 * last + last[:-1])
    return [
        "half a record of the tracker",
        "points of the tracker that come twice or in disorder",
        f"step {STEPS - 1} is missing in the tracker",
    ]


OWN = {"started": other_origin, "more": extended_twice, "tracked": lost_and_doubled}


@pytest.mark.parametrize("name", SHORT)
def test_a_killed_run_ends_like_an_undisturbed_one_and_each_fault_would_be_seen(name, tmp_path):
    scenario, (settings, ends), outcome = SCENARIOS[name]._replace(pace=1), SHORT[name], Outcome()
    run, make, steps = tmp_path / "run", partial(scenario.make, **settings), scenario.steps(STEPS)
    make(run, steps[0])
    coming = iter(ends)
    while (words := next_words(run, STEPS)) is not None:
        how, at = next(coming, None) or (None, None)
        assert Child(train, run, words, how, at).wait() == (-signal.SIGKILL if how == DIES else 0)
        if how == DIES:
            count_kill(outcome, run, False)
    assert list(coming) == []
    expected = retrain(make, steps, run)
    assert list(differences(run, expected, outcome.back, scenario.check)) == []
    own = OWN.get(name, lambda run: [])(run)
    shown, tensors = change_everything(run)
    assert list(differences(run, expected, outcome.back, scenario.check)) == [*shown, *own, *tensors]
