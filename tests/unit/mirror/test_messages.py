"""Test what a server makes of the messages of its job, where anybody may have written."""

import json

import pytest

from gan.mirror.jobs.messages import ENDED, read_end
from tests.reliability.damaged.fuzz_mirror import RUN, Memory

ERROR = {"key": "data.too_few", "values": {"path": "x"}}


def told(tmp_path, value):
    return read_end(Memory({f"{RUN}/{ENDED}": json.dumps(value).encode()}), RUN, tmp_path)


def test_the_end_of_a_job_is_told(tmp_path):
    assert told(tmp_path, {"state": "finished", "error": None}) == ("finished", None)
    state, error = told(tmp_path, {"state": "failed", "error": {"key": "no.such_key", "values": {}}})
    assert (state, error.key) == ("failed", "runs.defect")


@pytest.mark.parametrize(
    "value",
    [
        None, [], {}, {"state": "burnt", "error": None}, {"state": [], "error": None}, {"state": "failed"},
        *({"state": "failed", "error": {**ERROR, "values": odd}} for odd in (None, 7, "x", [1], {"key": 1})),
        {"state": "failed", "error": [1]}, {"state": "failed", "error": {"values": {}}},
    ],
)  # fmt: skip
def test_an_end_that_is_none_counts_as_missing(value, tmp_path):
    assert told(tmp_path, value) is None
