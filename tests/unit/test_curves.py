"""Test the decimation of statistics for charts."""

import json
import math
import random

import pytest

from gan.errors import UserError
from gan.files import append_line, write_bytes
from gan.runs.curves import COLUMNS, OPEN, POINTS, Buckets, Curves, extremes
from tests.fakes.runs import tiny


def rows(values, **more):
    return [
        {"step": i + 1, "images": 8 * (i + 1), "seconds": i / 4, "loss_d": value, **more}
        for i, value in enumerate(values)
    ]


def decimated(lines, points=POINTS):
    buckets = Buckets(points)
    for line in lines:
        buckets.add(line)
    return buckets.to_json()


@pytest.mark.parametrize(
    ("values", "found"),
    [((3.0, 1.0, 2.0), (3.0, 1.0)), ((1.0, 2.0, 3.0), (1.0, 3.0)), ((math.nan, 4.0), (4.0, 4.0))],
)
def test_extremes_keep_their_order(values, found):
    assert extremes(values) == found


def test_no_value_has_no_extremes():
    assert all(math.isnan(one) for one in extremes((math.nan,)))


def test_few_rows_stay_as_they_are():
    found = decimated(rows([0.5, None, 0.25], rate=2))
    assert found == {
        "axes": {"step": [1, 2, 3], "images": [8, 16, 24], "seconds": [0, 0.25, 0.5]},
        "values": {"loss_d": [0.5, None, 0.25], "rate": [2, 2, 2]},
        "means": None,
    }


@pytest.mark.parametrize("count", [20, 21, 40, 41, 63, 64, 1000, 1500, 1501])
def test_every_spike_stays_among_few_points(count):
    source = random.Random(count)
    values = [source.uniform(0, 1) for _ in range(count)]
    high, low = source.sample(range(count), 2)
    values[high], values[low] = 90.0, -90.0
    found = decimated(rows(values), points=20)
    drawn, steps = found["values"]["loss_d"], found["axes"]["step"]
    assert len(drawn) == len(steps) <= 20 or count <= 20
    assert len(drawn) >= 10
    assert steps == sorted(steps)
    assert (steps[0], steps[-1]) == (1, count)
    stride = count / (len(drawn) / 2) * 2
    for spike, place in ((90.0, high), (-90.0, low)):
        assert abs(steps[drawn.index(spike)] - place) <= stride, "near the place where it was"


def test_the_means_of_buckets_are_those_of_their_rows():
    values = [float(i % 7) for i in range(64)]
    found = decimated(rows(values), points=16)
    assert found["means"]["loss_d"][::2] == pytest.approx(
        [sum(values[i : i + 8]) / 8 for i in range(0, 64, 8)], rel=1e-5
    )


def test_a_bucket_is_the_lowest_and_the_highest_of_its_rows():
    source = random.Random(1)
    values = [source.gauss(0, 1) for _ in range(128)]
    found = decimated(rows(values), points=16)["values"]["loss_d"]
    size = 128 // (len(found) // 2)
    for place in range(0, len(found), 2):
        part = values[place // 2 * size : (place // 2 + 1) * size]
        assert sorted(found[place : place + 2]) == pytest.approx([min(part), max(part)], rel=1e-5)


def test_a_statistic_that_begins_late_has_gaps_before():
    lines = rows([1.0] * 50)
    lines[49]["modes"] = 7
    modes = decimated(lines, points=20)["values"]["modes"]
    assert modes[-1] == 7
    assert set(modes[:-2]) == {None}


def test_rows_without_a_place_and_numbers_that_are_no_floats_are_left_out():
    lines = [{"loss_d": 1.0}, {"step": 1, "images": None, "seconds": 0.0}, *rows([10**400, 2.0, 1e300])]
    assert decimated(lines)["values"] == {"loss_d": [None, 2.0, None]}


def test_a_damaged_file_with_many_names_takes_no_more_memory():
    line = {**rows([1.0])[0], **{f"x{i}": 1.0 for i in range(1000)}}
    assert len(decimated([line])["values"]) == COLUMNS


def test_curves_of_a_run_are_read_on_and_begin_anew_after_a_cut(store):
    run_id = store.create(tiny())
    path = store.path(run_id) / "stats.jsonl"
    curves = Curves(store)
    assert curves.read(run_id)["axes"]["step"] == []
    lines = rows([1.0, 2.0, 3.0])
    for line in lines[:2]:
        append_line(path, line)
    assert curves.read(run_id)["values"] == {"loss_d": [1, 2]}
    append_line(path, lines[2])
    assert curves.read(run_id)["values"] == {"loss_d": [1, 2, 3]}
    write_bytes(path, b"".join(json.dumps(line).encode() + b"\n" for line in rows([5.0])))
    assert curves.read(run_id)["values"] == {"loss_d": [5]}, "it resumed from an older checkpoint"


def test_an_unknown_run_has_no_curves_and_few_runs_stay_in_memory(store):
    curves = Curves(store)
    with pytest.raises(UserError):
        curves.read("nobody")
    for _ in range(OPEN + 3):
        curves.read(store.create(tiny()))
    assert len(curves._files) == OPEN
