"""Test faults that must not end a run: diverged numbers, full memory, a full disk, a damaged checkpoint."""

import contextlib
import errno
import json
import os
import shutil
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from gan import data
from gan.cli.train import main
from gan.errors import UserError
from gan.files import read_json, read_lines, write_json
from gan.images import encode_png
from gan.recipes import make_config
from gan.train.checkpoint import DAMAGED, NEWEST, PREVIOUS, digest, load_state, read_state, save_state
from gan.train.trainer import Trainer
from gan.worker import run_dir, worker
from tests.support.engine import tiny_trainer

BATCH, STEPS = 16, 30


def write_run(path: Path) -> Path:
    """Write the config of a run of STEPS steps, and return its directory."""
    small = {"width": 8, "z_dim": 8, "batch": BATCH, "kimg": STEPS * BATCH / 1000, "clusters": 1}
    write_json(path / "config.json", make_config("digits", "modern", 28, 1, **small).to_json())
    return path


@pytest.fixture
def run(tmp_path):
    """The directory of a short run."""
    return write_run(tmp_path / "run")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The directory of such a run at its end, which tests copy."""
    path = write_run(tmp_path_factory.mktemp("trained") / "run")
    assert work(path)["state"] == "finished"
    return path


@pytest.fixture
def finished(trained, tmp_path):
    """A copy of the finished run, for a test to change."""
    return shutil.copytree(trained, tmp_path / "finished")


def work(run) -> dict:
    """Train the run in this process as far as it goes, and return its last status."""
    with contextlib.suppress(UserError):
        worker.work(run)
    return read_json(run / "status.json")


def events(run) -> list[tuple[str, dict]]:
    return [(line["key"], line["values"]) for line in read_lines(run / "events.jsonl")[0]]


def break_step(monkeypatch, breaks, times: int = 1) -> None:
    """Call `breaks(trainer)` before each of the first `times` steps after the 10th."""
    step, left = Trainer._next_step, [times]

    def broken(self):
        if self.step >= 10 and left[0]:
            left[0] -= 1
            breaks(self)
        return step(self)

    monkeypatch.setattr(Trainer, "_next_step", broken)


def poison(trainer) -> None:
    with torch.no_grad():
        next(trainer.G.parameters()).fill_(float("nan"))


def poison_statistics(trainer) -> None:
    next(buffer for name, buffer in trainer.G.named_buffers() if name.endswith("running_var"))[0] = float(
        "nan"
    )


def poison_moments(trainer) -> None:
    # D would never learn again, although its weights are fine
    trainer.opt_d.state[0]["exp_avg_sq"].fill_(float("inf"))


def poison_average(trainer) -> None:
    with torch.no_grad():
        next(trainer.ema.parameters()).fill_(float("inf"))


@pytest.mark.parametrize("poison", [poison, poison_statistics, poison_moments, poison_average])
def test_exploding_numbers_go_back_and_on_with_half_the_learning_rate(poison, run, monkeypatch):
    break_step(monkeypatch, poison)
    status = work(run)
    assert (status["state"], status["step"], status["error"]) == ("finished", STEPS, None)
    [(key, values)] = events(run)
    assert (key, values["percent"]) == ("rolled_back", "50")
    assert values["step"] <= 10 <= values["at"]
    tensors, meta = read_state(run / "state" / NEWEST)
    assert (meta["lr_factor"], meta["counters"]["rollbacks"]) == (0.5, 1)
    assert all(tensor.isfinite().all() for tensor in tensors.values())
    steps = [line["step"] for line in read_lines(run / "stats.jsonl")[0]]
    assert steps == sorted(set(steps))


def test_a_run_shows_signs_of_life_while_its_pictures_are_decoded(run, monkeypatch):
    monkeypatch.setattr(run_dir, "BEAT", 0.05)
    load, beats = data.load, set()

    def slow(*arguments):
        end = time.monotonic() + 20
        while len(beats) < 4 and time.monotonic() < end:
            beats.add(read_json(run / "status.json")["heartbeat"])
        return load(*arguments)

    monkeypatch.setattr(data, "load", slow)
    assert work(run)["state"] == "finished"
    assert len(beats) == 4


def test_after_three_rollbacks_the_run_is_given_up_with_its_last_healthy_checkpoint(run, monkeypatch):
    break_step(monkeypatch, poison, times=100)
    status = work(run)
    assert (status["state"], status["error"]["key"], status["error"]["values"]["times"]) == (
        "failed",
        "train.diverged",
        "4",
    )
    assert [(key, values["percent"]) for key, values in events(run)] == [
        ("rolled_back", "50"),
        ("rolled_back", "25"),
        ("rolled_back", "12.5"),
    ]
    tensors, meta = read_state(run / "state" / NEWEST)
    assert (meta["lr_factor"], meta["counters"]["rollbacks"]) == (0.125, 3)
    assert all(tensor.isfinite().all() for tensor in tensors.values())


def test_a_checkpoint_from_which_numbers_explode_again_gives_way_to_the_one_before(run, monkeypatch):
    """The newest checkpoint was healthy by its numbers, but its training was already diverging."""
    write = worker.Worker._write_state

    def write_at_5_and_10(self, replace=False):
        if replace or self.trainer.step in (5, 10, STEPS):
            write(self, replace)

    monkeypatch.setattr(worker.Worker, "_write_state", write_at_5_and_10)
    monkeypatch.setattr(worker, "STATE_SECONDS", 0.0)
    monkeypatch.setattr(worker, "STATE_SHARE", 1.0)
    monkeypatch.setattr(worker, "CHUNK_SECONDS", 1e-6)  # one step at a time
    break_step(monkeypatch, poison, times=2)
    assert work(run)["state"] == "finished"
    assert [(key, values["step"], values["percent"]) for key, values in events(run)] == [
        ("rolled_back", 10, "50"),
        ("rolled_back", 5, "25"),
    ]


def test_a_run_whose_only_checkpoint_is_damaged_says_so_at_every_start_and_loses_nothing(finished, capsys):
    """The run may start again from nothing only where a person asks for it."""
    run = finished
    (run / "state" / PREVIOUS).unlink(missing_ok=True)
    content = bytearray((run / "state" / NEWEST).read_bytes())
    content[-5] ^= 1
    (run / "state" / NEWEST).write_bytes(content)
    kept = {
        path: path.read_bytes()
        for name in ("samples/*", "snapshots/*", "stats.jsonl")
        for path in run.glob(name)
    }
    assert len(kept) >= 3
    for _ in range(3):
        status = work(run)
        assert (status["state"], status["error"]["key"], status["step"]) == (
            "failed",
            "train.no_sound_checkpoint",
            STEPS,
        )
        assert {path: path.read_bytes() for path in kept if path.exists()} == kept
    shutil.rmtree(run / "state")
    status = work(run)
    assert (status["state"], status["error"]["key"]) == ("failed", "train.no_sound_checkpoint"), (
        "no less is lost where both are missing"
    )
    assert {path: path.read_bytes() for path in kept} == kept
    assert main([str(run)]) == 2
    assert f"python -m gan train {run} --anew" in capsys.readouterr().err
    assert main([str(run), "--anew"]) == 0
    assert (read_json(run / "status.json")["state"], (run / "state" / NEWEST).exists()) == ("finished", True)


@pytest.mark.parametrize("left", ["stats.jsonl", "samples", "snapshots"])
def test_whatever_is_left_of_what_was_learnt_keeps_a_run_from_beginning_anew_unasked(left, finished):
    for path in finished.iterdir():
        if path.name not in (left, "config.json"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert work(finished)["error"]["key"] == "train.no_sound_checkpoint"


def test_a_run_that_ended_before_its_first_step_begins_by_itself(run, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(worker, "save_state", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            worker.work(run)
    assert (run / "samples" / "00000000.webp").exists()
    assert work(run)["state"] == "finished"


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_a_full_memory_halves_what_is_worked_on_at_a_time(error, run, monkeypatch):
    def fill(trainer):
        if trainer.parts < 4:
            raise error

    break_step(monkeypatch, fill, times=100)
    status = work(run)
    assert (status["state"], status["step"]) == ("finished", STEPS)
    assert [(key, values["parts"]) for key, values in events(run)] == [("in_parts", 2), ("in_parts", 4)]
    assert read_state(run / "state" / NEWEST)[1]["parts"] == 4


def test_a_memory_too_small_for_a_single_picture_is_told(run, monkeypatch):
    def fill(trainer):
        raise torch.OutOfMemoryError("CUDA out of memory")

    break_step(monkeypatch, fill, times=100)
    status = work(run)
    assert (status["state"], status["error"]["key"]) == ("failed", "train.out_of_memory")
    assert events(run)[-1][1]["parts"] == 16


def test_another_defect_is_no_full_memory(run, monkeypatch):
    break_step(monkeypatch, lambda trainer: torch.zeros(2) @ torch.zeros(3))
    with pytest.raises(RuntimeError):
        worker.work(run)
    assert read_json(run / "status.json")["state"] == "failed"
    assert events(run) == []


@pytest.mark.parametrize("recipe", ["modern", "wasserstein", "hinge"])
def test_a_batch_in_parts_gives_the_gradients_of_the_whole(recipe):
    """The tolerance rtol = 2e-4 covers float32 sums in another order, and R1's second derivatives.

    G's batch norm sees one micro-batch at a time. The test leaves it out by giving it whole fakes.
    """
    whole, parts = tiny_trainer(recipe), tiny_trainer(recipe)
    parts.parts = 4
    fake = torch.rand(8, 1, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1
    gradients = []
    for trainer in (whole, parts):
        trainer._seed()
        trainer.running.begin(trainer.parts)
        trainer._set_schedule()
        trainer._place_batch(0, 0)
        batch = trainer._micro_batches(*trainer._batch(0))
        assert sum(part.share for part in batch) == 1
        assert len(batch) == trainer.parts
        trainer.opt_d.step = trainer.opt_g.step = lambda: None
        loss, *_ = trainer._update_d(
            batch, list(fake.clone().tensor_split(trainer.parts)), "r1r2" if recipe == "modern" else "none"
        )
        gradients.append([loss, *(p.grad.clone() for p in trainer.D.parameters())])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("recipe", ["modern", "dcgan", "wasserstein"])
def test_training_in_parts_moves_both_networks_and_resumes_exactly(recipe, tmp_path):
    whole, first, second = (tiny_trainer(recipe, conditional=True) for _ in range(3))
    whole.parts = first.parts = 2
    whole.advance(5)
    first.advance(2)
    save_state(tmp_path, first, {})
    load_state(tmp_path, second)
    assert second.parts == 2
    second.advance(3)
    for one, other in zip(whole.G.state_dict().values(), second.G.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(
        next(whole.G.parameters()), next(tiny_trainer(recipe, conditional=True).G.parameters())
    )


def test_a_full_disk_pauses_the_run_and_it_goes_on_when_there_is_room(run, monkeypatch):
    write, full = run_dir.RunDir.write_sheet, [True]

    def refuse(self, step, sheet):
        if full[0] and step > 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, step, sheet)

    monkeypatch.setattr(run_dir.RunDir, "write_sheet", refuse)
    monkeypatch.setattr(worker, "GRID_SECONDS", 0.0)
    status = work(run)
    assert (status["state"], status["error"]["key"]) == ("paused", "train.disk_full")
    assert not (run / ".reserve").exists()
    [(key, values)] = events(run)
    assert (key, values["step"]) == ("disk_full", read_state(run / "state" / NEWEST)[1]["step"])
    full[0] = False
    status = work(run)
    assert (status["state"], status["step"], status["error"]) == ("finished", STEPS, None)
    assert (run / ".reserve").stat().st_size == run_dir.RESERVE_BYTES


def flip_a_bit(path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 16
    path.write_bytes(data)


def cut_short(path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


DAMAGE = [
    (flip_a_bit, "changed"),
    (cut_short, "changed"),
    (lambda path: path.unlink(), "missing"),
    (lambda path: path.write_bytes(b""), "changed"),
]


@pytest.mark.parametrize(("damage", "told"), DAMAGE)
def test_a_damaged_checkpoint_is_told_and_the_one_before_serves(damage, told, run, monkeypatch):
    monkeypatch.setattr(worker, "STATE_SECONDS", 0.0)
    monkeypatch.setattr(worker, "STATE_SHARE", 1.0)
    break_step(monkeypatch, lambda trainer: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        worker.work(run)
    before = read_state(run / "state" / PREVIOUS)[1]["step"]
    damage(run / "state" / NEWEST)
    assert work(run)["state"] == "finished"
    [(key, values)] = events(run)
    assert (key, values["step"]) == (f"checkpoint_{told}", before)
    assert (run / "state" / DAMAGED).exists() == (told == "changed"), "a person may still look into it"


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "Input/output error"), MemoryError(), torch.OutOfMemoryError()]
)
def test_a_checkpoint_that_can_not_be_read_just_now_is_not_given_up(error, tmp_path, monkeypatch):
    trainer = tiny_trainer()
    for steps in (1, 1):
        trainer.advance(steps)
        save_state(tmp_path, trainer, {})
    with monkeypatch.context() as patched:
        patched.setattr("gan.train.checkpoint.read_state", lambda path: (_ for _ in ()).throw(error))
        with pytest.raises(type(error)):
            load_state(tmp_path, trainer)
    assert load_state(tmp_path, trainer).damage is None
    assert trainer.step == 2


def test_a_file_that_can_not_be_written_is_told_in_a_sentence(run, monkeypatch):
    (run / "samples").write_bytes(b"where the grids should go")
    status = work(run)
    assert (status["state"], status["error"]["key"], status["error"]["values"]["file"]) == (
        "failed",
        "train.no_file",
        "samples",
    )


def test_there_is_no_moment_without_a_whole_checkpoint(tmp_path, monkeypatch):
    """A save that SIGKILL ends at any rename leaves the newest checkpoint there and intact."""
    trainer = tiny_trainer()
    trainer.advance(1)
    save_state(tmp_path, trainer, {})
    real, seen = os.replace, []

    def replace(source, target):
        seen.append((read_state(tmp_path / NEWEST)[1]["step"], Path(target).name))
        real(source, target)
        seen.append((read_state(tmp_path / NEWEST)[1]["step"], Path(target).name))

    trainer.advance(1)
    monkeypatch.setattr(os, "replace", replace)
    save_state(tmp_path, trainer, {})
    assert seen == [(1, PREVIOUS), (1, PREVIOUS), (1, NEWEST), (2, NEWEST)]


def test_pictures_that_could_not_be_used_are_told_once(tmp_path):
    torch.manual_seed(0)
    folder = tmp_path / "cats"
    folder.mkdir()
    for index in range(20):
        (folder / f"{index}.png").write_bytes(
            encode_png(torch.randint(0, 256, (3, 32, 32), dtype=torch.uint8))
        )
    (folder / "broken.png").write_bytes(b"no picture")
    write_json(
        tmp_path / "run" / "config.json",
        make_config(str(folder), "modern", 32, 3, width=8, z_dim=8, batch=4, kimg=0.04).to_json(),
    )
    assert work(tmp_path / "run")["state"] == "finished"
    ((key, values),) = events(tmp_path / "run")
    assert (key, values["skipped"], values["total"], values["left_out"][0]["names"]) == (
        "skipped",
        1,
        21,
        ["broken.png"],
    )
    work(tmp_path / "run")
    assert len(events(tmp_path / "run")) == 1


def test_a_damaged_checkpoint_never_replaces_the_one_before(tmp_path):
    trainer = tiny_trainer()
    for steps in (1, 1):
        trainer.advance(steps)
        save_state(tmp_path, trainer, {})
    flip_a_bit(tmp_path / NEWEST)
    load_state(tmp_path, trainer)
    save_state(tmp_path, trainer, {})
    assert [read_state(tmp_path / name)[1]["step"] for name in (NEWEST, PREVIOUS)] == [1, 1]


def test_every_bit_of_a_checkpoint_counts(tmp_path):
    save_state(tmp_path, tiny_trainer(), {"elapsed": 1.25})
    whole, passed = (tmp_path / NEWEST).read_bytes(), []
    for place in torch.randint(len(whole), (200,), generator=torch.Generator().manual_seed(0)).tolist():
        data = bytearray(whole)
        data[place] ^= 1 << place % 8
        (tmp_path / NEWEST).write_bytes(data)
        with contextlib.suppress(Exception):  # safetensors, json or torch may raise anything
            read_state(tmp_path / NEWEST)
            passed.append(place)
    assert passed == [], f"of {len(whole)} bytes"


def test_what_a_crash_left_half_written_goes_and_what_the_server_is_writing_stays(run):
    mine = [
        run / "state" / f".{NEWEST}.a.tmp",
        run / "samples" / ".00000001.webp.b.tmp",
        run / ".status.json.c.tmp",
        run / ".live.safetensors.d.tmp",
    ]
    others = [run / "commands" / ".1-pause.json.e.tmp", run / ".name.txt.f.tmp"]
    for path in (*mine, *others):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    run_dir.RunDir(run).rewind(-1)
    assert [path.exists() for path in mine] == [False] * 4
    assert [path.exists() for path in others] == [True] * 2


def test_a_header_that_holds_nonsense_does_not_end_a_run(finished):
    run = finished
    tensors, meta = read_state(run / "state" / NEWEST)
    text = json.dumps({**meta, "counters": {**meta["counters"], "compute": "an abacus"}})
    (run / "state" / NEWEST).write_bytes(save(tensors, {"trainer": text, "sha256": digest(tensors, text)}))
    assert work(run)["state"] == "finished"
    assert events(run)[-1][1]["began"] == "an abacus"


def test_statistics_are_a_function_of_the_step_however_it_is_chunked(tmp_path):
    whole, parts, resumed = tiny_trainer(), tiny_trainer(), tiny_trainer()
    expected = whole.advance(9)
    for steps in (1, 4, 2):
        parts.advance(steps)
    save_state(tmp_path, parts, {})
    load_state(tmp_path, resumed)
    assert resumed.advance(2) == parts.advance(2) == expected
    assert json.dumps(expected)
