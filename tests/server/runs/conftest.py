"""A paused run on images of its own, which tests change."""

import shutil

import pytest
import torch

from gan.files import write_json
from gan.worker.worker import work
from tests.support.inputs.own_data import SETTINGS, lies_at, picture
from tests.support.processes import forked


@pytest.fixture
def one_thread():
    """Train on one thread like the child processes. With more threads a run resumes, but not bit for bit."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def begun(tmp_path_factory):
    """A folder of 40 images in two classes, a paused run on it, and that run's result without any change."""
    root = tmp_path_factory.mktemp("begun")
    for number in range(40):
        picture(root / "grow" / ("cat", "dog")[number % 2] / f"{number:02d}.png", number)
    write_json(root / "run" / "commands" / "1-pause.json", {"command": "pause"})
    started = forked.run("train", "--data", "grow", *SETTINGS, "--out", "run", folder=root)
    assert started.returncode == 0, started.stderr
    assert started.stdout.strip() == "run: paused"
    shutil.copytree(root / "run", root / "left-alone")
    assert work(root / "left-alone") == "finished"
    return root


@pytest.fixture
def run(begun, tmp_path):
    """A copy of that run and its images, for a test to change: the folders `run` and `grow`."""
    shutil.copytree(begun / "run", tmp_path / "run")
    shutil.copytree(begun / "grow", tmp_path / "grow")
    lies_at(tmp_path / "run", tmp_path / "grow")
    return tmp_path / "run"
