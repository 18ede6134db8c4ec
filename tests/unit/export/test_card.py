"""Test what an exported generator says of its history."""

import json

import onnx
import pytest

from gan.export.card import extended, onnx_facts, short_card
from gan.export.onnx import generator_onnx
from gan.export.webpage import webpage
from gan.files import append_line, write_json
from gan.latent.catalogue import read_run, read_shipped
from gan.latent.generator import Model
from tests.support.inputs.generators import tiny_spec, write_checkpoint, write_run

GREW = [{"at_images": 640, "minutes": 2.5}, {"at_images": 900, "kimg": 4.0}]
TOLD = "2.5 more minutes at 640 images; 4 thousand more images at 900 images"


@pytest.fixture
def run(tmp_path):
    """A run whose budget grew once before it restarted, and twice since then."""
    run = write_run(tmp_path, "run", tiny_spec())
    more = {"key": "more_minutes", "values": {"more": "9", "total": "9", "images": 1}}
    append_line(run / "events.jsonl", more)
    append_line(run / "events.jsonl", {"key": "restarted", "values": {}})
    append_line(run / "events.jsonl", {"key": "more_minutes", "values": {"more": "2.5", "images": 640}})
    append_line(run / "events.jsonl", {"key": "more_images", "values": {"more": "4", "images": 900}})
    return read_run("run:run", run)


def test_page_and_onnx_say_when_the_budget_of_their_model_grew(run):
    assert (extended(run), short_card(run)["extended"]) == (GREW, TOLD)
    page = webpage(Model(run), short_card(run)).decode()
    assert f"extended: {TOLD}" in page
    assert f'"extended":{json.dumps(GREW, separators=(",", ":"))}' in page
    model = Model(run)
    data = onnx.load_from_string(generator_onnx(model.generator, model.spec, onnx_facts(run)))
    assert {one.key: one.value for one in data.metadata_props}["extended"] == TOLD


def test_a_shipped_or_pulled_model_says_so_too(tmp_path):
    folder = write_checkpoint(tmp_path, "mine", tiny_spec(), extended=GREW)
    assert short_card(read_shipped("shipped:mine", folder))["extended"] == TOLD


@pytest.mark.parametrize(
    "odd", ["x", 7, {}, [7], [{}], [{"at_images": "<b>", "minutes": 1}], [{"at_images": 1, "hours": 2}]]
)
def test_an_odd_card_says_nothing(odd, tmp_path):
    folder = write_checkpoint(tmp_path, "mine", tiny_spec())
    write_json(folder / "card.json", {"extended": odd})
    entry = read_shipped("shipped:mine", folder)
    assert extended(entry) == []
    assert "extended" not in short_card(entry)
