"""Test that processes which train keep their memory: the terminal's, the server's, and nobody else's."""

import os
import subprocess
import sys

import psutil
import pytest

from gan.cli import commands
from gan.files import write_json
from gan.runs import processes
from gan.train.autotune import allocator
from tests import ROOT
from tests.fakes.runs import tiny, wait_until

# Allocates and frees what a step might, and prints the page faults of one such step.
STEPS = """
import resource, torch
def step():
    for tensors in [torch.ones(2**20) for _ in range(8)], [torch.ones(2**18) for _ in range(8)]:
        del tensors
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 20)
"""


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    monkeypatch.delenv(allocator.VARIABLE, raising=False)


def faults(**added: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", STEPS], env={**os.environ, **added}, capture_output=True, check=True
    )
    return float(done.stdout)


def test_a_step_takes_hardly_a_page_anew():
    # glibc's first threshold, which it may or may not raise while a program runs
    assert faults(**{allocator.VARIABLE: "glibc.malloc.mmap_threshold=131072"}) > 1000
    assert faults(**allocator.environment()) < 100


def test_what_a_user_has_set_stays(monkeypatch):
    monkeypatch.setenv(allocator.VARIABLE, "glibc.malloc.check=0")
    assert allocator.environment() == {}
    allocator.restart()  # would end this process


def test_the_server_gives_it_to_its_workers():
    assert processes._environment().items() >= allocator.environment().items()
    assert allocator.VARIABLE not in os.environ


def test_a_run_from_the_terminal_restarts_as_the_same_process(tmp_path):
    write_json(tmp_path / "run" / "config.json", tiny(100_000).to_json())
    with subprocess.Popen(
        [sys.executable, "-m", "gan", "train", str(tmp_path / "run")], cwd=ROOT, stdout=subprocess.DEVNULL
    ) as run:
        program = psutil.Process(run.pid)
        try:
            wait_until(lambda: (tmp_path / "run" / "status.json").exists())
            assert allocator.VARIABLE in program.environ()  # of its value glibc leaves the first part
            assert program.cmdline()[1:] == ["-m", "gan", "train", str(tmp_path / "run")]
        finally:
            run.kill()


@pytest.mark.parametrize("arguments", [["sample", "x"], [], ["--port", "1"]])
def test_other_commands_do_not_restart(arguments, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["ganarium", *arguments])
    monkeypatch.setattr(os, "execve", lambda *args: pytest.fail("restarted"))
    monkeypatch.setattr(commands, "main", lambda: 0)
    assert commands.program() == 0
