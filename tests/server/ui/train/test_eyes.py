"""Test how what D sees in a run reaches the page."""

import json

import pytest

from gan.worker.run_dir import EYES
from tests.fakes.runs import past, tiny

OURS = "/gradio_api/gan"
TOLD = {
    "step": 20, "images": 160, "sheet": 20, "low": -1.5, "high": 2, "trained": [3, 9], "held_out": [4, 8],
    "fakes": [9, 3], "tiles": [None, *range(63)],
}  # fmt: skip


def seen_run(store, text: str) -> str:
    return past(store, tiny(), lambda folder: (folder / EYES).write_text(text), state="finished", step=20)


def test_a_poll_tells_what_d_sees(store, poll):
    assert poll(run=past(store, tiny(), state="finished"))["run"]["eyes"] is None
    run_id = seen_run(store, json.dumps(TOLD))
    assert poll(run=run_id)["run"]["eyes"] == TOLD


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", json.dumps({**TOLD, "tiles": ["<img src=x onerror=alert(1)>"] * 64})]
)
def test_a_damaged_file_is_as_none(store, poll, text):
    assert poll(run=seen_run(store, text))["run"]["eyes"] is None
