"""Test points from query strings: accepted and refused values, and the latent vector of each."""

import base64
from types import SimpleNamespace

import numpy as np
import pytest

from gan.errors import UserError
from gan.latent.point import Point, parse_count, parse_step, placed
from gan.latent.sampling import latent, mixed_label, slerp

PLAIN = SimpleNamespace(z_dim=12, num_classes=0)
LABELLED = SimpleNamespace(z_dim=12, num_classes=10)


def no_directions():
    raise AssertionError("asked for directions without need")


def test_an_empty_query_is_the_default_point():
    assert Point.parse({}, PLAIN) == Point(0, 1.0, None, (), ())
    assert Point.parse({"seed": "", "psi": "", "label": "", "d": "", "z": ""}, PLAIN) == Point()


def test_every_part_is_read_and_other_names_are_left_alone():
    query = {
        "id": "shipped:digits",
        "seed": "17",
        "psi": "0.7",
        "label": "3",
        "d": "1,-2.5,0",
        "z": "0:1.5,11:-.25",
        "radius": "?",
    }
    assert Point.parse(query, LABELLED) == Point(17, 0.7, 3, (1.0, -2.5, 0.0), ((0, 1.5), (11, -0.25)))


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ({"seed": "-1"}, "latent.not_whole"),
        ({"seed": "1.5"}, "latent.not_whole"),
        ({"seed": "٣"}, "latent.not_whole"),
        ({"seed": "1_0"}, "latent.not_whole"),
        ({"seed": "9" * 5000}, "latent.not_whole"),
        ({"seed": str(2**31)}, "latent.range"),
        ({"psi": "nan"}, "latent.not_a_number"),
        ({"psi": "inf"}, "latent.not_a_number"),
        ({"psi": "1e999"}, "latent.range"),
        ({"psi": "-0.1"}, "latent.range"),
        ({"psi": "2.1"}, "latent.range"),
        ({"psi": "0x1"}, "latent.not_a_number"),
        ({"label": "10"}, "latent.range"),
        ({"label": "cat"}, "latent.not_whole"),
        ({"d": "1,,2"}, "latent.not_a_number"),
        ({"d": "1e400"}, "latent.range"),
        ({"d": "11"}, "latent.range"),
        ({"d": ",".join(["0"] * 11)}, "latent.too_many"),
        ({"d": "0," * 20_000}, "latent.too_many"),
        ({"z": "12:0"}, "latent.range"),
        ({"z": "-1:0"}, "latent.not_whole"),
        ({"z": "1"}, "latent.not_a_number"),
        ({"z": "1:nan"}, "latent.not_a_number"),
        ({"z": "1:0,1:0"}, "latent.twice"),
        ({"x": "s0"}, "latent.not_a_number"),
        ({"x": "s0:nan"}, "latent.not_a_number"),
        ({"x": "s0:11"}, "latent.range"),
        ({"x": "s0:1,s0:1"}, "latent.twice"),
        ({"x": "Night:1"}, "latent.unknown_direction"),
        ({"x": "../x:1"}, "latent.unknown_direction"),
        ({"x": "a" * 31 + ":1"}, "latent.unknown_direction"),
        ({"x": ":1"}, "latent.unknown_direction"),
        ({"x": ",".join(f"s{k}:1" for k in range(33))}, "latent.too_many"),
        ({"to": "x"}, "latent.not_whole"),
        ({"at": "AAAA"}, "latent.bad_z"),
        ({"at": "A" * 33}, "latent.bad_z"),
        ({"at": "ä" * 32}, "latent.bad_z"),
        ({"label2": "10", "mix": ".5"}, "latent.range"),
        ({"label2": "1", "mix": "1.1"}, "latent.range"),
        ({"label2": "1", "mix": "half"}, "latent.not_a_number"),
        ({"to": "1", "t": "1.1"}, "latent.range"),
        ({"to": "1", "t": "-0.1"}, "latent.range"),
    ],
)
def test_what_does_not_fit_is_refused(query, key):
    with pytest.raises(UserError) as caught:
        Point.parse(query, LABELLED)
    assert caught.value.key == key
    assert len(str(caught.value)) < 250


def test_a_class_of_a_model_without_classes_is_refused():
    with pytest.raises(UserError) as caught:
        Point.parse({"label": "0"}, PLAIN)
    assert caught.value.key == "latent.no_classes"


def test_no_more_amounts_than_directions_of_a_small_z():
    with pytest.raises(UserError):
        Point.parse({"d": "0,0,0"}, SimpleNamespace(z_dim=2, num_classes=0))


@pytest.mark.parametrize("step", ["-0.1", "3.1", "nan", "x"])
def test_steps_of_a_chart_are_up_to_3(step):
    assert parse_step({}) == 1.0
    with pytest.raises(UserError):
        parse_step({"step": step})


@pytest.mark.parametrize("count", ["1", "33", "-2", "x"])
def test_strips_are_2_to_32_long(count):
    assert parse_count({"n": "5"}) == 5
    with pytest.raises(UserError):
        parse_count({"n": count})


def test_z_is_psi_times_seed_plus_directions_then_overrides():
    vectors = np.eye(10, 12, dtype=np.float32)
    z = Point(5, 0.5, None, (1.0, 0.0, -2.0), ((2, 9.0), (11, 0.25))).z(12, lambda: vectors)
    expected = 0.5 * latent(5, 12) + np.float32([1, 0, -2] + [0] * 9)
    expected[2], expected[11] = 9.0, 0.25
    assert z == pytest.approx(expected, abs=1e-6)
    assert z.dtype == np.float32


def test_directions_are_not_asked_for_while_all_sliders_rest():
    assert np.array_equal(Point(5, amounts=(0.0, 0.0)).z(12, no_directions), latent(5, 12))


def test_amounts_beyond_the_directions_a_layer_has_move_nothing():
    vectors = np.eye(1, 12, dtype=np.float32)
    assert np.array_equal(Point(0, 0.0, amounts=(1.0, 5.0)).z(12, lambda: vectors), vectors[0])


def test_mixed_classes_depend_on_the_seed_alone():
    assert Point(3).class_label(0) is None
    assert Point(3).class_label(10) == Point(3, 0.2, None, (1.0,)).class_label(10) == mixed_label(3, 10)
    assert Point(3, label=7).class_label(10) == 7


def test_on_the_way_to_another_seed():
    assert Point.parse({"seed": "1", "to": "2", "t": "0.25"}, PLAIN) == Point(1, to=2, t=0.25)
    assert Point.parse({"seed": "1", "t": "0.25"}, PLAIN) == Point(1)
    z = Point(1, 0.5, to=2, t=0.25).z(12, no_directions)
    assert z == pytest.approx(0.5 * slerp(latent(1, 12), latent(2, 12), [0.25])[0], abs=1e-6)
    assert Point(1, to=2, t=0.49).class_label(10) == mixed_label(1, 10)
    assert Point(1, to=2, t=0.5).class_label(10) == mixed_label(2, 10)


def test_a_z_that_is_written_out_stands_for_the_seed():
    numbers = np.array([0, 1, -1, 7.75, -8, 0.25, 2**-12, 0, 0, 0, 0, 3], np.float32)
    text = base64.urlsafe_b64encode((numbers * 4096).astype("<i2").tobytes()).decode()
    point = Point.parse({"seed": "4", "at": text, "psi": ".5"}, LABELLED)
    assert np.array_equal(point.z(12, no_directions), numbers / 2)
    assert point.class_label(10) == mixed_label(4, 10)
    on_the_way = Point.parse({"at": text, "to": "2", "t": "0.25"}, PLAIN).z(12, no_directions)
    assert on_the_way == pytest.approx(slerp(numbers, latent(2, 12), [0.25])[0], abs=1e-6)


def test_directions_that_are_named_add_up():
    point = Point.parse({"seed": "4", "psi": "0.5", "d": "2", "x": "s1:-1.5,night:1,s2:0", "z": "3:9"}, PLAIN)
    assert point.moves == (("s1", -1.5), ("night", 1.0), ("s2", 0.0))
    ways = {"s1": np.eye(12, dtype=np.float32)[0], "night": np.full(12, 0.5, np.float32)}
    z = point.z(12, lambda: np.eye(12, dtype=np.float32)[1:2], ways.__getitem__)
    expected = 0.5 * latent(4, 12) + 0.5
    expected[:4] += np.array([-1.5, 2, 0, 0], np.float32)
    expected[3] = 9
    assert z == pytest.approx(expected, abs=1e-6)
    assert z.dtype == np.float32


def test_a_point_without_them_asks_for_none():
    Point.parse({"x": "s0:0"}, PLAIN).z(12, no_directions, no_directions)


def test_one_direction_can_be_put_anywhere():
    point = Point(3, amounts=(1.0,), moves=(("s0", 1.0), ("night", -1.0)))
    assert placed(point, "p2", 0.5).amounts == (1.0, 0.0, 0.5)
    assert placed(point, "p0", 0.5).amounts == (0.5,)
    assert dict(placed(point, "s0", 2.0).moves) == {"s0": 2.0, "night": -1.0}
    assert placed(Point(), "s3", 2.0).moves == (("s3", 2.0),)


def test_another_class_can_be_blended_in():
    point = Point.parse({"seed": "4", "label": "2", "label2": "7", "mix": "0.4"}, LABELLED)
    assert (point.class_label(10), *point.blend(10)) == (2, 7, 0.4)
    assert Point.parse({"seed": "4", "label2": "7", "mix": "0.4"}, LABELLED).blend(10) == (7, 0.4)
    for without in (
        {"label": "2"},
        {"label": "2", "label2": "7"},
        {"label": "2", "mix": ".4"},
        {"label": "2", "label2": "7", "mix": "0"},
    ):
        assert Point.parse(without, LABELLED) == Point(0, label=2)
    assert Point(label=2).blend(10) == (2, 0.0)
    with pytest.raises(UserError) as caught:
        Point.parse({"label2": "0", "mix": "1"}, PLAIN)
    assert caught.value.key == "latent.no_classes"
