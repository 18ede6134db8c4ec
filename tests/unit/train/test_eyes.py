"""Test what D makes of images and samples, with logits whose answers are known."""

import json

import pytest
import torch
from torch import nn

from gan.kinds.images.eyes import BINS, Judged, Looks, centred, describe, realness
from gan.runs import eyes as reading
from tests.unit.train.test_signals import Knows, begin

BYTES = 400  # of the three histograms in the file


def judged(logits: list[float], groups: list[int] | None = None) -> Judged:
    return Judged(torch.tensor(logits), None if groups is None else torch.tensor(groups))


def scattered(seed: int, shift: float = 0.0, count: int = 256) -> Judged:
    return Judged(torch.randn(count, generator=torch.Generator().manual_seed(seed)) + shift, None)


def test_realness_is_the_share_of_held_out_images_that_d_rates_lower():
    held = judged([0, 1, 2, 3, 4])
    assert realness(judged([-9, 0.5, 2, 4, 9]), held, 1) == [0, 20, 50, 90, 100], "a tie counts half"


def test_realness_compares_images_of_one_class():
    held = judged([0, 1, 2, 3, 4, 100, 101, 102, 103, 104], [0, 1, 1, 0, 1, 2, 3, 3, 3, 2])
    assert realness(judged([2.5, 102.5, 2.5], [0, 2, 3]), held, 2) == [60, 60, 0]


def test_a_class_with_too_few_held_out_images_is_compared_with_all():
    held = judged([0, 1, 2, 3, 4, 5, 6, 7], [0] * 5 + [1] * 3)
    assert realness(judged([3.5, 3.5], [0, 1]), held, 1) == [80, 50]


def test_each_logit_counts_from_the_mean_of_the_other_real_images_of_its_group():
    looks = Looks(
        judged([1, 3, 100], [0, 0, 1]), judged([5, 200, 300, 7], [0, 1, 1, 2]), judged([4], [0]),
        judged([250, 8], [1, 2]),
    )  # fmt: skip
    trained, held, fakes, tiles = centred(*looks)
    assert trained.logits.tolist() == pytest.approx([-3, 0, -150], abs=1e-4)
    assert held.logits[:3].tolist() == pytest.approx([3, 0, 150], abs=1e-4)
    assert held.logits[3].isnan(), "one image of group 2 has no others"
    assert fakes.logits.tolist() == [1], "a fake is not among those of the mean"
    assert tiles.logits[0] == 50
    assert tiles.logits[1].isnan()


def test_samples_like_the_data_have_all_numbers_in_the_smallest_groups():
    """Real images as tiles: without a care for the mean, few of them would lie in the middle."""
    rng = torch.Generator().manual_seed(0)
    zeros = 10 * torch.randn(60, generator=rng)

    def drawn(count):
        groups = torch.randint(60, (count,), generator=rng)
        return Judged(zeros[groups] + torch.randn(count, generator=rng), groups)

    found = [
        value
        for _ in range(40)
        for value in describe(Looks(drawn(256), drawn(500), drawn(256), drawn(64)), 6)["tiles"]
        if value is not None
    ]
    shares = torch.histc(torch.tensor(found).float(), 4, 0, 100) / len(found)
    assert len(found) > 0.98 * 40 * 64
    assert shares.tolist() == pytest.approx([0.25] * 4, abs=0.03)


def test_the_histograms_share_bins_and_hold_every_image():
    looks = Looks(scattered(0), scattered(1), scattered(2, -3), scattered(3, count=64))
    found = describe(looks, 1)
    counts = [found[name] for name in ("trained", "held_out", "fakes")]
    assert [(len(one), sum(one)) for one in counts] == [(BINS, 256)] * 3
    pooled = torch.cat([part.logits for part in looks[:3]])
    assert pooled.min() < found["low"] < pooled.quantile(0.01)
    assert pooled.quantile(0.99) < found["high"] < pooled.max()


def test_outliers_do_not_squeeze_the_others_into_one_bin():
    trained = scattered(0)
    trained.logits[0] = 1e6
    found = describe(Looks(trained, scattered(1), scattered(2), scattered(3, count=64)), 1)
    assert found["high"] < 5
    assert sum(found["trained"]) == 256


def test_the_zero_of_a_group_does_not_count():
    groups = torch.arange(256) % 4
    parts = [
        Judged(part.logits + of * zero, of)
        for zero in (0.0, 100.0)
        for part, of in ((scattered(0), groups), (scattered(1), groups), (scattered(2, -1), groups.flip(0)))
    ]
    tiles = Judged(scattered(3, count=64).logits, torch.arange(64) % 4)
    first, second = (describe(Looks(*parts[at : at + 3], tiles), 2) for at in (0, 3))
    assert second["low"] == pytest.approx(first["low"], abs=1e-3)
    assert sum(map(abs, (a - b for a, b in zip(first["fakes"], second["fakes"], strict=True)))) <= 4


@pytest.mark.parametrize(
    "change",
    [
        {"tiles": None},
        {"held_out": scattered(1, count=4)},
        {"fakes": judged([float("nan")] * 6)},
        {"tiles": judged([float("inf")] * 64)},
    ],
)
def test_nothing_is_told_where_nothing_can_be_compared(change):
    looks = Looks(scattered(0), scattered(1), scattered(2), scattered(3, count=64))
    assert describe(looks, 1) is not None
    assert describe(looks._replace(**change), 1) is None


def test_logits_that_are_all_equal_have_bins():
    same = judged([1.0] * 64)
    found = describe(Looks(same, same, same, same), 1)
    assert found["tiles"] == [50] * 64
    assert found["low"] < 1 < found["high"]


def test_a_d_that_knows_its_images_by_heart_rates_them_apart():
    trainer, digits = begin()
    trainer.D = Knows(digits.images[trainer.split.trained])
    trainer.sample_sheet()
    trainer.measure()
    found = trainer.eyes()
    apart = sum(min(pair) for pair in zip(found["trained"], found["held_out"], strict=True))
    assert apart == 0
    alike = sum(min(pair) for pair in zip(found["fakes"], found["held_out"], strict=True))
    assert alike > 0.9 * 256, "it rates both as not known"


class OfGroup(nn.Module):
    """A D whose logit is the group that it was told."""

    def forward(self, images: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
        return groups.float() + 0 * images.flatten(1).sum(1)


def test_d_is_told_the_group_of_each_tile():
    trainer, _ = begin(conditional=True, clusters=2)
    trainer.D = OfGroup()
    trainer.sample_sheet()
    trainer.measure()
    tiles = trainer._signals.looks.tiles
    told = trainer.ema.class_conditioning().group(trainer.fixed_z, trainer.fixed_labels)
    assert torch.equal(tiles.logits, told.float())
    assert torch.equal(tiles.logits.long() // 2, trainer.fixed_labels)


class Patches(nn.Module):
    """A D that judges four places of each image."""

    def forward(self, images: torch.Tensor, groups: torch.Tensor | None) -> torch.Tensor:
        return images.unfold(2, 14, 14).unfold(3, 14, 14).mean((1, 4, 5)).flatten(1)


@pytest.mark.parametrize("settings", [{}, {"conditional": True}])
def test_a_d_of_patches_gives_one_number_for_each_image(settings):
    trainer, digits = begin(**settings)
    trainer.D = Patches()
    trainer.sample_sheet()
    assert 0 <= trainer.measure()["auc"] <= 1
    means = digits.images[trainer._signals.trained].float().mean((1, 2, 3)) / 127.5 - 1
    assert torch.allclose(trainer._signals.looks.trained.logits, means, atol=1e-5)


def test_there_is_nothing_before_the_first_sheet_and_after_a_rollback():
    trainer, _ = begin()
    assert trainer.eyes() is None
    trainer.measure()
    assert trainer.eyes() is None
    trainer.sample_sheet()
    assert trainer.eyes() is None, "the last measurement had no tiles"
    assert trainer.eyes(anew=True) is not None
    trainer.load({name: value.clone() for name, value in trainer.state().items()})
    assert trainer.eyes(anew=True) is None, "the sheet shows other weights"


def test_the_file_is_small_and_the_server_reads_it_again():
    trainer, _ = begin()
    trainer.sample_sheet()
    trainer.measure()
    told = {"step": 30, "images": 240, "sheet": 28, **trainer.eyes()}
    counts = json.dumps([told[name] for name in reading.COUNTED], separators=(",", ":"))
    assert len(counts) < BYTES
    assert reading.parse(json.dumps(told).encode()) == told


GOOD = {
    "step": 3, "images": 24, "sheet": 2, "low": -1.0, "high": 1.5,
    "trained": [1, 2], "held_out": [3, 0], "fakes": [0, 3], "tiles": [None, 0, 100, *[5] * 61],
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"step": -1}, {"sheet": None}, {"sheet": "<script>"}, {"images": 1e300}, {"low": 2.0}, {"high": None},
        {"trained": [1, 2, 3]}, {"fakes": [0, 0]}, {"held_out": []}, {"fakes": [0, -3]}, {"fakes": {"0": 1}},
        {"trained": [1] * 10**4}, {"tiles": [5] * 63}, {"tiles": [101] * 64}, {"tiles": ["5"] * 64},
        {"tiles": None},
    ],
)  # fmt: skip
def test_what_no_worker_writes_is_not_read(change):
    assert reading.parse(json.dumps(GOOD | {"more": 1}).encode()) == GOOD
    assert reading.parse(json.dumps(GOOD | change).encode()) is None


@pytest.mark.parametrize("data", [None, b"", b"[]", b"{", b"\xff", json.dumps(GOOD).encode()[:-9]])
def test_a_damaged_file_is_none(data):
    assert reading.parse(data) is None
