"""Test the start times of queued runs: known ones, and those that stay open."""

import time

import pytest

from gan.runs.queue_eta import starts


def run(run_id, state="queued", age=0.0, **known):
    """Return a summary whose heartbeat is so many seconds old when the test begins."""
    quiet = {"minutes": 5.0, "kimg": 0.0, "progress": 0.0, "images": 0, "rate": None, "eta": None, "age": age}
    return {"id": run_id, "state": state, **quiet, **known}


ACTIVE = run("a", "running", eta=90.0)
CASES = {
    "the first waits for the active run": ([ACTIVE, run("b")], "b", {"b": 90}),
    "each waits for all before it": (
        [ACTIVE, run("b", minutes=2.0), run("c"), run("d")],
        "bcd",
        {"b": 90, "c": 210, "d": 510},
    ),
    "a resumed run needs only what is left": (
        [ACTIVE, run("b", minutes=10.0, progress=0.75), run("c")],
        "bc",
        {"b": 90, "c": 240},
    ),
    "images over the last known rate": (
        [ACTIVE, run("b", kimg=10.0, images=4000, rate=100.0), run("c")],
        "bc",
        {"b": 90, "c": 150},
    ),
    "images without a rate": ([ACTIVE, run("b", kimg=10.0), run("c")], "bc", {"b": 90}),
    "an active run that has told no time yet": (
        [run("a", "starting", minutes=3.0), run("b")],
        "b",
        {"b": 180},
    ),
    "an active run of so many images that has told no time yet": (
        [run("a", "starting", kimg=3.0), run("b")],
        "b",
        {},
    ),
    "an active run that hangs": ([run("a", "running", eta=90.0, age=100), run("b")], "b", {}),
    "a queued run's last heartbeat is long ago": (
        [ACTIVE, run("b", age=1e9), run("c")],
        "bc",
        {"b": 90, "c": 390},
    ),
    "the device is free": ([run("b")], "b", {"b": 0}),
    "two at work": ([ACTIVE, run("x", "running", eta=200.0), run("b")], "b", {"b": 200}),
    "a damaged run that trains on": ([run("a", "damaged", minutes=None, kimg=None), run("b")], "b", {}),
    "a damaged run that does not train": (
        [run("z", "damaged", minutes=None, kimg=None), ACTIVE, run("b")],
        "b",
        {"b": 90},
    ),
    "a run that was deleted since": ([ACTIVE, run("c")], "bc", {"b": 90}),
    "beyond its budget": ([ACTIVE, run("b", progress=1.5), run("c")], "bc", {"b": 90, "c": 90}),
    "runs at rest count nothing": (
        [run("z", "finished"), run("y", "paused"), ACTIVE, run("b")],
        "b",
        {"b": 90},
    ),
    "an empty queue": ([ACTIVE], "", {}),
}


@pytest.mark.parametrize("case", CASES)
def test_starts(case):
    summaries, queue, expected = CASES[case]
    summaries = [{**each, "heartbeat": time.time() - each["age"]} for each in summaries]
    assert starts(summaries, list(queue), "a") == pytest.approx(expected)
