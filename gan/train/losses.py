"""Adversarial losses and gradient penalties, as pure functions of logits. `gan.objectives` has their facts.

A loss takes D's logits on real and fake images, (N,) each, paired by index. It returns the mean over the
batch, to be minimised.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch.nn.functional import relu, softplus

Logits = torch.Tensor
Judge = Callable[[torch.Tensor], Logits]  # images (N, C, H, W) -> D's logits on them (N,)


class Loss(NamedTuple):
    """The losses of D and G: each maps (logits on reals, logits on fakes) to a scalar."""

    discriminator: Callable[[Logits, Logits], torch.Tensor]
    generator: Callable[[Logits, Logits], torch.Tensor]


class Judged(NamedTuple):
    """Images (N, C, H, W) and D's logits on them (N,)."""

    images: torch.Tensor
    logits: Logits


# (judge, real, fake, random generator) -> mean penalty (), without its weight gamma / 2
Penalty = Callable[[Judge, Judged, Judged, torch.Generator | None], torch.Tensor]

LOSSES: dict[str, Loss] = {
    # RpGAN (Jolicoeur-Martineau 2018; R3GAN, Huang et al. 2024): D rates a real image above its paired fake.
    "relativistic": Loss(
        lambda real, fake: softplus(fake - real).mean(), lambda real, fake: softplus(real - fake).mean()
    ),
    # RpGAN with a hinge instead of the softplus (Jolicoeur-Martineau 2018).
    "relativistic_hinge": Loss(
        lambda real, fake: relu(1 + fake - real).mean(), lambda real, fake: relu(1 + real - fake).mean()
    ),
    # Binary cross-entropy on logits; G maximises log D(G(z)) (Goodfellow et al. 2014).
    "nonsaturating": Loss(
        lambda real, fake: (softplus(-real) + softplus(fake)).mean(),
        lambda real, fake: softplus(-fake).mean(),
    ),
    # Hinge (Lim and Ye 2017).
    "hinge": Loss(
        lambda real, fake: (relu(1 - real) + relu(1 + fake)).mean(), lambda real, fake: -fake.mean()
    ),
    # LSGAN (Mao et al. 2017) with target 0 for fakes and 1 for reals.
    "least_squares": Loss(
        lambda real, fake: 0.5 * ((real - 1).square() + fake.square()).mean(),
        lambda real, fake: 0.5 * (fake - 1).square().mean(),
    ),
    # WGAN (Arjovsky et al. 2017): the critic's mean difference estimates the Wasserstein-1 distance.
    "wasserstein": Loss(lambda real, fake: (fake - real).mean(), lambda real, fake: -fake.mean()),
}


def squared_gradient(logits: Logits, images: torch.Tensor) -> torch.Tensor:
    """Return the squared norm of each logit's gradient with respect to its own image: (N,), differentiable.

    `images` (N, C, H, W) must require grad and must have led to `logits`. On real images this is R1
    (Mescheder et al. 2018), on fakes R2.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().flatten(1).sum(1)


def interpolate(real: torch.Tensor, fake: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
    """Return random points between paired real and fake images, requiring grad: (N, C, H, W).

    WGAN-GP (Gulrajani et al. 2017) penalises D's gradient at these points.
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
