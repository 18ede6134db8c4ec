"""A short version of tests/reliability/kills.py, which kills a hundred times."""

import json
import random

import torch
from safetensors.torch import save_file

from gan.train.state import NEWEST, digest, read_state
from tests.reliability.kills import config_of, differences, survive


def test_a_run_that_was_killed_ends_like_one_that_was_not_and_any_difference_would_be_seen(tmp_path):
    config = config_of("modern", kimg=1.2)
    outcome = survive(config, 2, tmp_path, random.Random(1))
    assert outcome.kills >= 1
    assert outcome.differences == []
    assert outcome.lost < 10
    run = tmp_path / "modern-0"
    grid = max((run / "samples").iterdir())
    grid.write_bytes(grid.read_bytes()[:-1] + b"x")
    tensors, meta = read_state(run / "state" / NEWEST)
    tensors["G.dense.weight"] = tensors["G.dense.weight"].nextafter(torch.tensor(9.0))  # by the last bit of each number
    text = json.dumps(meta)
    save_file(tensors, run / "state" / NEWEST, metadata={"trainer": text, "sha256": digest(tensors, text)})
    assert list(differences(run, config)) == [f"the grid of step {meta['step']}", "1 tensors of the checkpoint, as G.dense.weight"]
