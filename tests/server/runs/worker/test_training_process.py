"""Test the worker as a real process on a real run directory, started from the terminal."""

import dataclasses
import itertools
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import save_file

from gan.cli.train import main
from gan.errors import UserError
from gan.files import read_json, read_lines, write_json
from gan.models import load_generator
from gan.recipes import make_config
from gan.train.autotune import machine
from gan.train.checkpoint import digest, read_state, saved_step
from gan.worker.run_dir import RunDir, surplus
from gan.worker.worker import work
from tests.fakes.runs import wait_until
from tests.support.processes import forked

TINY = ["--data", "digits", "--width", "8", "--z-dim", "8", "--batch", "16"]


def wait_for(run: Path, condition, seconds: float = 60) -> dict:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            status = read_json(run / "status.json")
        except (OSError, ValueError):
            status = {}
        if status and condition(status):
            return status
        time.sleep(0.05)
    raise AssertionError(f"waited in vain, the status is {status}")


@pytest.fixture
def long_run(tmp_path):
    """A run that trains until a test ends it."""
    from gan.recipes import make_config

    run = tmp_path / "run"
    write_json(
        run / "config.json",
        make_config("digits", "modern", 28, 1, width=8, z_dim=8, batch=16, minutes=30.0).to_json(),
    )
    return run


def ask(run: Path, command: str) -> None:
    write_json(run / "commands" / f"{time.time_ns()}-{command}.json", {"command": command})


def test_a_run_from_the_terminal_to_its_end(tmp_path):
    run = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "gan",
        "train",
        *TINY,
        "--kimg",
        "0.8",
        "--conditional",
        "--out",
        str(run),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{run}: finished"
    assert re.search(r"100%  0\.8 kimg .* images/s", done.stderr)
    status = read_json(run / "status.json")
    assert (status["state"], status["images"], status["step"], status["progress"]) == (
        "finished",
        800,
        50,
        1.0,
    )
    assert status["classes"] == list("0123456789")
    lines, _ = read_lines(run / "stats.jsonl")
    assert [line["step"] for line in lines] == sorted({line["step"] for line in lines})
    assert lines[-1]["step"] == 50
    assert set(lines[0]) == {
        "step",
        "images",
        "seconds",
        "loss_d",
        "loss_g",
        "real",
        "fake",
        "pair",
        "penalty",
        "diversity",
        "contrast",
        "noise",
        "rate",
    }
    grids = sorted(p.name for p in (run / "samples").iterdir())
    assert grids[0] == "00000000.webp"
    assert grids[-1] == "00000050.webp"
    _, spec = load_generator(run / "live.safetensors")
    assert (spec.size, spec.channels, spec.num_classes) == (28, 1, 10)
    assert [p.name for p in (run / "snapshots").iterdir()] != []
    again = forked.run("train", run)
    assert again.returncode == 0
    assert read_json(run / "status.json")["images"] == 800


def pause(run: Path, how: str) -> dict:
    """Train for some steps, and interrupt. Returns the status that this leaves."""
    worker = forked.Command("train", run)
    wait_for(run, lambda s: s["state"] == "running" and s["step"] > 3)
    if how == "pause":
        ask(run, "pause")
    else:
        worker.send_signal(getattr(signal, how))
    assert worker.wait() == 0
    return read_json(run / "status.json")


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT"])
def test_a_signal_leaves_a_paused_run_with_a_checkpoint(how, long_run):
    paused = pause(long_run, how)
    assert paused["state"] == "paused"
    assert saved_step(long_run / "state") == paused["step"]


def test_pause_leaves_a_checkpoint_and_the_run_goes_on_from_it(long_run):
    paused = pause(long_run, "pause")
    assert paused["state"] == "paused"
    assert saved_step(long_run / "state") == paused["step"]
    before = (long_run / "stats.jsonl").read_text()
    worker = forked.Command("train", long_run)
    later = wait_for(long_run, lambda s: s["state"] == "running" and s["step"] > paused["step"] + 3)
    ask(long_run, "stop")
    assert worker.wait() == 0
    assert later["elapsed"] > paused["elapsed"]
    assert read_json(long_run / "status.json")["state"] == "stopped"
    assert (long_run / "stats.jsonl").read_text().startswith(before)


def test_after_a_kill_the_history_after_the_checkpoint_is_made_again(long_run):
    worker = forked.Command("train", long_run)
    wait_for(long_run, lambda s: s["state"] == "running" and s["step"] > 3)
    ask(long_run, "save")
    checkpoint = long_run / "state" / "checkpoint.safetensors"
    wait_for(long_run, lambda s: saved_step(checkpoint.parent) > 0)
    saved = saved_step(checkpoint.parent)
    wait_for(long_run, lambda s: s["step"] > saved + 5)
    worker.kill()
    worker.wait()
    saved = saved_step(checkpoint.parent)  # a periodic checkpoint may have come after "save"
    with open(long_run / "stats.jsonl", "a") as file:
        file.write('{"step": 99')
    RunDir(long_run).rewind(saved)
    lines, _ = read_lines(long_run / "stats.jsonl")
    assert max(line["step"] for line in lines) <= saved
    assert max(int(p.stem) for p in (long_run / "samples").iterdir()) <= saved
    worker = forked.Command("train", long_run)
    wait_for(long_run, lambda s: s["pid"] == worker.pid and s["state"] == "running" and s["step"] > saved + 5)
    worker.terminate()
    assert worker.wait() == 0
    steps = [line["step"] for line in read_lines(long_run / "stats.jsonl")[0]]
    assert steps == sorted(set(steps))


def trained_with(run: Path) -> dict:
    """Return the threads, precision and memory format of this run's last worker."""
    return read_json(run / "status.json")["compute"]


def go_on_until(run: Path, step: int) -> str:
    """Train until this step, and pause. Returns the worker's output."""
    worker = forked.Command("train", run)
    wait_for(run, lambda s: s["pid"] == worker.pid and s["state"] == "running" and s["step"] > step)
    worker.terminate()
    _, said = worker.communicate()
    return said


def test_a_run_uses_what_is_known_of_the_machine_and_stays_with_it(
    long_run, known_machine, tmp_path, monkeypatch
):
    monkeypatch.setenv("GANARIUM_CACHE", str(tmp_path / "cache"))
    machine.save_profile(dataclasses.replace(known_machine, threads=1, channels_last=False))
    go_on_until(long_run, 2)
    assert trained_with(long_run) == {"threads": 1, "precision": "float32", "channels_last": False}
    machine.save_profile(known_machine)
    assert "began" not in go_on_until(long_run, read_json(long_run / "status.json")["step"])
    assert trained_with(long_run) == {"threads": 1, "precision": "float32", "channels_last": False}


def test_a_run_from_a_machine_with_more_threads_goes_on_with_those_there_are(long_run, known_machine):
    go_on_until(long_run, 2)
    checkpoint = long_run / "state" / "checkpoint.safetensors"
    tensors, meta = read_state(checkpoint)
    assert meta["counters"]["compute"] == {"device": known_machine.torch_name, **trained_with(long_run)}
    meta["counters"]["compute"]["threads"] = 999
    text = json.dumps(meta)
    save_file(tensors, checkpoint, metadata={"trainer": text, "sha256": digest(tensors, text)})
    step = read_json(long_run / "status.json")["step"]
    assert "instead of cpu × 999" in go_on_until(long_run, step)
    assert trained_with(long_run)["threads"] == known_machine.threads
    assert read_state(checkpoint)[1]["counters"]["compute"]["threads"] == known_machine.threads


@pytest.mark.parametrize("name", ["status.json", "stats.jsonl"])
@pytest.mark.parametrize("content", ["[1]", '{"step": 1}', '{"step": "a"}', "[" * 100_000, '{"step": 99'])
def test_damaged_status_and_statistics_do_not_end_a_run(name, content, tmp_path):
    run = tmp_path / "run"
    write_json(run / "config.json", _config(kimg=0.3, width=8, z_dim=8))
    (run / name).write_text(content + "\n")
    assert work(run) == "finished"
    assert read_json(run / "status.json")["state"] == "finished"


def test_a_second_worker_on_a_training_run_is_refused_and_harms_nothing(long_run):
    worker = forked.Command("train", long_run)
    wait_for(long_run, lambda s: s["state"] == "running" and s["step"] > 3)
    second = forked.run("train", long_run)
    assert second.returncode == 2
    assert f"process {worker.pid}" in second.stderr
    assert read_json(long_run / "status.json")["state"] == "running"
    ask(long_run, "stop")
    assert worker.wait() == 0


def test_sample_and_save_now(long_run):
    worker = forked.Command("train", long_run)
    wait_for(long_run, lambda s: s["state"] == "running" and s["step"] > 3)
    snapshots = set((long_run / "snapshots").glob("*"))
    ask(long_run, "save")
    ask(long_run, "nonsense")
    (long_run / "commands" / "1-broken.json").write_text("{")
    end = time.monotonic() + 30
    while set((long_run / "snapshots").glob("*")) == snapshots and time.monotonic() < end:
        time.sleep(0.05)
    ask(long_run, "stop")
    assert worker.wait() == 0
    assert set((long_run / "snapshots").glob("*")) != snapshots
    assert list((long_run / "commands").iterdir()) == []


def test_mistakes_are_told_in_one_sentence_with_status_2(tmp_path, capsys):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{")
    (tmp_path / "old").mkdir()
    write_json(tmp_path / "old" / "config.json", {"data": "digits"})
    for arguments, words in [
        ([tmp_path / "nowhere"], "is not a run"),
        ([tmp_path / "broken"], "is not a run"),
        ([tmp_path / "old"], "another version"),
        (["--data", "digits", "--batch", "1", "--out", tmp_path / "x"], "out of range"),
        (["--data", "no-such-set", "--out", tmp_path / "y"], "no-such-set"),
        (["--data", "emoji", "--batch", "1024", "--out", tmp_path / "z"], "larger than the data set"),
        (["--data", "digits", "--out", "/proc/nowhere"], "can't be written"),
    ]:
        assert main([str(argument) for argument in arguments]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert words in said.err
        assert said.err.count("\n") == 1
    assert not any((tmp_path / name).exists() for name in "xyz"), "a refused run leaves nothing behind"
    write_json(tmp_path / "big" / "config.json", {**_config(batch=1024, data=str(_pictures(tmp_path)))})
    done = forked.run("train", tmp_path / "big")
    assert done.returncode == 2
    assert "larger than the data set" in done.stderr
    status = read_json(tmp_path / "big" / "status.json")
    assert (status["state"], status["error"]["key"]) == ("failed", "train.batch_too_large")


def _config(**settings) -> dict:
    from gan.recipes import make_config

    return make_config(settings.pop("data", "digits"), "modern", 28, 1, **settings).to_json()


def _pictures(folder: Path) -> Path:
    from PIL import Image

    (folder / "pictures").mkdir()
    for index in range(4):
        Image.new("RGB", (40, 30), (60 * index, 20, 90)).save(folder / "pictures" / f"{index}.png")
    return folder / "pictures"


def test_a_run_is_not_started_over_another(tmp_path):
    write_json(tmp_path / "run" / "config.json", _config())
    done = forked.run("train", *TINY, "--out", tmp_path / "run")
    assert done.returncode == 2
    assert "already holds a run" in done.stderr


def test_help_explains_every_setting():
    done = forked.run("train", "--help", COLUMNS="200")
    assert done.returncode == 0
    for word in ("--data", "--minutes", "--gamma", "--conditional", "Half", "RUN_DIR"):
        assert word.lower() in done.stdout.lower()


def test_a_spare_worker_takes_one_run_and_ends_at_end_of_input(tmp_path):
    write_json(tmp_path / "run" / "config.json", _config(kimg=0.5, width=8, z_dim=8))
    spare = subprocess.Popen(
        [sys.executable, "-m", "gan", "train", "--spare"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert spare.stdout.readline() == "ready\n"
    spare.communicate(json.dumps({"run_dir": str(tmp_path / "run"), "prepare": False}) + "\n", timeout=180)
    assert spare.returncode == 0
    assert read_json(tmp_path / "run" / "status.json")["state"] == "finished"
    assert "[finished]  100%" in (tmp_path / "run" / "worker.log").read_text().replace("] 1", "]  1")
    with open(tmp_path / "idle.log", "wb") as log:
        idle = forked.spawn_spare((), log)
    idle._pipe.close()
    assert idle._child.wait() == 0
    assert (tmp_path / "idle.log").read_text() == "ready\n"


def test_an_idle_spare_gets_to_know_a_new_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("GANARIUM_CACHE", str(tmp_path / "cache"))
    with open(tmp_path / "spare.log", "wb") as log:
        spare = forked.spawn_spare((), log)
    try:
        wait_until(lambda: list((tmp_path / "cache").glob("machine-*.json")), timeout=900)  # in quiet
    finally:
        spare.dismiss()
    (known,) = (tmp_path / "cache").glob("machine-*.json")
    assert read_json(known)["trials"][0]["seconds"].keys() == {"digits", "landscapes"}


def test_history_is_thinned_densely_early_and_keeps_both_ends():
    steps = list(range(0, 24_000, 100))
    gone = surplus(steps, 60, newest=10)
    kept = sorted(set(steps) - set(gone))
    gaps = [b - a for a, b in itertools.pairwise(kept)]
    assert len(kept) == 60
    assert kept[0] == 0
    assert kept[-10:] == steps[-10:], "a page may just have heard of these"
    assert sum(gaps[:10]) * 3 < sum(gaps[-20:-10])
    assert surplus(steps[:20], 60) == []


def test_a_page_that_is_slow_still_finds_the_newest_grids(tmp_path):
    run = RunDir(tmp_path)
    for step in range(260):
        run.write_sheet(step, b"a sheet")
        left = {int(path.stem) for path in (tmp_path / "samples").iterdir()}
        assert left >= set(range(max(0, step - 9), step + 1))
    assert len(left) < 200


def test_models_saved_by_a_worker_are_told_apart_from_damage(tmp_path):
    (tmp_path / "live.safetensors").write_bytes(b"")
    with pytest.raises(UserError):
        load_generator(tmp_path / "live.safetensors")


def test_a_run_that_failed_before_its_first_step_gives_its_place_to_the_next(tmp_path, capsys):
    from gan.cli.train import main

    empty, out = tmp_path / "empty", tmp_path / "run"
    empty.mkdir()
    write_json(out / "config.json", make_config(str(empty)).to_json())
    assert main([str(out)]) == 2
    assert "is empty" in capsys.readouterr().err
    again = ["--data", "digits", "--kimg", "0.05", "--width", "8", "--z-dim", "8", "--out", str(out)]
    assert main(again) == 0
    assert main(again) == 2
    assert "already holds a run" in capsys.readouterr().err
