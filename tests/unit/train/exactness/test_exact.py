"""Test that the same seed gives the same bits with the shipped settings, on one thread and on two.

Two trainings run at the same time, so each keeps the cores busy for the other.
"""

import pytest
import torch

from gan.device import Device
from gan.train.autotune.measure import native_bf16
from gan.train.inputs.clusters import find_clusters
from tests.reliability.attacker.planted import planted
from tests.reliability.exact import first_difference
from tests.reliability.shipped import RUNS, SLOW, THREADS, config_of
from tests.support.engine import CPU

TWO = Device("cpu", "two threads", THREADS)
STEPS, SLOW_STEPS = 10, 4


@pytest.fixture(scope="module", autouse=True)
def load():
    yield
    torch.set_num_threads(1)


# `fashion` has the settings of digits
@pytest.mark.parametrize("run", [run for run in RUNS if run != "fashion"])
def test_two_trainings_give_the_same_bits_step_by_step(run):
    steps = SLOW_STEPS if run in SLOW else STEPS
    assert first_difference(config_of(run, steps), TWO, steps) is None


@pytest.mark.skipif(
    not native_bf16("cpu"), reason="this processor has no bf16 of its own, so that no run trains in it"
)
def test_so_do_they_in_bf16():
    assert first_difference(config_of("digits", 8), Device("cpu", "bf16", THREADS, "bf16"), 8) is None


def test_and_on_one_thread():
    assert first_difference(config_of("digits", 8), CPU, 8) is None


def test_a_gradient_that_depends_on_the_timing_of_threads_is_seen():
    with planted():
        assert first_difference(config_of("fashion", STEPS), TWO, STEPS, times=4) is not None


def test_clusters_are_the_same_on_any_number_of_threads():
    images = torch.randint(
        0, 256, (2000, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(3)
    )
    found = []
    for threads in (1, THREADS, THREADS):
        torch.set_num_threads(threads)
        found.append(find_clusters(images, None, 0, 20, seed=1)[0])
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[1], found[2])
