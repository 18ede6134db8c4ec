"""Test a run's statistics as CSV and JSON Lines: their columns, their numbers, and what they leave out."""

import json
import os
import subprocess
import sys

import pytest

from gan.cli.export import main
from gan.errors import UserError
from gan.export.report import statistics
from gan.files import append_line, write_bytes, write_json
from tests import ROOT
from tests.fakes.runs import tiny

LINES = [
    {"images": 8, "step": 1, "seconds": 0.5, "loss_d": 0.25, "diversity": None, "rate": 16},
    {"images": 16, "step": 2, "seconds": 1.0, "loss_d": -1e-7, "modes": 3, "rate": 16.5},
]
TABLE = "step,images,seconds,loss_d,diversity,rate,modes\n1,8,0.5,0.25,,16,\n2,16,1.0,-1e-07,,16.5,3\n"


@pytest.fixture
def run(tmp_path):
    """A run with two lines of statistics."""
    path = tmp_path / "my-run"
    write_json(path / "config.json", tiny().to_json())
    for line in LINES:
        append_line(path / "stats.jsonl", line)
    return path


def written(run, form):
    return b"".join(statistics.write(run, form)).decode()


def test_csv_has_the_counters_first_and_then_every_column(run):
    assert written(run, "csv") == TABLE


def test_json_lines_hold_the_lines_as_they_are(run):
    assert [json.loads(line) for line in written(run, "jsonl").splitlines()] == LINES
    assert written(run, "jsonl") == (run / "stats.jsonl").read_text()


@pytest.mark.parametrize("form", statistics.FORMS)
def test_paths_formulas_and_damaged_lines_are_left_out(form, run):
    odd = {"step": 3, "images": 24, "note": "/home/secret/cats", "=cmd|' /C calc'!A0": 1, "/home/secret": 1}
    append_line(run / "stats.jsonl", odd)
    append_line(run / "stats.jsonl", {"images": 7})
    with open(run / "stats.jsonl", "ab") as file:
        file.write(b'[1]\nno json\n{"step":4,"loss_d":NaN}\n{"step":5}')  # the last line is half-written
    text = written(run, form)
    assert "secret" not in text
    assert "=" not in text
    last = text.splitlines()[-1]
    assert last == ("3,24,,,,," if form == "csv" else '{"step":3,"images":24}')
    assert len(text.splitlines()) == (4 if form == "csv" else 3)


def test_a_long_run_comes_in_pieces_and_many_columns_are_cut(run):
    with open(run / "stats.jsonl", "ab") as file:
        for step in range(3, 4000):
            file.write(json.dumps({"step": step, "images": 8 * step, f"odd{step}": 1}).encode() + b"\n")
    pieces = list(statistics.write(run, "csv"))
    assert max(map(len, pieces)) < 2 * statistics.PIECE
    assert len(pieces) > 3
    table = b"".join(pieces).decode().splitlines()
    assert len(table) == 4000
    assert {line.count(",") for line in table} == {statistics.COLUMNS - 1}


def test_a_run_without_statistics_is_refused_in_a_sentence(run):
    for content in (b"", b"no json\n"):
        write_bytes(run / "stats.jsonl", content)
        with pytest.raises(UserError, match="“my-run” has no statistics yet"):
            statistics.write(run, "csv")
    (run / "stats.jsonl").unlink()
    with pytest.raises(UserError, match="no statistics"):
        statistics.write(run, "jsonl")


def test_the_command_writes_a_file_or_says_why_not(run, tmp_path, capsys):
    assert main(["csv", str(run), str(tmp_path / "curves.csv")]) == 0
    assert (tmp_path / "curves.csv").read_text() == TABLE
    assert main(["jsonl", str(run), str(tmp_path / "curves.jsonl")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path}/curves.{end}: 0.0 MB" for end in ("csv", "jsonl")
    ]
    assert main(["csv", str(run), str(tmp_path / "none" / "curves.csv")]) == 2
    assert main(["csv", str(tmp_path), str(tmp_path / "x.csv")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0].endswith("can't be written (No such file or directory). Choose another place.")
    assert len(said) == 2
    assert not (tmp_path / "x.csv").exists()


IMPORT = """
import sys
import trackio
from trackio.sqlite_storage import SQLiteStorage
trackio.import_csv(sys.argv[1], "lessons", "my-run")
print([[one["step"], one["lossd"], one.get("modes")] for one in SQLiteStorage.get_logs("lessons", "my-run")])
"""


def test_trackio_imports_the_csv(run, tmp_path):
    pytest.importorskip("trackio", reason="install the extra test")
    table = tmp_path / "curves.csv"
    write_bytes(table, written(run, "csv").encode())
    home = {name: str(tmp_path / name) for name in ("TRACKIO_DIR", "HF_HOME")}
    rest = {name: text for name, text in os.environ.items() if not name.startswith(("TRACKIO_", "HF_"))}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, str(table)],
        cwd=ROOT, capture_output=True, text=True, env={**rest, **home, "HF_HUB_OFFLINE": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # trackio drops the line between the words of a name
    assert "[[1, 0.25, None], [2, -1e-07, 3.0]]" in done.stdout.splitlines()
