"""Test shared parts of the scripts that build bundled sets, and the IDX files that they read."""

import gzip

import numpy as np
import pytest

from gan.data import load
from gan.data.build import faces
from gan.data.idx import read_split
from gan.data.registry import read_meta
from tests.server.commands.test_score import others, write_mnist_like

PLAIN = {
    "hair": "long03", "hairColor": "#28150a", "skinColor": "#8d5524", "eyes": "variant02",
    "eyesColor": "#588387", "mouth": "happy01", "clothing": "variant01",
    "clothingColor": "#03396c", "primaryBackgroundColor": "#b6e3f4",
}  # fmt: skip


def values():
    return {
        **read_meta("faces")["attributes"],
        "clothing": ["variant01"],
        "clothing_colour": ["#03396c"],
        "background": ["#b6e3f4"],
    }


def test_faces_are_described_by_the_names_of_the_bundled_set():
    facts = faces.describe([PLAIN] * 4 + [{**PLAIN, "hat": "variant01"}], values())
    assert facts["label"].tolist() == [0, 1, 2, 3, 0]
    assert facts["hair"].tolist() == [values()["hair"].index("long03")] * 5
    assert (np.array(values()["hair_length"])[facts["hair_length"]] == "long").all()
    hats = np.array(values()["hat"])[facts["hat"]]
    assert hats.tolist() == ["none"] * 4 + ["variant01"]


def test_a_face_that_the_bundled_set_has_no_name_for_is_refused():
    with pytest.raises(ValueError, match="is not in list"):
        faces.describe([{**PLAIN, "hair": "mohawk"}], values())


def test_fresh_faces_have_other_seeds_than_the_bundled_ones():
    assert len(load("faces").images) <= faces.COUNT == faces.FRESH


def test_idx_files_are_read_back(tmp_path):
    train, test = others(6), others(9)
    folder = write_mnist_like(tmp_path / "idx", train, test)
    images, labels = read_split(folder, "t10k")
    assert (images == test).all()
    assert labels.tolist() == [0] * 9
    (folder / "train-images-idx3-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match="no images or no labels of train"):
        read_split(folder, "train")


def idx(*shape: int, count: int) -> bytes:
    """Return an IDX file whose header gives this shape, and which holds `count` bytes."""
    return bytes([0, 0, 8, len(shape)]) + b"".join(side.to_bytes(4, "big") for side in shape) + bytes(count)


DAMAGED = {
    "empty": b"", "short": b"\0\0\x08", "floats": b"\0\0\x0d\x01\0\0\0\x01....",
    "cut": idx(6, 28, 28, count=6 * 28 * 28 - 1), "flat": idx(6, count=6),
    "none": idx(0, 28, 28, count=0), "one less than labels": idx(5, 28, 28, count=5 * 28 * 28),
    "no gzip": b"\x1f\x8b" + bytes(40),
    "cut gzip": gzip.compress(idx(6, 28, 28, count=6 * 28 * 28))[:-9],
    "damaged gzip": gzip.compress(idx(6, count=6))[:12] + b"\xff" * 40,
}  # fmt: skip


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_idx_files_are_refused(content, tmp_path):
    folder = write_mnist_like(tmp_path / "idx", others(6), others(9))
    (folder / "train-images-idx3-ubyte.gz").write_bytes(content)
    with pytest.raises(ValueError, match="idx"):
        read_split(folder, "train")
