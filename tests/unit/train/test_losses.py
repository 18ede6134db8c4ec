"""Test losses and penalties against values by hand, or by another route through autograd."""

import math

import pytest
import torch

from gan import objectives
from gan.train.losses import LOSSES, PENALTIES, Judged, interpolate, squared_gradient
from gan.train.step import Judgement, MicroBatch, describe

REAL, FAKE = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 3.0])


def sp(x: float) -> float:
    return math.log1p(math.exp(x))


# (D's loss, G's loss) of the two pairs above, written out from each paper's formula.
BY_HAND = {
    "relativistic": ((sp(0.5 - 1.0) + sp(3.0 + 2.0)) / 2, (sp(1.0 - 0.5) + sp(-2.0 - 3.0)) / 2),
    "relativistic_hinge": ((0.5 + 6.0) / 2, (1.5 + 0.0) / 2),
    "nonsaturating": ((sp(-1.0) + sp(0.5) + sp(2.0) + sp(3.0)) / 2, (sp(-0.5) + sp(-3.0)) / 2),
    "hinge": ((0.0 + 1.5 + 3.0 + 4.0) / 2, -1.75),
    "least_squares": (0.5 * (0.0 + 0.25 + 9.0 + 9.0) / 2, 0.5 * (0.25 + 4.0) / 2),
    "wasserstein": ((0.5 - 1.0 + 3.0 + 2.0) / 2, -1.75),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_by_hand(name):
    discriminator, generator = BY_HAND[name]
    assert LOSSES[name].discriminator(REAL, FAKE).item() == pytest.approx(discriminator, rel=1e-6)
    assert LOSSES[name].generator(REAL, FAKE).item() == pytest.approx(generator, rel=1e-6)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("shares", [(1.0,), (0.5, 0.5)], ids=["whole", "in micro-batches"])
def test_the_statistics_hold_both_losses_of_the_same_logits(name, shares):
    """G's loss once came from D's logits after D's update, and could not be compared with D's loss."""
    cuts = [slice(None)] if len(shares) == 1 else [slice(0, 1), slice(1, 2)]
    batches, parts = [], []
    for share, cut in zip(shares, cuts, strict=True):
        of_d = share * LOSSES[name].discriminator(REAL[cut], FAKE[cut])
        batches.append(MicroBatch(torch.empty(0), None, torch.empty(0), share))
        parts.append(Judgement(of_d, torch.tensor(0.0), REAL[cut], FAKE[cut]))
    update = describe(name, batches, parts)
    assert (update.loss.item(), update.loss_g.item()) == pytest.approx(BY_HAND[name], rel=1e-6)
    if name in GAP_OF_G_AND_D:
        expected = GAP_OF_G_AND_D[name](update.real.item(), update.fake.item())
        assert update.loss_g.item() - update.loss.item() == pytest.approx(expected, rel=1e-5)


# Identities in the means of D's logits. softplus(d) - softplus(-d) = d gives the first.
GAP_OF_G_AND_D = {
    "relativistic": lambda real, fake: real - fake,
    "wasserstein": lambda real, fake: real - 2 * fake,
}


def test_nonsaturating_is_binary_cross_entropy():
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    expected = bce(REAL, torch.ones(2)) + bce(FAKE, torch.zeros(2))
    torch.testing.assert_close(LOSSES["nonsaturating"].discriminator(REAL, FAKE), expected)
    torch.testing.assert_close(LOSSES["nonsaturating"].generator(REAL, FAKE), bce(FAKE, torch.ones(2)))


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_paired_where_what_g_minimises_depends_on_the_logits_of_real_images(name):
    """A paired loss must get the logits of real images. A loss that hid this would train G on zeros."""
    loss = LOSSES[name]
    assert (
        objectives.LOSSES[name].paired
        == (loss.generator(REAL, FAKE) != loss.generator(REAL + 0.5, FAKE)).item()
    )
    shifted = (loss.discriminator(REAL + 0.5, FAKE + 0.5) - loss.discriminator(REAL, FAKE)).abs().item()
    if objectives.LOSSES[name].paired:
        assert shifted < 1e-6, "a pair knows no level, so that no single logit is undecided"
        assert objectives.LOSSES[name].undecided is None


@pytest.mark.parametrize("name", PENALTIES)
def test_a_penalty_reads_the_gradients_that_its_facts_name(name):
    facts, w = objectives.PENALTIES[name], torch.randn(1, 2, 2)
    judge = lambda images: (images * w).flatten(1).sum(1).square()  # noqa: E731
    sides = [torch.randn(3, 1, 2, 2, requires_grad=wanted) for wanted in (facts.on_real, facts.on_fake)]
    penalty = PENALTIES[name](judge, *(Judged(images, judge(images)) for images in sides), torch.Generator())
    assert penalty.shape == ()
    assert (penalty > 0) == (name != "none")
    for images in sides:  # and it needs each of them
        if images.requires_grad:
            assert torch.autograd.grad(penalty, images, retain_graph=True)[0].abs().sum() > 0


@pytest.mark.parametrize("name", [name for name, facts in objectives.LOSSES.items() if facts.equilibrium])
def test_equilibrium_is_what_an_undecided_discriminator_gives(name):
    undecided = torch.full((4,), objectives.LOSSES[name].undecided or 0.0)
    discriminator, generator = objectives.LOSSES[name].equilibrium
    assert LOSSES[name].discriminator(undecided, undecided).item() == pytest.approx(discriminator, abs=1e-6)
    assert LOSSES[name].generator(undecided, undecided).item() == pytest.approx(generator, abs=1e-6)


@pytest.mark.parametrize("name", [name for name, facts in objectives.LOSSES.items() if facts.equilibrium])
@pytest.mark.parametrize("gap", [0.1, 0.4])
def test_where_d_is_a_little_ahead_its_loss_is_below_the_dashed_line_and_that_of_g_above(name, gap):
    """The text under the chart says so."""
    middle, (of_d, of_g) = objectives.LOSSES[name].undecided or 0.0, objectives.LOSSES[name].equilibrium
    real, fake = torch.full((4,), middle + gap), torch.full((4,), middle - gap)
    assert LOSSES[name].discriminator(real, fake) < of_d
    assert LOSSES[name].generator(real, fake) > of_g


def test_squared_gradient_of_a_linear_critic_is_its_weight_norm():
    weight = torch.arange(12.0).view(1, 3, 2, 2)
    images = torch.randn(5, 3, 2, 2, requires_grad=True)
    penalty = squared_gradient((images * weight).flatten(1).sum(1), images)
    torch.testing.assert_close(penalty, weight.square().sum().expand(5))


def test_squared_gradient_is_differentiable_to_the_second_order():
    """f(x) = w sum(x^3): |grad|^2 = 9 w^2 sum(x^4), so d/dw = 18 w sum(x^4)."""
    w = torch.tensor(0.7, requires_grad=True)
    images = torch.randn(3, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    penalty = squared_gradient((w * images.pow(3)).flatten(1).sum(1), images)
    fourth = images.detach().pow(4).flatten(1).sum(1)
    torch.testing.assert_close(penalty.detach(), 9 * w.detach().double() ** 2 * fourth)
    penalty.sum().backward()
    assert w.grad.item() == pytest.approx(18 * 0.7 * fourth.sum().item(), rel=1e-5)


def test_penalty_sums_over_pixels_and_never_mixes_samples():
    images = torch.randn(4, 1, 3, 3, requires_grad=True)
    scale = torch.tensor([1.0, 2.0, 3.0, 4.0])
    penalty = squared_gradient(images.flatten(1).sum(1) * scale, images)
    torch.testing.assert_close(penalty, 9 * scale.square())


def test_interpolates_lie_between_their_own_pair():
    real, fake = torch.rand(6, 1, 2, 2), torch.rand(6, 1, 2, 2) + 2
    between = interpolate(real, fake, torch.Generator().manual_seed(0))
    share = ((between - real) / (fake - real)).detach().flatten(1)
    assert between.requires_grad
    assert bool(((share >= 0) & (share <= 1)).all())
    torch.testing.assert_close(share, share[:, :1].expand_as(share), atol=1e-5, rtol=0)
    assert share[:, 0].std() > 0.05
