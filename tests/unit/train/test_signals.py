"""Test the signals of a run on images, with networks whose faults are known."""

import dataclasses

import pytest
import torch
from torch import nn

from gan import data
from gan.config import RunConfig
from gan.data import Dataset
from gan.kinds.images import signals
from gan.kinds.images.engine import ImagesTrainer
from gan.kinds.images.signals import COUNT, Signals
from gan.metrics.pairs import share_above
from gan.train.trainer import Trainer
from tests.support.engine import CPU

DIGITS = RunConfig(data="digits", size=28, channels=1, batch=8, width=8, z_dim=8)


class Fixed(nn.Module):
    """A G that returns given images (N, C, H, W) in [-1, 1], in order, whatever the latents."""

    def __init__(self, images: torch.Tensor):
        super().__init__()
        self.images, self.at = images, 0

    def forward(self, z: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        begin = self.at
        self.at = (begin + len(z)) % len(self.images)
        return self.images[begin : begin + len(z)]


class Knows(nn.Module):
    """A D that gives 1 to images that it knows, pixel by pixel, and a little noise to all."""

    def __init__(self, images: torch.Tensor):
        super().__init__()
        self.known = {image.numpy().tobytes() for image in images}

    def forward(self, images: torch.Tensor, groups: torch.Tensor | None) -> torch.Tensor:
        pixels = ((images + 1) * 127.5).round().to(torch.uint8)
        told = torch.tensor([image.contiguous().numpy().tobytes() in self.known for image in pixels])
        return told.float() + 1e-3 * images.flatten(1).mean(1)


class Blank(nn.Module):
    """A G that draws nothing, with the conditioning of another."""

    def __init__(self, other: nn.Module):
        super().__init__()
        self.class_conditioning = other.class_conditioning

    def forward(self, z: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        return torch.full((len(z), 1, 28, 28), -0.5)


class Paints(nn.Module):
    """A D that judges by the mean of the pixels."""

    def forward(self, images: torch.Tensor, groups: torch.Tensor | None) -> torch.Tensor:
        return images.flatten(1).mean(1)


def begin(count: int = 5_000, **settings: object) -> tuple[Trainer, Dataset]:
    digits = data.load("digits", settings.get("size", 28), 1)
    rows = torch.arange(count)
    small = dataclasses.replace(digits, images=digits.images[rows], labels=digits.labels[rows], attributes={})
    return ImagesTrainer(dataclasses.replace(DIGITS, **settings), small, CPU), small


def images(dataset: Dataset, rows: torch.Tensor) -> torch.Tensor:
    return dataset.images[rows].float() / 127.5 - 1


def test_the_area_under_the_curve_is_the_share_of_right_pairs():
    real, fake = torch.tensor([2.0, 1.0, 0.0]), torch.tensor([1.0, -1.0])
    # of six pairs four are right, one is wrong, one is a tie
    assert share_above(real[:, None] - fake) == pytest.approx(4.5 / 6)
    assert share_above(real[:, None] - real) == 0.5
    assert share_above(torch.empty(0)) is None


class Biased(nn.Module):
    """A D that knows real images by heart, and gives each group another zero."""

    def __init__(self, images: torch.Tensor):
        super().__init__()
        self.knows = Knows(images)

    def forward(self, images: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
        return self.knows(images, groups) + 100.0 * groups


def test_only_images_of_one_group_are_compared():
    trainer, digits = begin(conditional=True)
    trainer.D = Biased(digits.images)  # it also knows the held-out ones
    trainer.G = Blank(trainer.G)
    found = trainer.measure()
    assert found["auc"] > 0.99
    assert found["seen"] == pytest.approx(0.5, abs=0.1)
    assert found["by_heart"] == pytest.approx(0, abs=0.01)


def test_each_fake_is_of_the_group_that_d_takes_it_for():
    trainer, _ = begin(conditional=True, clusters=2)
    trainer.measure()
    signals = trainer._signals
    told = trainer.G.class_conditioning().group(signals.z, signals.of_g)
    assert torch.equal(told, trainer.groups[signals.reals])


def test_samples_like_the_data_please_the_referee():
    trainer, digits = begin()
    trainer.G = Fixed(images(digits, trainer.split.trained[:COUNT]))
    found = trainer.measure()
    assert found["coverage"] > 0.85
    assert found["precision"] > 0.7
    assert 0.4 < found["referee"] < 0.62  # the standard deviation of 512 answers at .5 is .022
    assert found["variety"] == pytest.approx(1, abs=0.1)
    assert found["classes"] == pytest.approx(1, abs=0.1)
    assert found["turnover"] is None
    trainer.G.at = 0
    assert trainer.measure()["turnover"] == 0


def test_one_image_again_and_again_is_a_collapse():
    trainer, digits = begin()
    one = images(digits, trainer.split.trained[:1])
    trainer.G = Fixed(one.repeat(COUNT, 1, 1, 1))
    found = trainer.measure()
    assert found["coverage"] < 0.05
    assert found["variety"] < 0.01
    assert found["classes"] < 0.12
    assert found["referee"] > 0.95


def test_turnover_counts_the_latents_that_show_another_kind():
    trainer, digits = begin()
    trainer.G = Fixed(images(digits, trainer.split.trained[:COUNT]))
    trainer.measure()
    trainer.G.at, trainer.G.images = 0, trainer.G.images.clone()
    one = (digits.labels == 1).nonzero().squeeze(1)[:1]
    not_one = trainer._signals.last_cells[:64] != 1
    trainer.G.images[:64] = images(digits, one)
    assert trainer.measure()["turnover"] == pytest.approx(not_one.sum().item() / COUNT, abs=1e-3)


def test_where_g_is_told_the_class_its_obedience_is_measured():
    trainer, digits = begin(conditional=True)
    trainer.measure()
    told = trainer._signals.labels
    by_class = {label: (digits.labels == label).nonzero().squeeze(1)[0] for label in range(10)}
    obedient = torch.stack([by_class[label] for label in told.tolist()])
    trainer.G = Fixed(images(digits, obedient))
    found = trainer.measure()
    assert found["agreement"] > 0.95
    assert found["classes"] is None, "the classes are given"
    trainer.G = Fixed(images(digits, torch.stack([by_class[(label + 1) % 10] for label in told.tolist()])))
    assert trainer.measure()["agreement"] < 0.05


def test_a_d_that_knows_its_images_by_heart_is_found_out():
    trainer, digits = begin()
    trainer.D = Knows(digits.images[trainer.split.trained])
    found = trainer.measure()
    assert found["seen"] > 0.99
    assert found["by_heart"] == pytest.approx(1, abs=0.01)
    assert found["auc"] > 0.99
    trainer.D = Paints()
    # the standard deviation of the area for two samples of 256 is .026
    assert trainer.measure()["seen"] == pytest.approx(0.5, abs=0.1)


def test_in_a_larger_set_copies_are_looked_for_once_d_knows_its_images_by_heart(monkeypatch):
    monkeypatch.setattr(signals, "LEARNED_PART", 1_200)
    trainer, digits = begin(3_000)
    trained = trainer.split.trained
    trainer.G = Fixed(images(digits, trained[:COUNT]))
    assert trainer.measure()["copies"] is None
    trainer.D = Knows(digits.images[trained])
    found = [trainer.measure()["copies"] for _ in range(3)]
    assert found[:2] == [None, None], "1,200 of 2,700 images a time"
    assert found[2] > 0.9
    trainer.G.images = images(digits, trainer.split.held_out[:COUNT])
    assert trainer.measure()["copies"] < 0.1


def test_in_a_small_set_copies_are_always_looked_for():
    trainer, digits = begin(400)
    trainer.G = Fixed(images(digits, trainer.split.trained[:COUNT]))
    assert trainer.measure()["copies"] == 1.0


@pytest.mark.parametrize(
    ("count", "reals"), [(1_000, "held"), (500, "held"), (400, "trained"), (40, "trained")]
)
def test_few_held_out_images_are_no_referees_reals(count, reals):
    trainer, digits = begin(count)
    found = Signals(trainer, digits.labels, "digits")
    assert torch.equal(found.reals, getattr(found, reals))
    told = found.measure()
    assert set(told) == set(Signals.NAMES)
    assert (told["seen"] is None) == (count < 60)


def test_pixels_are_sorted_into_cells_where_no_net_fits():
    trainer, digits = begin()
    pixels = Signals(trainer, None, "/somebody/digits")
    assert pixels.extractor.name == "pixels"
    trainer.G = Fixed(images(digits, trainer.split.trained[:COUNT]))
    assert pixels.measure()["classes"] == pytest.approx(1, abs=0.2)
    trainer.G = Fixed(images(digits, trainer.split.trained[:1]).repeat(COUNT, 1, 1, 1))
    assert pixels.measure()["classes"] < 0.15


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"conditional": True, "clusters": 2},
        {"architecture": "dcgan", "size": 32, "loss": "nonsaturating", "penalty": "none"},
    ],
)
def test_a_measurement_changes_no_step(settings):
    watched, alone = begin(500, **settings)[0], begin(500, **settings)[0]
    watched.advance(3), alone.advance(3)
    torch.manual_seed(0)
    watched.sample_sheet()
    watched.measure()
    assert watched.eyes() is not None
    assert watched.eyes(anew=True) is not None
    assert watched.advance(3) == alone.advance(3)
    ours, theirs = watched.state(), alone.state()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_batch_norm_goes_by_the_batch_as_in_a_step():
    trainer, _ = begin(500, architecture="dcgan", size=32, loss="nonsaturating", penalty="none")
    trainer.advance(10)
    z = torch.randn(8, 8)
    trainer.G.train()
    expected = trainer.G(z, None)
    kept = {name: value.clone() for name, value in trainer.G.state_dict().items()}
    with signals.as_in_a_step(trainer.G):
        assert torch.equal(trainer.G(z, None), expected)
    assert all(torch.equal(kept[name], value) for name, value in trainer.G.state_dict().items())


def test_images_that_a_set_holds_twice_hide_no_copies():
    trainer, digits = begin(400)
    rows = trainer.split.trained
    digits.images[rows[:40:2]] = digits.images[rows[1:40:2]]  # a tenth of the training images are doubles
    trainer.batches.images = digits.images
    trainer.D = Knows(digits.images[rows])
    trainer.G = Fixed(images(digits, rows[:COUNT]))
    assert trainer.measure()["copies"] > 0.9
