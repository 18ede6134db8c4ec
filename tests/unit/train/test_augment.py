"""Test augmentation: shapes, ranges, and gradients of first and second order."""

import pytest
import torch

from gan.train.inputs.augment import ADAPT_MAX, AUGMENTS, adapt, augment, color, cutout, translation


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kind", AUGMENTS)
@pytest.mark.parametrize("shape", [(5, 1, 28, 28), (3, 3, 64, 64)])
def test_shape_determinism_and_identity(kind, shape):
    images = torch.randn(shape)
    once, again, other = (augment(images, kind, rng(seed)) for seed in (1, 1, 2))
    assert once.shape == images.shape
    assert torch.equal(once, again)
    assert torch.equal(once, images) == (kind == "none")
    assert torch.equal(once, other) == (kind == "none")


def test_translation_moves_pixels_whole_and_repeats_the_edge():
    ramp = torch.arange(16.0).expand(1, 1, 16, 16).repeat(64, 1, 1, 1)
    moved = translation(ramp, rng())
    shifts = (moved[:, 0, 8, 8] - 8).long()
    assert shifts.min() == -2
    assert shifts.max() == 2
    for image, shift in zip(moved, shifts, strict=True):
        torch.testing.assert_close(image[0, 0], (torch.arange(16) + shift).clamp(0, 15).float())


def test_cutout_blanks_at_most_a_quarter_and_nothing_else():
    cut = cutout(torch.ones(200, 3, 32, 32), rng())
    blank = (cut == 0).float().mean((1, 2, 3))
    assert bool(((cut == 0) | (cut == 1)).all())
    assert 0.2 < blank.max() <= 0.27
    assert blank.min() > 0.05


def test_color_keeps_grey_pictures_grey_and_the_layout():
    grey = torch.rand(8, 1, 8, 8).expand(-1, 3, -1, -1)
    changed = color(grey, rng())
    torch.testing.assert_close(changed[:, 0], changed[:, 2], atol=1e-5, rtol=0)
    order = changed[:, 0].flatten(1).argsort(1)
    assert torch.equal(order, grey[:, 0].flatten(1).argsort(1))


@pytest.mark.parametrize("kind", [kind for kind in AUGMENTS if kind != "none"])
def test_second_gradients_match_finite_differences(kind):
    images = torch.randn(2, 1, 8, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(
        lambda x: augment(x.float().double(), kind, rng(3)).pow(2), images, eps=1e-3, atol=1e-2, rtol=1e-2
    )


def test_with_a_probability_that_part_of_the_images_is_changed():
    images = torch.rand(2000, 1, 8, 8) * 2 - 1
    for probability in (0.0, 0.3, 1.0):
        changed = augment(images, "color,translation,cutout", rng(), torch.tensor(probability))
        touched = (changed != images).flatten(1).any(1).float().mean().item()
        # Three functions act independently, and a ninth of the translations move nothing. For 2,000 images
        # the standard deviation of the share is below .011.
        assert touched == pytest.approx(1 - (1 - probability) ** 2 * (1 - probability * 8 / 9), abs=0.04)


def test_augmentation_grows_while_d_knows_the_pictures_and_shrinks_when_it_does_not():
    probability, overfit = torch.tensor(0.0), torch.tensor(0.0)
    path = []
    for sign in [0.9] * 2000 + [0.1] * 3000:
        adapt(probability, overfit, torch.tensor(sign), 32)
        path.append(probability.item())
    assert path[500] > 0.25  # 500 steps of 32 are 16,000 images: .32 less the start of the running mean
    assert max(path) == pytest.approx(ADAPT_MAX)
    assert path[-1] == 0.0
