"""Test loops: they pass through their keys, close, keep lengths, and blend classes without a jump."""

import base64
from types import SimpleNamespace

import numpy as np
import pytest

from gan.errors import UserError
from gan.latent.loop import MAX_FRAMES, MAX_KEYS, Classes, Loop, between, loop
from gan.latent.point import MAX_UNITS
from gan.latent.sampling import latent, slerp

SHAPE, PLAIN = SimpleNamespace(z_dim=12, num_classes=5), SimpleNamespace(z_dim=12, num_classes=0)
ROUNDING = 1e-5  # of float32 numbers with lengths around 3


def text(seed: int, *classes: object) -> str:
    """Return a key as queries spell it."""
    at = (
        base64.urlsafe_b64encode((latent(seed, 12) * 4096).round().astype("<i2").tobytes())
        .decode()
        .rstrip("=")
    )
    return ",".join([at, *map(str, classes)])


@pytest.mark.parametrize("count", [2, 3, 7])
def test_it_passes_through_the_keys_and_closes(count):
    keys = np.stack([latent(seed, 12) for seed in range(count)])
    frames = loop(keys, 10)
    assert frames.shape == (10 * count, 12)
    assert frames.dtype == np.float32
    assert np.abs(frames[::10] - keys).max() < ROUNDING
    steps = np.linalg.norm(np.diff(np.concatenate([frames, frames[:1]]), axis=0), axis=1).reshape(count, 10)
    # On a great circle each step of a leg covers the same angle, where lengths change linearly. So no step is
    # much longer than another, and the last one, which closes the loop, does not jump.
    assert (steps.max(1) < 1.6 * steps.min(1)).all()


def test_lengths_are_kept():
    keys = np.stack([latent(seed, 64) * 8 / np.linalg.norm(latent(seed, 64)) for seed in range(4)])
    assert np.abs(np.linalg.norm(loop(keys, 12), axis=1) - 8).max() < ROUNDING
    keys[1] *= 2
    lengths = np.linalg.norm(loop(keys, 12), axis=1)
    assert lengths[:25] == pytest.approx([*np.linspace(8, 16, 13), *np.linspace(16, 8, 13)[1:]], abs=1e-4)


def test_frames_between_two_keys_are_those_of_the_strip():
    a, b = latent(1, 12), latent(2, 12)
    assert np.array_equal(
        loop(np.stack([a, b]), 4),
        np.concatenate([slerp(a, b, [0, 0.25, 0.5, 0.75]), slerp(b, a, [0, 0.25, 0.5, 0.75])]),
    )


ONE, TWO, HALF, OTHER_HALF = Classes(1, 1, 0.0), Classes(2, 2, 0.0), Classes(1, 2, 0.3), Classes(3, 4, 0.8)


def weights(classes: Classes) -> np.ndarray:
    out = np.zeros(5)
    out[classes.label] += 1 - classes.share
    out[classes.other] += classes.share
    return out


WAYS = [
    (ONE, ONE),
    (ONE, TWO),
    (ONE, HALF),
    (HALF, ONE),
    (HALF, TWO),
    (HALF, HALF),
    (HALF, Classes(1, 2, 0.9)),
    (HALF, OTHER_HALF),
]


@pytest.mark.parametrize(("a", "b"), WAYS)
def test_classes_blend_without_a_jump(a, b):
    walk = np.stack([weights(between(a, b, part)) for part in np.linspace(0, 1, 301)])
    assert walk[0] == pytest.approx(weights(a))
    assert walk[-1] == pytest.approx(weights(b))
    assert np.abs(np.diff(walk, axis=0)).max() < 0.011  # at most a whole class in a third of the leg
    assert np.abs(walk.sum(1) - 1).max() < 1e-9


def test_a_query_is_read():
    asked = Loop.parse(
        {"keys": f"{text(1, 2)};{text(2, 3, 4, 0.25)};{text(3)}", "steps": "2", "fps": "30"}, SHAPE
    )
    points = asked.points(5)
    assert (len(points), asked.fps) == (6, 30)
    assert np.abs(np.array(points[2].at) - latent(2, 12)).max() <= 1 / 4096
    assert (points[0].label, points[0].blend(5)) == (2, (2, 0.0))
    assert (points[2].label, points[2].blend(5)) == (3, (4, 0.25))
    alone = Loop.parse({"keys": f"{text(1)};{text(2)}"}, PLAIN).points(0)
    assert len(alone) == 48
    assert {(point.label, point.other) for point in alone} == {(None, None)}


def test_units_change_evenly_between_keys():
    points = Loop.parse(
        {
            "keys": f"{text(1, 2, '', '', '0.3:0,1.7:4')};{text(2)};{text(3, '', '', '', '0.3:2')}",
            "steps": "4",
        },
        SHAPE,
    ).points(5)
    assert [point.units for point in points[:5]] == [
        ((0, 3, 0.0), (1, 7, 4.0)),
        ((0, 3, 0.25), (1, 7, 3.25)),
        ((0, 3, 0.5), (1, 7, 2.5)),
        ((0, 3, 0.75), (1, 7, 1.75)),
        (),
    ]
    assert [point.units for point in points[7:9]] == [((0, 3, 1.75),), ((0, 3, 2.0),)]
    assert points[10].units == ((1, 7, 2.5),), "a unit that comes past 1 is left alone there"


# more units than one sample may change, but not in one key
MANY = [",".join(f"{layer}.{unit}:0" for unit in range(MAX_UNITS // 2 + 1)) for layer in (0, 1)]


@pytest.mark.parametrize(("query", "key"), [
    ({"keys": ";".join(text(seed, "", "", "", units) for seed, units in enumerate(MANY))}, "latent.too_many"),
    ({"keys": f"{text(1)};{text(2, '', '', '', '0.1:5')}"}, "latent.range"),
    ({"keys": f"{text(1)};{text(2, '', '', '', '0.1')}"}, "latent.not_a_number"),
    ({}, "latent.keys"), ({"keys": text(1)}, "latent.keys"),
    ({"keys": ";".join([text(1)] * (MAX_KEYS + 1))}, "latent.keys"),
    ({"keys": ";".join([text(1)] * 10), "steps": str(MAX_FRAMES // 10 + 1)}, "latent.frames"),
    ({"keys": f"{text(1)};x"}, "latent.bad_z"), ({"keys": f"{text(1)};,1"}, "latent.bad_z"),
    ({"keys": f"{text(1)};AAAA"}, "latent.bad_z"),
    ({"keys": f"{text(1)};{text(2, 5)}"}, "latent.range"),
    ({"keys": f"{text(1)};{text(2, 1, 2, 3)}"}, "latent.range"),
    ({"keys": f"{text(1)};{text(2)}", "steps": "0"}, "latent.range"),
    ({"keys": f"{text(1)};{text(2)}", "steps": "121"}, "latent.range"),
    ({"keys": f"{text(1)};{text(2)}", "fps": "31"}, "latent.range"),
    ({"keys": f"{text(1)};{text(2)}", "fps": "x"}, "latent.not_whole"),
])  # fmt: skip
def test_what_is_no_loop_is_refused(query, key):
    with pytest.raises(UserError) as caught:
        Loop.parse(query, SHAPE)
    assert caught.value.key == key


def test_the_share_of_a_leg_grows_evenly():
    shares = [between(ONE, TWO, part).share for part in (0, 0.25, 0.5, 0.75)]
    assert shares == [0, 0.25, 0.5, 0.75]
