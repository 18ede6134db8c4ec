"""Short versions of tests/reliability/kills.py: shipped settings, two threads, busy cores."""

import dataclasses
from multiprocessing import forkserver

import pytest
import torch

from gan.train.autotune import machine
from gan.worker.worker import work
from tests.reliability.attacker.planted import planted
from tests.reliability.kills import survive
from tests.reliability.scenario.scenarios import SCENARIOS
from tests.reliability.scenario.trainees import in_forks
from tests.reliability.scenario.undisturbed import differences, retrain
from tests.reliability.shipped import THREADS, busy

STEPS = 20


@pytest.fixture(autouse=True)
def two_threads(monkeypatch, known_machine):
    """Give workers two threads on two cores, as outside the tests."""
    forkserver.ensure_running()  # it serves later tests too, and keeps the environment of its start
    monkeypatch.setenv("OMP_NUM_THREADS", str(THREADS))
    machine.save_profile(dataclasses.replace(known_machine, threads=THREADS))
    yield
    torch.set_num_threads(1)


def test_a_run_that_was_killed_ends_like_one_that_was_not(tmp_path):
    with busy(1):  # the other core has other tests
        outcome = survive("digits", STEPS, 2, tmp_path, train=in_forks)
    assert outcome.kills >= 1
    assert outcome.differences == []
    assert outcome.lost < 10
    assert survive("digits", STEPS, 2, tmp_path) == outcome, "what is done is not done again"


def test_a_gradient_that_depends_on_the_timing_of_threads_is_seen(tmp_path):
    fashion, found = SCENARIOS["fashion"], []
    with busy(), planted():
        for attempt in range(6):  # in rare pairs of runs the threads happen to come in the same order
            run = tmp_path / str(attempt)
            fashion.make(run, 10)
            work(run)
            found = list(differences(run, retrain(fashion.make, (10, 10), run), (), fashion.check))
            if found:
                break
    assert found
    assert "tensors of the checkpoint" in found[-1]
