"""Test the sets of points: shapes against closed formulas, scales, and every kind of bad file."""

import math
import pickle

import numpy as np
import pytest
import torch

from gan.errors import UserError
from gan.kinds.points import data, reading


@pytest.mark.parametrize("name", data.NAMES)
def test_a_drawn_set_fills_its_box_and_is_the_same_each_time(name):
    points = data.load(name)
    assert points.points.shape == (data.COUNT, 2)
    assert points.points.abs().amax() == pytest.approx(1, abs=1e-6)
    assert (points.points.amin(0) + points.points.amax(0)).abs().amax() < 1e-6 + 2 * (
        1 - points.points.amax(0)
    ).abs().amax()
    assert torch.equal(points.points, data.load(name).points)


@pytest.mark.parametrize(("name", "count", "sd"), [("grid25", 25, 0.05), ("ring8", 8, 0.01)])
def test_a_mixture_has_the_moments_that_the_papers_give(name, count, sd):
    points = data.load(name)
    assert points.modes.sd * points.box.half == pytest.approx(sd)
    distance, nearest = torch.cdist(points.points, points.modes.centres).min(1)
    shares = torch.bincount(nearest, minlength=count) / data.COUNT
    assert shares.numpy() == pytest.approx(1 / count, rel=0.1)
    assert (distance < 3 * points.modes.sd).float().mean().item() == pytest.approx(
        1 - math.exp(-4.5), abs=0.003
    )
    assert distance.square().mean().sqrt().item() == pytest.approx(math.sqrt(2) * points.modes.sd, rel=0.02)


def test_the_grid_and_the_ring_are_those_of_the_papers():
    grid, ring = data.grid25().centres, data.ring8().centres
    assert {tuple(row) for row in grid.tolist()} == {
        (x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)
    }
    assert ring.norm(dim=1).numpy() == pytest.approx(1)
    assert (ring - ring.roll(1, 0)).norm(dim=1).numpy() == pytest.approx(2 * math.sin(math.pi / 8), abs=1e-6)


def test_moons_lie_on_two_half_circles_and_spirals_on_two_arms():
    x, y = data.load("moons").box.original(data.load("moons").points).unbind(1)
    upper, lower = torch.hypot(x, y) - 1, torch.hypot(x - 1, y - 0.5) - 1
    assert torch.minimum(upper.abs(), lower.abs()).square().mean().sqrt().item() == pytest.approx(
        0.05, rel=0.1
    )
    x, y = data.load("spiral").box.original(data.load("spiral").points).unbind(1)
    radius = torch.hypot(x, y)
    turn = (torch.atan2(y, x) - 3 * math.pi * radius) % math.pi  # both arms, half a turn apart
    off = torch.minimum(turn, math.pi - turn) / (3 * math.pi)  # the distance of the radius from its arm's
    assert (off[radius > 0.3] < 0.06).float().mean() > 0.99


def test_a_box_remembers_how_points_were_scaled():
    box = data.Box(3.0, -1.0, 5.0)
    points = torch.tensor([[8.0, -6.0], [3.0, -1.0]], dtype=torch.float64)
    assert box.scaled(points).tolist() == [[1, -1], [0, 0]]
    assert torch.equal(box.original(box.scaled(points)), points)


def rows(count=30, separator=",", header=""):
    lines = [f"{i / 7:.6f}{separator}{i * i}" for i in range(count)]
    return header + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", rows()),
        ("b.CSV", rows(header="x,y\n")),
        ("c.tsv", rows(separator="\t")),
        ("d.txt", "# made by hand\n\n" + rows(separator="  ")),
        ("e.csv", "\ufeff" + rows(separator="; ", header='"x";"y"\r\n')),
    ],
)
def test_two_columns_of_text_are_read_in_any_usual_form(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    points = data.load(str(tmp_path / name))
    wanted = torch.tensor([[round(i / 7, 6), i * i] for i in range(30)], dtype=torch.float64)
    torch.testing.assert_close(points.box.original(points.points.double()), wanted, rtol=0, atol=1e-4)
    assert (points.name, points.modes) == (name, None)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16])
def test_an_array_is_read_whatever_its_numbers_are(tmp_path, kind):
    array = np.arange(60).reshape(30, 2).astype(kind)
    np.save(tmp_path / "a.npy", array)
    assert np.array_equal(reading.read_points(tmp_path / "a.npy"), array)


class Evil:
    def __reduce__(self):
        return exec, ("raise SystemExit('a pickle was read')",)


def array_bytes(tmp_path, array):
    np.save(tmp_path / "source.npy", array, allow_pickle=True)
    return (tmp_path / "source.npy").read_bytes()


BAD_TEXT = {
    "three columns": ("points.columns", "1,2,3\n" * 30),
    "one column": ("points.columns", "1\n" * 30),
    "ragged": ("points.columns", rows() + "1\n"),
    "a word": ("points.number", rows() + "1,cat\n"),
    "half a header": ("points.number", "x,2\n" + rows()),
    "nothing in a cell": ("points.number", rows() + "1,\n"),
    "NaN": ("points.not_finite", rows() + "nan,1\n"),
    "infinity": ("points.not_finite", rows() + "1,-inf\n"),
    "far away": ("points.not_finite", rows() + "1,1e200\n"),
    "too few": ("points.too_few", rows(19)),
    "empty": ("points.too_few", ""),
    "only a header": ("points.too_few", "x,y\n"),
    "millions of lines": ("points.too_many", "11\n" * 2_100_000),
    "too many points": ("points.too_many", "1,2\n" * 500_001),
    "one endless line": ("points.too_few", "a," * 1_000_000),
    "an endless number": ("points.number", rows() + "1" * 1_000_000 + ",2\n"),
    "all equal": ("points.all_equal", "2,3\n" * 30),
}


@pytest.mark.parametrize("name", BAD_TEXT)
def test_bad_text_is_refused_in_a_sentence(tmp_path, name):
    key, text = BAD_TEXT[name]
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(UserError) as caught:
        data.load(str(tmp_path / "a.csv"))
    assert caught.value.key == key
    assert "a.csv" in str(caught.value)


@pytest.mark.parametrize("name", ["flat", "three", "words", "pickle", "cut", "noise", "zip", "complex"])
def test_bad_arrays_are_refused_and_no_pickle_is_read(tmp_path, name):
    content = {
        "flat": array_bytes(tmp_path, np.zeros(60)),
        "three": array_bytes(tmp_path, np.zeros((30, 3))),
        "words": array_bytes(tmp_path, np.full((30, 2), "a")),
        "pickle": array_bytes(tmp_path, np.array([Evil()] * 60, dtype=object).reshape(30, 2)),
        "cut": array_bytes(tmp_path, np.zeros((30, 2)))[:-9],
        "noise": bytes(range(256)),
        "zip": b"PK\x03\x04" + bytes(100),
        "complex": array_bytes(tmp_path, np.zeros((30, 2), complex)),
    }[name]
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(UserError) as caught:
        data.load(str(tmp_path / "a.npy"))
    assert caught.value.key == "points.array"
    (tmp_path / "b.npy").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(UserError):
        data.load(str(tmp_path / "b.npy"))


def test_what_is_no_such_file_is_refused(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe1\x00")
    (tmp_path / "c.csv").write_text(rows())
    monkeypatch.setattr(reading, "MAX_POINTS", 25)
    monkeypatch.setattr(reading, "MEGABYTES", 1)
    (tmp_path / "d.csv").write_bytes(b"1,2\n" * 2**19)
    for name, key in {
        "nothing": "unknown",
        "a.png": "kind",
        "b.csv": "text",
        "c.csv": "too_many",
        "d.csv": "too_large",
    }.items():
        with pytest.raises(UserError) as caught:
            data.load(str(tmp_path / name))
        assert caught.value.key == f"points.{key}"


def test_the_names_of_the_settings_are_the_sets_that_can_be_drawn():
    assert (*data.MIXTURES, *data.CURVES) == data.NAMES
