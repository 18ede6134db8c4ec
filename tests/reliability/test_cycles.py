"""A short version of tests/reliability/cycles.py."""

import os
import subprocess
import sys

import pytest

from tests import ROOT
from tests.reliability import cycles
from tests.reliability.cycles import Held, grown


def test_runs_that_come_and_go_leave_nothing_behind():
    command = [sys.executable, "-m", "tests.reliability.cycles", "--cycles", "8"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "grown: nothing" in done.stdout


@pytest.mark.parametrize(
    ("after", "names"),
    [
        (Held(1, 20, 60.0), []),
        (Held(0, 19, 40.0), []),
        (Held(1, 20, 67.9), []),
        (Held(2, 20, 60.0), ["children"]),
        (Held(1, 21, 69.0), ["descriptors", "megabytes"]),
    ],
)
def test_growth_is_told(after, names):
    assert grown(Held(1, 20, 60.0), after) == names


def test_a_leak_ends_with_status_1(monkeypatch, capsys):
    kept = []

    def leak(server):
        kept.append(os.open(os.devnull, os.O_RDONLY))
        return cycles.finish(server)

    monkeypatch.setattr(cycles, "WAYS", [leak])
    assert cycles.main(["--cycles", "2"]) == 1
    assert "grown: descriptors" in capsys.readouterr().out
    for descriptor in kept:
        os.close(descriptor)
