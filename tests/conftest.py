"""Fixtures that several test modules share."""

import os

# Servers, workers and browsers share the machine with the tests: two threads that wait for each other at every layer would crawl there.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import psutil
import pytest

from gan.runs.store import Store
from gan.runs.supervisor import Supervisor
from tests.fakes.runs import FAKE_WORKER


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
