"""Test pulls of several processes that meet, with real processes against a small Hub on this machine."""

import json
import os
import re
import subprocess
import sys
import threading
import time

import pytest

from gan.latent.catalogue import CHECKPOINTS
from tests import ROOT
from tests.fakes.hub import Repository, fake_hub
from tests.fakes.runs import wait_until
from tests.support.inputs.tables import picture

PATIENCE = 300  # seconds for a process to come to the Hub
MODEL, SET = "ada/digits", "hub:ada/cats/all"
LONG_AGO = 10 * 24 * 3600  # seconds
WEIGHTS = ".*/generator.safetensors"
PULLS = {"model": ([sys.executable, "-m", "gan.hub.pull", MODEL], WEIGHTS)}
PULLS["set"] = ([sys.executable, "-m", "gan.hub.sets", SET, "--into", "PLACE"], ".*/0.png")


@pytest.fixture
def hub():
    with fake_hub() as hub:
        digits = (CHECKPOINTS / "digits").iterdir()
        hub.repositories[MODEL] = Repository({path.name: path.read_bytes() for path in digits})
        files = {f"all/{number}.png": picture(number) for number in range(2)}
        hub.repositories["datasets/ada/cats"] = Repository(files)
        yield hub


def before_file(hub, pattern, act) -> None:
    """Let the Hub call `act` before it answers with the content of a file."""
    plain = hub.answer

    def answer(method, path, body, token):
        if method == "GET" and re.fullmatch(pattern, path):
            act()
        return plain(method, path, body, token)

    hub.answer = answer


def begin(command, hub, folder) -> subprocess.Popen:
    """Start a pull into the cache `folder`, or into the folder "sets" there."""
    command = [str(folder / "sets") if part == "PLACE" else part for part in command]
    variables = {"HF_ENDPOINT": hub.endpoint, "GANARIUM_CACHE": str(folder), "HF_HOME": str(folder / "home")}
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **variables}, stdout=subprocess.PIPE)


def answer_of(process) -> dict:
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    return json.loads(said)


def check_whole(kind, folder) -> None:
    """Exactly one whole model or set is there, and nothing of a download."""
    if kind == "model":
        assert [path.name for path in (folder / "hub").iterdir()] == ["ada--digits"]
        names = ["card.json", "config.json", "generator.safetensors", "pulled.json"]
        found = folder / "hub" / "ada--digits"
        assert sorted(path.name for path in found.iterdir()) == names
        for name in names[:-1]:
            assert (found / name).read_bytes() == (CHECKPOINTS / "digits" / name).read_bytes()
    else:
        (found,) = (folder / "sets").iterdir()
        assert len(list(found.iterdir())) == 2, "the zip and its description"


@pytest.mark.parametrize("kind", PULLS)
def test_two_processes_that_pull_the_same_at_once_both_get_it(kind, hub, tmp_path):
    command, pattern = PULLS[kind]
    before_file(hub, pattern, threading.Barrier(2, timeout=PATIENCE).wait)
    both = [begin(command, hub, tmp_path) for _ in range(2)]
    first, second = map(answer_of, both)
    assert first == second
    check_whole(kind, tmp_path)


@pytest.mark.parametrize("kind", PULLS)
def test_a_slow_download_is_not_taken_for_a_killed_one(kind, hub, tmp_path):
    """A second process pulls while the first has downloaded for days; a killed one's folder goes."""
    command, pattern = PULLS[kind]
    root = tmp_path / ("hub" if kind == "model" else "sets")
    waits, held = threading.Event(), []

    def hold() -> None:
        if not held:
            held.append(True)
            waits.wait(PATIENCE)

    before_file(hub, pattern, hold)
    slow = begin(command, hub, tmp_path)
    wait_until(lambda: held)
    (root / ".new-killed").mkdir()
    for folder in root.glob(".new-*"):
        os.utime(folder, (time.time() - LONG_AGO,) * 2)
    answer = answer_of(begin(command, hub, tmp_path))
    assert len(list(root.glob(".new-*"))) == 1
    waits.set()
    assert answer_of(slow) == answer
    check_whole(kind, tmp_path)


def test_processes_that_drop_the_oldest_models_at_once_agree(hub, tmp_path):
    """Three models come at once where one is kept."""
    names = [f"ada/{number}" for number in range(3)]
    hub.repositories.update(dict.fromkeys(names, hub.repositories[MODEL]))
    before_file(hub, WEIGHTS, threading.Barrier(len(names), timeout=PATIENCE).wait)
    keeping_one = "import sys; from gan.hub import pull; pull.KEPT = 1; sys.exit(pull.main())"
    pulls = [begin([sys.executable, "-c", keeping_one, name], hub, tmp_path) for name in names]
    dropped = sorted(name for pull in pulls for name in answer_of(pull)["dropped"])
    kept = sorted(f"hub:{path.name.replace('--', '/')}" for path in (tmp_path / "hub").iterdir())
    assert sorted(dropped + kept) == sorted(f"hub:{name}" for name in names)
    assert len(kept) == 1
