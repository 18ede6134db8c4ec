"""Test that Python's answers equal the vectors with which the JavaScript tests compare."""

import json
import math
from typing import Any

import numpy as np
import pytest

from gan.latent.point import Point, write_at
from gan.latent.sampling import latent
from tests.web.make_vectors import SPEC, VECTORS, vectors

KEPT = json.loads(VECTORS.read_text(encoding="utf-8"))


def near(kept: Any, found: Any) -> bool:
    """Compare two values, numbers to 1e-6, because another libm may round the last bit otherwise."""
    if isinstance(kept, dict):
        return kept.keys() == found.keys() and all(near(kept[key], found[key]) for key in kept)
    if isinstance(kept, list):
        return len(kept) == len(found) and all(map(near, kept, found))
    if isinstance(kept, float):
        return math.isclose(kept, found, rel_tol=0, abs_tol=1e-6)
    return kept == found


@pytest.mark.parametrize("name", vectors())
def test_the_file_holds_what_python_answers(name):
    assert near(KEPT[name], vectors()[name]), "run python -m tests.web.make_vectors"


def test_the_file_holds_nothing_else():
    assert list(KEPT) == list(vectors())


def test_seeds_are_kept_to_the_last_bit():
    for one in KEPT["latent"]:
        kept = np.array(one["z"], np.float32)
        np.testing.assert_array_max_ulp(kept, latent(one["seed"], one["size"]), maxulp=1)


def test_the_points_cover_every_part_of_a_query():
    assert {key for one in KEPT["points"] for key in one["query"]} == {
        "seed", "psi", "d", "to", "t", "z", "x", "at", "label", "label2", "mix", "u",
    }  # fmt: skip


def test_a_difference_is_seen():
    moved = Point.parse({"seed": "5"}, SPEC).z(SPEC.z_dim, lambda: np.zeros((1, SPEC.z_dim))) + 1e-4
    assert not near(KEPT["points"][0]["z"], moved.tolist())
    assert KEPT["written16"][-1]["text"] == write_at(latent(5, 12))
