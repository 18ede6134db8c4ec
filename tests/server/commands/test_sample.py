"""Test the command that draws a grid, in its own process where the exit status matters."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan.cli import sample
from gan.latent.point import Point
from gan.latent.serving.model_cache import Explorer
from tests import ROOT
from tests.support.inputs.generators import (
    RUN,
    header_of_another_version,
    tiny_spec,
    write_checkpoint,
    write_run,
    write_weights,
)

CLASSES = ["zero", "one", "7"]


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A run with a snapshot, a checkpoint elsewhere, and a shipped model called digits."""
    run = write_run(tmp_path / "runs", RUN, tiny_spec())
    write_weights(run / "snapshots" / "00000500.safetensors", tiny_spec(), seed=9)
    write_checkpoint(tmp_path / "shipped", "digits", tiny_spec(3), classes=CLASSES)
    monkeypatch.setattr("gan.latent.catalogue.CHECKPOINTS", tmp_path / "shipped")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("L")).astype(int)


def cell(sheet: np.ndarray, row: int, column: int) -> np.ndarray:
    return sheet[row * 28 : (row + 1) * 28, column * 28 : (column + 1) * 28]


def close(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and np.abs(a - b).max() <= 1


def run_main(capsys, *arguments: object) -> tuple[int, str, str]:
    status = sample.main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return status, said.out, said.err


def terminal(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "gan", "sample", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )


def test_a_grid_from_the_terminal(places):
    done = terminal(
        places / "runs" / RUN,
        "--seed",
        5,
        "--count",
        6,
        "--columns",
        3,
        "--out",
        places / "deep" / "grid.png",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{places / 'deep' / 'grid.png'}: 6 samples, row by row, of the seeds 5 to 10\n"
    assert Image.open(places / "deep" / "grid.png").mode == "L"
    assert pixels(places / "deep" / "grid.png").shape == (2 * 28, 3 * 28)


def test_help_explains_without_loading_torch():
    done = terminal("--help")
    assert done.returncode == 0
    assert all(
        word in done.stdout for word in ("RUN_OR_CHECKPOINT", "--psi", "truncation", "--snapshot", "seed")
    )
    code = "import sys, gan.cli.sample; gan.cli.sample._parser().format_help(); print('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False\n"
    )


def test_a_mistake_from_the_terminal_is_one_sentence_and_status_2(places):
    done = terminal(places / "nowhere", "--out", places / "grid.png")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "nowhere" in done.stderr
    assert not (places / "grid.png").exists()


def test_cells_are_what_the_page_shows_for_their_seeds(places, capsys):
    assert run_main(capsys, "digits", "--seed", 40, "--count", 70, "--psi", "0.8")[0] == 0
    sheet, model = (
        pixels(places / "grid.png"),
        Explorer(places / "runs", places / "shipped").open("shipped:digits"),
    )
    assert sheet.shape == (8 * 28, 9 * 28)
    (places / "one.png").write_bytes(model.image(Point(40 + 69, 0.8)))
    assert close(cell(sheet, 7, 6), pixels(places / "one.png"))
    assert (cell(sheet, 7, 8) == 255).all()


def test_the_same_command_writes_the_same_bytes(places, capsys):
    for name in ("a.png", "b.png", "a.webp", "b.webp"):
        assert run_main(capsys, "digits", "--count", 4, "--out", name)[0] == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    assert Path("a.webp").read_bytes() == Path("b.webp").read_bytes()
    assert Image.open("a.webp").format == "WEBP"


@pytest.mark.parametrize(("name", "index"), [("one", 1), ("1", 1), ("7", 2)])
def test_a_class_by_name_or_index(places, capsys, name, index):
    assert run_main(capsys, "digits", "--count", 1, "--class", name)[0] == 0
    model = Explorer(places / "runs", places / "shipped").open("shipped:digits")
    Path("one.png").write_bytes(model.image(Point(0, label=index)))
    assert close(pixels(Path("grid.png")), pixels(Path("one.png")))


def test_a_snapshot_differs_from_the_newest_weights(places, capsys):
    assert run_main(capsys, places / "runs" / RUN, "--count", 1, "--out", "new.png")[0] == 0
    assert (
        run_main(capsys, places / "runs" / RUN, "--count", 1, "--out", "old.png", "--snapshot", "500")[0] == 0
    )
    assert not close(pixels(Path("new.png")), pixels(Path("old.png")))


def test_the_directory_of_a_checkpoint_serves_too(places, capsys):
    assert run_main(capsys, "shipped/digits", "--count", 2)[0] == 0
    assert pixels(Path("grid.png")).shape == (28, 56)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["digits", "--count", "0"], "--count"),
        (["digits", "--count", "9999"], "4096"),
        (["digits", "--count", "many"], "many"),
        (["digits", "--seed", "-3"], "-3"),
        (["digits", "--seed", str(2**31)], "2147483647"),
        (["digits", "--psi", "nan"], "nan"),
        (["digits", "--psi", "3"], "2.0"),
        (["digits", "--columns", "0"], "--columns"),
        (["digits", "--class", "two"], "zero, one, 7"),
        (["digits", "--class", "3"], "zero, one, 7"),
        (["digits", "--snapshot", "1"], "snapshot"),
        (["digits", "--out", "grid.gif"], ".webp"),
        (["digits", "--out", "file/grid.png"], "file/grid.png"),
        (["letters"], "digits"),
        (["."], "digits"),
        ([f"runs/{RUN}", "--class", "0"], "without class labels"),
        ([f"runs/{RUN}", "--snapshot", "501"], "500"),
        ([f"runs/{RUN}", "--snapshot", "x"], "--snapshot"),
        (["runs/young"], "was never started"),
    ],
)
def test_mistakes_are_one_sentence_and_status_2(places, capsys, arguments, word):
    (places / "runs" / "young").mkdir()
    (places / "runs" / "young" / "config.json").write_text("{}")
    (places / "file").write_text("")
    status, out, err = run_main(capsys, *arguments)
    assert (status, out) == (2, "")
    assert word in err
    assert err.count("\n") == 1
    assert not list(places.glob("grid*"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"no"),
        lambda path: path.write_bytes(path.read_bytes()[:-500]),
        header_of_another_version,
    ],
)
def test_damaged_weights_are_told_in_a_sentence(places, capsys, damage):
    damage(places / "shipped" / "digits" / "generator.safetensors")
    status, _, err = run_main(capsys, "digits")
    assert status == 2
    assert err.count("\n") == 1
