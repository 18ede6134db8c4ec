"""Test the directions that have sliders, as a page sends them and as a model's file stores them.

Other weights drop some of them.
"""

import json

import pytest

from gan.errors import UserError
from gan.files import write_json
from gan.latent.catalogue import read_run, read_shipped
from gan.latent.directions.saved import FILE, MAX_DIRECTIONS, MAX_NAME, Choice, parse, place, read, save
from gan.latent.generator import Model
from tests.support.inputs.generators import RUN, tiny_spec, write_checkpoint, write_run

NOTHING = {"list": None, "names": {}, "hidden": []}
WANTED = Choice(("s1", "night", "p2"), {"s1": "Slim", "class7": "Owl"}, ("p0",))


@pytest.fixture
def model(tmp_path):
    return Model(read_run(f"run:{RUN}", write_run(tmp_path, RUN, tiny_spec())))


def test_what_is_sent_comes_back():
    assert parse(json.loads(json.dumps(WANTED.to_json()))) == WANTED
    assert parse(NOTHING) == Choice(None, {}, ())
    assert parse({**NOTHING, "names": {"p0": " two \n lines\u202e\x00 ", "p1": " \t"}}).names == {
        "p0": "two lines"
    }


@pytest.mark.parametrize("value", [
    {"list": "p0"}, {"list": ["p0", "p0"]}, {"list": ["../p0"]}, {"list": [7]},
    {"list": [f"p{k}" for k in range(MAX_DIRECTIONS + 1)]}, {"list": [["p0"]]},
    {"names": []}, {"names": {"p0": 7}}, {"names": {"P0": "x"}}, {"names": {"p0": "x" * (MAX_NAME + 1)}},
    {"names": {f"p{k}": "x" for k in range(MAX_DIRECTIONS + 1)}},
    {"hidden": {}}, {"hidden": None}, {"hidden": ["p" * 40]}, {"more": 7},
])  # fmt: skip
def test_what_is_no_list_gets_a_sentence(value):
    with pytest.raises(UserError) as caught:
        parse({**NOTHING, **value})
    assert caught.value.key in ("latent.bad_choice", "latent.twice")


def test_it_is_saved_beside_the_weights_and_taken_away_again(model, tmp_path):
    path = place(model.entry, tmp_path)
    assert path == tmp_path / RUN / FILE
    assert read(path, model) is None
    save(path, model, WANTED)
    assert read(path, model) == WANTED
    assert path.stat().st_size < 2000
    with pytest.raises(UserError):
        save(path, model, Choice(("s99",), {}, ()))
    assert read(path, model) == WANTED
    save(path, model, Choice(None, {}, ()))
    assert list((tmp_path / RUN).glob("*directions*")) == []


def test_that_of_a_model_that_ships_lies_beside_the_runs(tmp_path):
    entry = read_shipped("shipped:cats", write_checkpoint(tmp_path / "checkpoints", "cats", tiny_spec()))
    path = place(entry, tmp_path / "runs")
    assert path == tmp_path / "runs" / ".directions" / "cats.json"
    save(path, Model(entry), Choice(("p1",), {}, ()))
    assert read(path, Model(entry)).sliders == ("p1",)


def test_other_weights_keep_what_has_a_name(model, tmp_path):
    path = place(model.entry, tmp_path)
    save(path, model, WANTED)
    other = Model(read_run(f"run:{RUN}", write_run(tmp_path, RUN, tiny_spec(), seed=5)))
    assert read(path, other) == Choice(None, {"class7": "Owl"}, ())
    save(path, model, Choice(("night",), {}, ("s0",)))
    assert read(path, other) == Choice(("night",), {}, ())


@pytest.mark.parametrize("change", [
    {"format": "x"}, {"vectors": None}, {"vectors": []}, {"list": 7}, {"names": {"p0": 1}},
    {"list": ["p0"] * 2}, {"hidden": [None]},
    {"vectors": {"p2": [[1], 2]}},
])  # fmt: skip
def test_a_damaged_file_is_as_good_as_none(model, tmp_path, change):
    path = place(model.entry, tmp_path)
    save(path, model, WANTED)
    write_json(path, {**json.loads(path.read_text()), **change})
    assert read(path, model) is None
    for text in (b"", b"[]", b"7", b"\xff", b"[" * 100_000, b" " * (2**20 + 1)):
        path.write_bytes(text)
        assert read(path, model) is None


@pytest.mark.parametrize("vector", [[], "x", [1.0], [0.0] * 6, [10**400] * 6, None])
def test_a_vector_that_is_another_says_nothing_of_its_direction(model, tmp_path, vector):
    path = place(model.entry, tmp_path)
    save(path, model, Choice(("p0",), {"p0": "Name"}, ()))
    value = json.loads(path.read_text())
    write_json(path, {**value, "vectors": {"p0": vector}})
    assert read(path, model) in (None, Choice(None, {}, ()))
