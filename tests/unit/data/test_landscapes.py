"""Test the drawn landscapes: they never change, and their attributes describe the visible image."""

import pytest
import torch

from gan.data.procedural import landscapes
from gan.data.procedural.scenery import CLASSES, KINDS, PHASES


@pytest.fixture(scope="module")
def drawn():
    images, facts = landscapes.draw(480, 7)
    return images.float(), facts


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANARIUM_CACHE", str(tmp_path / "deep" / "cache"))
    monkeypatch.setattr(landscapes, "COUNT", 16)
    return tmp_path / "deep" / "cache"


def test_the_same_every_time():
    first, facts = landscapes.draw(40, 3)
    again, same = landscapes.draw(40, 3)
    assert torch.equal(first, again)
    assert all(torch.equal(facts[key], same[key]) for key in facts)
    other, _ = landscapes.draw(40, 4)
    assert (first != other).float().mean() > 0.5


def test_a_few_are_enough():
    for count in (1, 2, 9):
        assert landscapes.draw(count, 0)[0].shape == (count, 3, 64, 64)


def test_hours_and_scenes_follow_the_label(drawn):
    _, facts = drawn
    hours = list(PHASES.values())
    for label, hour, scene in zip(
        facts["label"].tolist(), facts["time_of_day"].tolist(), facts["scene"].tolist(), strict=True
    ):
        low, high = hours[label % len(hours)]
        assert low <= hour <= high or low <= hour + 24 <= high
        assert CLASSES[label].startswith(KINDS[scene])
    assert facts["label"].bincount().tolist() == [60] * len(CLASSES)


def test_night_is_darker_than_dusk_and_dusk_than_day(drawn):
    images, facts = drawn
    bright = images.mean((1, 2, 3))
    dawn, day, dusk, night = (bright[facts["label"] % 4 == k] for k in range(4))
    assert night.max() < day.min()
    assert night.mean() < 0.6 * dusk.mean()
    assert dusk.mean() < dawn.mean()
    assert dusk.mean() < day.mean()


def test_dusk_is_warm_and_day_is_blue(drawn):
    images, facts = drawn
    warmth = images[:, 0].mean((1, 2)) - images[:, 2].mean((1, 2))
    assert (warmth[facts["label"] % 4 == 2] > 0).float().mean() > 0.9
    assert (warmth[facts["label"] % 4 == 1] < 0).float().mean() > 0.9


def test_the_sun_is_where_it_is_said_to_be(drawn):
    """On clear days the brightest spot of the sky lies at sun_x, at the height of sun_height."""
    images, facts = drawn
    clear = (facts["label"] % 4 == 1) & (facts["clouds"] == 0)
    assert clear.sum() > 10
    for image, x, high, horizon in zip(
        *(values[clear] for values in (images, *(facts[k] for k in ("sun_x", "sun_height", "horizon")))),
        strict=True,
    ):
        sky = image.sum(0)[: int(horizon * 64) // 2 + 8]
        rows, columns = torch.nonzero(sky > sky.max() - 15, as_tuple=True)
        if high > 0.7:
            assert abs(columns.float().mean() - x * 64) < 3
            assert abs(rows.float().mean() - (horizon * 64 - high * (horizon * 64 - 7))) < 3


def test_horizon_of_the_sea_is_where_it_is_said_to_be(drawn):
    """Average seas by day, with their horizons in line. The mean row changes most where the water begins."""
    images, facts = drawn
    day_sea = facts["label"] == CLASSES.index("sea by day")
    rows = images[day_sea].mean((1, 3))
    aligned = torch.stack(
        [
            row[int(at) - 15 : int(at) + 15]
            for row, at in zip(rows, (facts["horizon"][day_sea] * 64).round(), strict=True)
        ]
    )
    assert aligned.mean(0).diff().abs().argmax() == 14


def test_attributes_that_a_scene_cannot_have_are_zero(drawn):
    _, facts = drawn
    sea, night = facts["scene"] == 1, facts["label"] % 4 == 3
    for name in ("lake", "trees", "snow"):
        assert (facts[name][sea] == 0).all()
        assert (facts[name][~sea] > 0).any()
    for name in ("boat", "shore"):
        assert (facts[name][~sea] == 0).all()
        assert (facts[name][sea] > 0).any()
    assert (facts["aurora"][~night] == 0).all()
    assert (facts["aurora"][night] > 0).any()


def test_northern_lights_are_green(drawn):
    images, facts = drawn
    night = facts["label"] % 4 == 3
    green = (images[:, 1] - images[:, 0]).amax((1, 2))
    assert green[night & (facts["aurora"] == 1)].median() > 2 * green[night & (facts["aurora"] == 0)].median()


def test_sand_lies_in_the_lower_corner(drawn):
    images, facts = drawn
    day_sea = facts["label"] == CLASSES.index("sea by day")
    corner = torch.maximum(images[:, 0, -4:, :4].mean((1, 2)), images[:, 0, -4:, -4:].mean((1, 2)))
    assert (
        corner[day_sea & (facts["shore"] == 1)].mean() > corner[day_sea & (facts["shore"] == 0)].mean() + 30
    )


def test_kept_in_the_cache(cache, monkeypatch):
    images, facts = landscapes.pictures()
    assert len(list(cache.iterdir())) == 1
    monkeypatch.setattr(landscapes, "draw", None)  # a second drawing would fail
    again, same = landscapes.pictures()
    assert torch.equal(images, again)
    assert facts.keys() == same.keys()
    assert all(torch.equal(facts[key], same[key]) for key in facts)


@pytest.mark.parametrize("content", [b"", b"noise" * 100, None])
def test_damaged_cache_is_drawn_again(cache, content):
    images, _ = landscapes.pictures()
    [path] = cache.iterdir()
    path.write_bytes(path.read_bytes()[:5000] if content is None else content)
    again, _ = landscapes.pictures()
    assert torch.equal(images, again)
    assert path.stat().st_size > 16 * 3 * 64 * 64


def test_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANARIUM_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(landscapes, "COUNT", 8)
    assert landscapes.pictures()[0].shape == (8, 3, 64, 64)
