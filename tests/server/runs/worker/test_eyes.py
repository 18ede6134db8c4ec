"""Test the file in which a worker tells what D makes of images and samples."""

import json

import pytest

from gan.files import read_json, write_json
from gan.runs.eyes import parse
from gan.worker import watch
from gan.worker.run_dir import EYES, RunDir
from gan.worker.worker import work
from tests.fakes.runs import past, tiny

TOLD = {"low": 0.0, "high": 1.0, "trained": [1], "held_out": [1], "fakes": [1], "tiles": [5] * 64}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A new run of 160 images, whose signals are measured from the first image on."""
    monkeypatch.setattr(watch, "LEAST_IMAGES", 1)
    write_json(tmp_path / "config.json", tiny().to_json())
    return tmp_path


def test_a_run_that_ends_has_judged_its_last_sheet(run):
    assert work(run) == "finished"
    found = parse((run / EYES).read_bytes())
    assert (found["step"], found["images"], found["sheet"]) == (20, 160, 20)
    assert (run / "samples" / "00000020.webp").exists()
    assert sum(found["fakes"]) == 256


def test_a_short_run_that_measured_nothing_has_no_eyes(run, monkeypatch):
    monkeypatch.setattr(watch, "LEAST_IMAGES", 10**6)
    work(run)
    assert not (run / EYES).exists()


def test_the_sheet_whose_tiles_were_judged_is_not_thinned(tmp_path):
    run = RunDir(tmp_path)
    for step in range(600):
        run.write_sheet(step, b"a sheet")
        if step == 100:
            run.write_eyes(step, 8 * step, TOLD)
    left = {int(path.stem) for path in (tmp_path / "samples").iterdir()}
    assert 100 in left
    assert len(left) < 250
    assert 98 not in left, "others of that time were thinned"


@pytest.mark.parametrize(("seen", "to", "stays"), [(40, 40, True), (40, 39, False), ("40", 50, False)])
def test_a_run_that_goes_back_forgets_what_d_saw_later(tmp_path, seen, to, stays):
    run = RunDir(tmp_path)
    run.write_sheet(30, b"a sheet")
    run.write_eyes(seen, 320, TOLD)
    assert read_json(tmp_path / EYES)["sheet"] == 30
    (tmp_path / ".eyes.json.a.tmp").write_bytes(b"half")
    run.rewind(to)
    assert (tmp_path / EYES).exists() == stays
    assert not list(tmp_path.glob(".eyes*"))


def test_a_run_that_begins_anew_forgets_what_d_saw(store):
    told = json.dumps({"step": 3, "images": 24, "sheet": 0, **TOLD})
    run_id = past(store, tiny(), lambda folder: (folder / EYES).write_text(told), state="stopped")
    assert store.eyes(run_id)["images"] == 24
    store.begin_anew(run_id)
    assert store.eyes(run_id) is None
