"""Test runs on points, the second kind beside images, from the terminal and in the store."""

import signal
import time
from pathlib import Path

import pytest
import torch

from gan.cli.train import main
from gan.errors import UserError
from gan.export.checkpoint import read_images_config
from gan.files import read_json, read_lines, write_json
from gan.kinds import get_kind
from gan.kinds.points.recipes import make_config
from gan.latent.catalogue import find
from gan.runs.store import Store
from gan.train.checkpoint import NEWEST, read_state, saved_step, tensors_of
from gan.worker.worker import work
from tests.fakes.runs import tiny
from tests.support.processes import forked

STEPS = 400
RING8 = ("--kind", "points", "--data", "ring8", "--recipe", "collapse", "--steps", 30)
SCORES = {"modes", "high_quality", "kl"}


def begin(run: Path, **settings) -> Path:
    """Write the config of a run on points, and return its directory."""
    write_json(run / "config.json", make_config(**{"steps": 20, "batch": 32, **settings}).to_json())
    return run


def rows(count: int = 40, shift: float = 0.0) -> str:
    return "".join(f"{i % 7 + shift},{i % 5}\n" for i in range(count))


def test_a_run_from_the_terminal_to_its_end(tmp_path):
    run = tmp_path / "run"
    done = forked.run("train", *RING8, "--out", run)
    assert (done.returncode, done.stdout.strip()) == (0, f"{run}: finished"), done.stderr
    assert "points/s" in done.stderr
    assert "images" not in done.stderr
    config, status = read_json(run / "config.json"), read_json(run / "status.json")
    assert (config["kind"], config["data"], config["recipe"]) == ("points", "ring8", "collapse")
    assert (status["state"], status["step"], status["images"]) == ("finished", 30, 30 * 256)
    assert status["parameters"] == {"G": 17_154, "D": 16_641}
    lines, _ = read_lines(run / "stats.jsonl")
    assert set(lines[-1]) >= SCORES | {"pair", "loss_d", "rate"}
    assert 0 <= lines[-1]["modes"] <= 8
    sheets = sorted((run / "samples").iterdir())
    assert [sheets[0].name, sheets[-1].name] == ["00000000.webp", "00000030.webp"]
    assert all(sheet.read_bytes()[8:12] == b"WEBP" for sheet in sheets)
    assert len(list((run / "snapshots").iterdir())) >= 1
    assert (run / "live.safetensors").exists()


def test_a_run_that_was_killed_ends_with_the_bits_of_one_that_was_not(tmp_path):
    run = begin(tmp_path / "run", steps=STEPS, batch=256)
    write_json(run / "commands" / "1-save.json", {"command": "save"})
    worker = forked.Command("train", run)
    end = time.monotonic() + 120
    while saved_step(run / "state") == 0 and time.monotonic() < end:
        time.sleep(0.02)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert 0 < saved_step(run / "state") < STEPS
    assert read_json(run / "status.json")["state"] == "running"
    assert forked.run("train", run).returncode == 0
    config, engine = make_config(steps=STEPS, batch=256), get_kind("points").load_engine()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # as workers do; Adam's second moments get that small
    whole = engine.build(config, engine.load(config), engine.choose_device(None, None))
    whole.advance(STEPS)
    tensors, meta = read_state(run / "state" / NEWEST)
    expected = tensors_of(whole)
    assert (meta["step"], meta["parts"]) == (STEPS, 1)
    assert tensors.keys() == expected.keys()
    assert all(torch.equal(tensors[name], expected[name]) for name in expected)
    assert (run / "live.safetensors").read_bytes() == whole.published()
    assert (run / "samples" / f"{STEPS:08d}.webp").read_bytes() == whole.sample_sheet().data
    steps = [line["step"] for line in read_lines(run / "stats.jsonl")[0]]
    assert steps == sorted(set(steps))


def test_a_full_memory_is_told_because_a_batch_of_points_is_never_split(tmp_path, monkeypatch):
    from gan.kinds.points.trainer import PointsTrainer

    def full(self):
        raise torch.OutOfMemoryError("out of memory")

    run = begin(tmp_path / "run")
    monkeypatch.setattr(PointsTrainer, "_next_step", full)
    with pytest.raises(UserError) as caught:
        work(run)
    assert caught.value.key == "train.out_of_memory"


def test_a_run_that_diverges_goes_back_and_on_with_half_the_learning_rate(tmp_path, monkeypatch):
    from gan.kinds.points.trainer import PointsTrainer

    run, step, left = begin(tmp_path / "run"), PointsTrainer._next_step, [1]

    def broken(self):
        if self.step == 10 and left[0]:
            left[0] = 0
            torch.nn.init.constant_(next(self.G.parameters()), float("nan"))
        return step(self)

    monkeypatch.setattr(PointsTrainer, "_next_step", broken)
    assert work(run) == "finished"
    assert [line["key"] for line in read_lines(run / "events.jsonl")[0]] == ["rolled_back"]
    assert read_state(run / "state" / NEWEST)[1]["lr_factor"] == 0.5


def test_points_of_a_file_are_recognised_when_a_run_resumes(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text(rows())
    run = tmp_path / "run"
    arguments = ["--kind", "points", "--data", str(file), "--steps", "5", "--batch", "8", "--out", str(run)]
    assert main(arguments) == 0
    assert read_json(run / "config.json")["data"] == str(file)
    assert read_lines(run / "stats.jsonl")[0][-1]["modes"] is None, "a file has no modes"
    file.write_text(rows(shift=0.5))
    assert main([str(run)]) == 2
    assert read_json(run / "status.json")["state"] == "finished", "its files stay as they are"
    file.write_text(rows())
    moved = tmp_path / "moved.csv"
    file.rename(moved)
    assert main([str(run)]) == 2
    assert main([str(run), "--data", str(moved)]) == 0
    assert read_json(run / "config.json")["data"] == str(moved)
    assert main([str(run), "--anew"]) == 0


@pytest.mark.parametrize(("count", "batch"), [(25, 25), (255, 255), (256, 256), (300, 256)])
def test_a_batch_fits_the_points_of_a_file(count, batch, tmp_path, capsys):
    (tmp_path / "mine.csv").write_text(rows(count))
    run = tmp_path / "run"
    assert (
        main(["--kind", "points", "--data", str(tmp_path / "mine.csv"), "--steps", "3", "--out", str(run)])
        == 0
    )
    assert read_json(run / "config.json")["batch"] == batch
    assert read_json(run / "status.json")["images"] == 3 * batch
    said = f"There are only {count} points, so each step uses all of them: --batch {count}\n"
    assert (said in capsys.readouterr().err) == (count < 256)


def test_mistakes_are_told_in_one_sentence_with_status_2(tmp_path, capsys):
    (tmp_path / "few.csv").write_text(rows(25))
    (tmp_path / "words.csv").write_text("1,2\n" * 30 + "a,b\n")
    for arguments, words in [
        (["--data", "no-such-set"], "no set of points called"),
        (["--data", "digits"], "no set of points called"),
        (["--data", tmp_path / "words.csv"], "Line 31 of “words.csv”"),
        (["--data", tmp_path / "few.csv", "--batch", "26"], "holds 25"),
        (["--data", "moons", "--depth", "9"], "out of range"),
        (["--data", "moons", "--penalty", "wgan_gp"], "Wasserstein loss"),
    ]:
        out = tmp_path / "out"
        assert main([str(one) for one in ("--kind", "points", *arguments, "--out", out)]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert words in said.err
        assert said.err.count("\n") == 1
        assert not out.exists()
    run = begin(tmp_path / "run")
    assert main([str(run), "--kind", "points"]) == 2
    assert "keeps the settings" in capsys.readouterr().err


def test_help_shows_the_settings_of_the_kind(capsys):
    shown = {}
    for kind in ("images", "points"):
        with pytest.raises(SystemExit) as caught:
            main(["--kind", kind, "--help"])
        assert caught.value.code == 0
        shown[kind] = capsys.readouterr().out
    assert "--depth" in shown["points"]
    assert "collapse" in shown["points"]
    assert "--flip" not in shown["points"]
    assert "--flip" in shown["images"]
    assert "--depth" not in shown["images"]


@pytest.mark.parametrize("change", [{"kind": "text"}, {"kind": None}, None])
def test_a_run_of_an_unknown_kind_is_left_untouched(change, tmp_path, capsys):
    store = Store(tmp_path)
    run = store.path(store.create(make_config(steps=20)))
    config = read_json(run / "config.json")
    changed = {**config, **change} if change else {name: config[name] for name in config if name != "kind"}
    write_json(run / "config.json", changed)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert main([str(run)]) == 2
    said = capsys.readouterr().err
    assert "another version" in said
    assert said.count("\n") == 1
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    summary = store.list()[0]
    assert (summary["state"], summary["error"]["key"]) == ("damaged", "config.other_version")


def test_the_store_lists_runs_of_both_kinds_and_deletes_them(tmp_path):
    store = Store(tmp_path)
    images, points = store.create(tiny()), store.create(make_config("grid25", "collapse", steps=1000))
    assert points.endswith("-grid25-collapse")
    listed = {run["id"]: run for run in store.list()}
    assert (listed[images]["kind"], listed[points]["kind"]) == ("images", "points")
    assert [listed[points][name] for name in ("data", "size", "channels", "kimg")] == [
        "grid25",
        None,
        None,
        256.0,
    ]
    assert store.config(points) == make_config("grid25", "collapse", steps=1000)
    assert store.get(points)["config"]["kind"] == "points"
    store.hide(points)
    store.sweep()
    assert [run["id"] for run in store.list()] == [images]


def test_other_commands_refuse_a_run_on_points_in_a_sentence(tmp_path):
    run = begin(tmp_path / "run")
    for read in (lambda: find(str(run)), lambda: read_images_config(run)):
        with pytest.raises(UserError) as caught:
            read()
        assert caught.value.key == "latent.other_kind"
