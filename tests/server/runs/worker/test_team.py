"""Test teams: ranks that train one run together, here two processes on the CPU with gloo."""

import os
import shutil
import signal
import socket
import subprocess
import sys

import psutil
import pytest
import torch

from gan.cli.train import main as train_command
from gan.device import Device
from gan.files import read_json, write_json
from gan.kinds.points.recipes import make_config as points_config
from gan.recipes import make_config
from gan.runs import supervisor
from gan.runs.launcher import Launcher
from gan.runs.supervisor import Supervisor
from gan.train.autotune import machine
from gan.train.checkpoint import NEWEST, digest, load_state, read_state, save_state, tensors_of
from gan.worker import ranks
from gan.worker.run_dir import read_config
from tests import ROOT
from tests.fakes.runs import wait_until
from tests.support.processes import forked
from tests.support.processes.ranks import BUILD, DIES, after, points

PYTHON = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a checkpoint of one process, in `one`."""
    path = tmp_path_factory.mktemp("team")
    trainer = points("modern")
    trainer.advance(5)
    save_state(path / "one", trainer, {})
    return path


@pytest.fixture(scope="module")
def pair(folder):
    """What both ranks of one pair of processes found in all trials."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    both = [
        forked.Command("trials", folder, module="tests.support.processes.ranks", **variables, RANK=str(rank))
        for rank in range(2)
    ]
    assert [process.wait(600) for process in both] == [0, 0], both[0].communicate()
    return [read_json(folder / f"{rank}.json") for rank in range(2)]


@pytest.fixture
def flushing():
    """Round as a worker does; conftest.py undoes it."""
    torch.set_flush_denormal(True)


def test_all_ranks_hold_the_same_bytes(pair):
    assert pair[0] == pair[1]


@pytest.mark.parametrize("name", BUILD)
def test_two_ranks_are_one_process_with_two_micro_batches(name, pair, flushing):
    assert pair[0][name] == after(name, splits=2)


def test_one_process_resumes_as_two_and_two_as_one(pair, folder, flushing):
    trainer = points("modern")
    load_state(folder / "one", trainer)
    trainer.splits = 2
    trainer.advance(5)
    assert digest(tensors_of(trainer)) == pair[0]["one resumes as two"]
    alone = points("modern")
    load_state(folder / "two", alone)
    assert (alone.step, alone.splits) == (10, 2)
    alone.advance(5)
    assert digest(tensors_of(alone)) == pair[0]["two go on"]


def test_a_fault_of_one_rank_moves_all_back(pair):
    assert (pair[0]["full"], pair[0]["exploded"]) == (ranks.OUT_OF_MEMORY, ranks.EXPLODED)


def train_and_die(run, *options):
    """Train a run with two ranks, the second of which dies once. Returns the status at the end."""
    command = ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "--max-restarts=5"]
    subprocess.run(
        [sys.executable, "-m", *command, "-m", "tests.support.processes.ranks", "dying", str(run), *options],
        env=PYTHON,
        check=True,
    )
    assert (run / "died").exists()
    return read_json(run / "status.json")


def test_a_killed_rank_changes_no_byte_of_the_end_and_more_counts_only_in_the_first_start(tmp_path, flushing):
    run, steps = tmp_path / "run", 20
    config = make_config("digits", "modern", 28, 1, width=8, z_dim=8, batch=16, kimg=16 * steps / 1000)
    write_json(run / "config.json", config.to_json())
    assert train_command([str(run)]) == 0
    shutil.copytree(run / "state", tmp_path / "half")
    status = train_and_die(run, "--more", str(config.kimg))
    assert (status["state"], status["step"]) == ("finished", 2 * steps), "not 20 more for each start"
    assert steps < DIES < 2 * steps
    config = read_config(run)
    from gan.kinds.images import engine

    device = machine.set_up(Device("cpu", "CPU", 1), **status["compute"])
    undisturbed = engine.build(config, engine.load(config), device)
    load_state(tmp_path / "half", undisturbed)
    undisturbed.splits, undisturbed.total_images = 2, config.budget_images
    undisturbed.advance(steps)
    assert digest(read_state(run / "state" / NEWEST)[0]) == digest(tensors_of(undisturbed))


def test_anew_counts_only_in_the_first_start(tmp_path, monkeypatch):
    run = tmp_path / "run"
    config = make_config("digits", "modern", 28, 1, width=8, z_dim=8, batch=16, kimg=0.032)
    write_json(run / "config.json", config.to_json())
    assert train_command([str(run)]) == 0
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    curves = run / "tensorboard" / "curves"  # --anew deletes it with the model
    curves.parent.mkdir()
    curves.touch()
    assert train_command([str(run), "--anew"]) == 0
    assert curves.exists()


def test_the_page_starts_a_team_where_it_sees_two_gpus_and_pauses_all_of_it(store, monkeypatch):
    monkeypatch.setattr(supervisor, "count_gpus", lambda: 2)
    monkeypatch.setattr(Launcher, "keep_spare", lambda *_: None)  # a team needs none
    boss = Supervisor(store)
    boss.start()
    try:
        run_id = boss.submit(points_config("ring8", batch=16, width=16, steps=1_000_000), gpus=2)
        wait_until(lambda: store.status(run_id)["step"] > 0, timeout=300)
        torchrun = psutil.Process(store.status(run_id)["pid"])
        team = torchrun.children()
        assert len(team) == 2
        boss.pause(run_id)
        wait_until(lambda: store.status(run_id)["state"] == "paused", timeout=300)
        wait_until(lambda: not any(process.is_running() for process in (torchrun, *team)), timeout=300)
        assert store.status(run_id)["error"] is None
        assert read_state(store.path(run_id) / "state" / NEWEST)[1]["parts"] == 2
    finally:
        boss.close()


def test_a_kill_reaches_all_ranks(tmp_path):
    """The command stands for torchrun, which would start ranks again."""
    from gan.runs.processes import Worker

    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(999)'])"
    popen = subprocess.Popen([sys.executable, "-c", script])
    process = psutil.Process(popen.pid)
    wait_until(process.children)
    rank = process.children()[0]
    assert Worker(process, popen).kill()
    wait_until(lambda: not rank.is_running() or rank.status() == psutil.STATUS_ZOMBIE)
    assert popen.returncode == -signal.SIGKILL


@pytest.mark.parametrize(("shown", "count"), [(None, 3), ("0,2", 2), ("", 0), ("GPU-5f0c", 1)])
def test_gpus_are_counted_without_torch(shown, count, monkeypatch, tmp_path):
    for name in ("nvidia0", "nvidia1", "nvidia12", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    monkeypatch.setattr(machine, "Path", lambda place: tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if shown is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
    assert machine.count_gpus() == count


def test_the_profile_belongs_to_the_machine_and_not_to_one_of_its_gpus(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-5f0c")
    one = machine.path()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-77aa")
    assert machine.path() == one
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert machine.path() != one, "no GPU may be used"
