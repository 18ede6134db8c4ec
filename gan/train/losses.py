"""Adversarial losses and gradient penalties: pure functions of logits, with no file and no clock. Their facts
stand in `gan.objectives`.

A loss takes D's logits on real and fake images, (N,) each, paired by position, and returns the mean over the
batch, to be minimised.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch.nn.functional import relu, softplus

Logits = torch.Tensor
Judge = Callable[[torch.Tensor], Logits]  # images (N, C, H, W) -> D's logits on them (N,)


class Loss(NamedTuple):
    """The two sides of a game: each maps (logits on real, logits on fake) to a scalar."""

    discriminator: Callable[[Logits, Logits], torch.Tensor]
    generator: Callable[[Logits, Logits], torch.Tensor]


class Judged(NamedTuple):
    """Images (N, C, H, W) and D's logits on them (N,)."""

    images: torch.Tensor
    logits: Logits


# (judge, real, fake, random generator) -> the mean penalty () before its weight gamma / 2
Penalty = Callable[[Judge, Judged, Judged, torch.Generator | None], torch.Tensor]

LOSSES: dict[str, Loss] = {
    # RpGAN (Jolicoeur-Martineau 2018; R3GAN, Huang et al. 2024): D must rate each real image above the fake
    # it is paired with.
    "relativistic": Loss(
        lambda real, fake: softplus(fake - real).mean(), lambda real, fake: softplus(real - fake).mean()
    ),
    # RpGAN with the hinge in place of the softplus (Jolicoeur-Martineau 2018).
    "relativistic_hinge": Loss(
        lambda real, fake: relu(1 + fake - real).mean(), lambda real, fake: relu(1 + real - fake).mean()
    ),
    # Binary cross-entropy on logits, G maximising log D(G(z)) (Goodfellow et al. 2014).
    "nonsaturating": Loss(
        lambda real, fake: (softplus(-real) + softplus(fake)).mean(),
        lambda real, fake: softplus(-fake).mean(),
    ),
    # Hinge (Lim and Ye 2017).
    "hinge": Loss(
        lambda real, fake: (relu(1 - real) + relu(1 + fake)).mean(), lambda real, fake: -fake.mean()
    ),
    # LSGAN (Mao et al. 2017) with the targets 0 for fake and 1 for real.
    "least_squares": Loss(
        lambda real, fake: 0.5 * ((real - 1).square() + fake.square()).mean(),
        lambda real, fake: 0.5 * (fake - 1).square().mean(),
    ),
    # WGAN (Arjovsky et al. 2017): the critic's gap estimates the Wasserstein-1 distance.
    "wasserstein": Loss(lambda real, fake: (fake - real).mean(), lambda real, fake: -fake.mean()),
}


def squared_gradient(logits: Logits, images: torch.Tensor) -> torch.Tensor:
    """Squared norm of each logit's gradient with respect to its own image, summed over channels and pixels:
    (N,), differentiable.

    `images` must require grad and have led to `logits`. This is R1 on real images (Mescheder et al. 2018) and
    R2 on fakes.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().flatten(1).sum(1)


def interpolate(real: torch.Tensor, fake: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
    """Random points between paired real and fake images (WGAN-GP, Gulrajani et al. 2017), requiring grad: (N,
    C, H, W).
    """
    share = torch.rand(len(real), 1, 1, 1, device=real.device, generator=generator)
    return torch.lerp(real, fake, share).detach().requires_grad_()


def _none(judge: Judge, real: Judged, fake: Judged, rng: torch.Generator | None) -> torch.Tensor:
    return real.logits.new_zeros(())


def _r1(judge: Judge, real: Judged, fake: Judged, rng: torch.Generator | None) -> torch.Tensor:
    return squared_gradient(real.logits, real.images).mean()


def _r1r2(judge: Judge, real: Judged, fake: Judged, rng: torch.Generator | None) -> torch.Tensor:
    return (
        squared_gradient(real.logits, real.images).mean() + squared_gradient(fake.logits, fake.images).mean()
    )


def _wgan_gp(judge: Judge, real: Judged, fake: Judged, rng: torch.Generator | None) -> torch.Tensor:
    between = interpolate(real.images, fake.images, rng)
    return (squared_gradient(judge(between), between).sqrt() - 1).square().mean()


PENALTIES: dict[str, Penalty] = {"none": _none, "r1": _r1, "r1r2": _r1r2, "wgan_gp": _wgan_gp}
