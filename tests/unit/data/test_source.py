"""Test the description beside pictures of the Hub, which lies where anybody may have written."""

import json

import pytest

from gan.data.own.source import SUFFIX, read_source

SOUND = {"name": "hub:bob/cats", "commit": "0" * 40, "licence": "MIT", "title": "Cats", "count": 2}


@pytest.mark.parametrize(
    "change",
    [
        {"classes": None}, {"classes": 7}, {"classes": [7]}, {"classes": ["a"] * 10_001}, {"left_out": None},
        {"left_out": [7]}, {"left_out": [{"name": "x", "reason": "none"}]}, {"count": True}, {"count": -1},
        {"name": None}, {"licence": 7},
    ],
)  # fmt: skip
def test_a_description_that_is_none_counts_as_missing(change, tmp_path):
    archive = tmp_path / "cats.zip"
    place = tmp_path / f"cats.zip{SUFFIX}"
    place.write_text(json.dumps(SOUND))
    assert read_source(archive).title == "Cats"
    place.write_text(json.dumps({**SOUND, **change}))
    assert read_source(archive) is None
