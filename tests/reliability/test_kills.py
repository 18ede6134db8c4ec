"""Short versions of tests/reliability/kills.py: shipped settings, two threads, busy cores."""

import dataclasses
import json

import pytest
import torch
from safetensors.torch import save_file

from gan.files import write_json
from gan.train.autotune import machine
from gan.train.checkpoint import NEWEST, digest, read_state
from gan.worker.worker import work
from tests.reliability.kills import differences, survive
from tests.reliability.planted import planted
from tests.reliability.shipped import THREADS, busy, config_of

STEPS = 20


@pytest.fixture(autouse=True)
def two_threads(monkeypatch, known_machine):
    """Give workers two threads on two cores, as outside the tests."""
    monkeypatch.setenv("OMP_NUM_THREADS", str(THREADS))
    machine.save_profile(dataclasses.replace(known_machine, threads=THREADS))
    yield
    torch.set_num_threads(1)


def test_a_run_that_was_killed_ends_like_one_that_was_not_and_any_difference_would_be_seen(tmp_path):
    config = config_of("digits", STEPS)
    with busy(1):  # the other core has other tests
        outcome = survive("digits", config, 2, tmp_path)
    assert outcome.kills >= 1
    assert outcome.differences == []
    assert outcome.lost < 10
    assert survive("digits", config, 2, tmp_path) == outcome, "what is done is not done again"
    run = tmp_path / "digits"
    grid = max((run / "samples").iterdir())
    grid.write_bytes(grid.read_bytes()[:-1] + b"x")
    tensors, meta = read_state(run / "state" / NEWEST)
    # Change the last bit of each number.
    tensors["G.dense.weight"] = tensors["G.dense.weight"].nextafter(torch.tensor(9.0))
    text = json.dumps(meta)
    save_file(tensors, run / "state" / NEWEST, metadata={"trainer": text, "sha256": digest(tensors, text)})
    assert list(differences(run, config)) == [
        f"the grid of step {meta['step']}",
        "1 tensors of the checkpoint, as G.dense.weight",
    ]


def test_a_gradient_that_depends_on_the_timing_of_threads_is_seen(tmp_path):
    config = config_of("fashion", 10)
    write_json(tmp_path / "config.json", config.to_json())
    with busy(), planted():
        work(tmp_path)
        found = list(differences(tmp_path, config))
    assert found
    assert "tensors of the checkpoint" in found[-1]
