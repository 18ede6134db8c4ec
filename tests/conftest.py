"""Fixtures that several test modules share."""

import os
import shutil
import tempfile

# Whatever the tests start keeps its downloads, drawings and measurements here, and leaves the user's own alone.
os.environ["GANARIUM_CACHE"] = tempfile.mkdtemp(prefix="ganarium-tests-")
# Servers, workers and browsers share the machine with the tests: two threads that wait for each other at every layer would crawl there.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import psutil
import pytest

from gan.runs.store import Store
from gan.runs.supervisor import Supervisor
from tests.fakes.runs import FAKE_WORKER


@pytest.fixture(scope="session", autouse=True)
def known_machine():
    """What the self-test would find on this machine, so that no worker measures it again: the defaults, at a modest speed."""
    from gan.device import pick_device
    from gan.train import machine

    picked = pick_device()
    known = machine.Machine(picked.label, picked.torch_name, picked.threads, "float32", True, machine.Speed(1e-4, 2e-11), 500_000_000)
    machine.keep(known)
    yield known
    shutil.rmtree(os.environ["GANARIUM_CACHE"], ignore_errors=True)


@pytest.fixture
def store(tmp_path):
    """An empty run store."""
    return Store(tmp_path / "runs")


@pytest.fixture
def supervise(store):
    """Start supervisors that end with the test, and check that they leave no process behind."""
    begun = []

    def start(command=FAKE_WORKER):
        begun.append(Supervisor(store, command))
        begun[-1].start()
        return begun[-1]

    before = set(psutil.Process().children())
    yield start
    for each in begun:
        each.close()
    left = [child for child in set(psutil.Process().children()) - before if child.is_running()]
    assert left == [], "no child is left, not even a zombie"
