"""Test the recipe that draws nothing useful in the minutes of a CPU.

The page does not offer it there. The terminal says so, and starts it.
"""

import dataclasses

import pytest

from gan.cli.train import new_run
from gan.files import read_json
from gan.recipes import GPU_RECIPES
from gan.train.autotune import machine
from gan.ui.train.routes import options


@pytest.mark.parametrize(("measured", "there"), [("cpu", False), ("cuda", True)])
def test_a_machine_has_the_gpu_that_was_measured(measured, there, known_machine, monkeypatch):
    monkeypatch.setattr(
        machine, "load_profile", lambda: dataclasses.replace(known_machine, torch_name=measured)
    )
    assert machine.has_gpu() is there


def test_before_anything_was_measured_the_system_tells(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "load_profile", lambda: None)
    monkeypatch.setattr(machine, "_GPUS", (str(tmp_path / "nvidia"),))
    assert machine.has_gpu() is False
    (tmp_path / "nvidia").touch()
    assert machine.has_gpu() is True


@pytest.mark.parametrize("there", [False, True])
def test_the_page_offers_it_where_there_is_one(there, monkeypatch):
    monkeypatch.setattr("gan.ui.train.routes.has_gpu", lambda: there)
    marked = {(one["kind"], one["name"]) for one in options()["recipes"] if one["needs_gpu"]}
    assert marked == (set() if there else {("images", name) for name in GPU_RECIPES})


@pytest.mark.parametrize("there", [False, True])
def test_the_terminal_says_it_once_and_starts_it(there, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("gan.kinds.images.has_gpu", lambda: there)
    path = new_run({"data": "emoji", "recipe": "projected"}, tmp_path / "run")
    assert read_json(path / "config.json")["recipe"] == "projected"
    assert capsys.readouterr().err.count("flat colour") == (not there)
    new_run({"data": "emoji"}, tmp_path / "other")
    assert capsys.readouterr().err == ""
