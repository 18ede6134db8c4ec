"""Adam on places in latent space, with a rate that rises and then falls as a cosine does (the projector of
StyleGAN2, Karras et al. 2020).
"""

import math
from typing import NamedTuple

import torch

BETAS = (0.9, 0.99)
BOUND = 7.99  # of a number of z, as points can write it out


class Rate(NamedTuple):
    """Adam's rate: `top`, reached after `warm` steps, of which the part `last` is left after `steps`."""

    top: float
    warm: int
    last: float
    steps: int

    def __call__(self, step: int) -> float:
        """At a step from 1 to `steps`."""
        return (
            self.top
            * min(1, step / self.warm)
            * (self.last + (1 - self.last) * (1 + math.cos(math.pi * step / self.steps)) / 2)
        )


class SearchAdam:
    """Moves z (..., z_dim) against its slopes, `step` by `step`; `steps` of them were taken. No number of z
    leaves -BOUND to BOUND.
    """

    def __init__(self, z: torch.Tensor, rate: Rate):
        self.z, self.rate, self.steps = z.clone(), rate, 0
        self.moments = torch.zeros_like(z), torch.zeros_like(z)

    @property
    def done(self) -> bool:
        return self.steps >= self.rate.steps

    def step(self, slopes: torch.Tensor) -> None:
        """Move z once; slopes are of its shape."""
        self.steps += 1
        powers = (slopes, slopes.square())
        self.moments = tuple(
            beta * moment + (1 - beta) * power
            for beta, moment, power in zip(BETAS, self.moments, powers, strict=True)
        )
        first, second = (
            moment / (1 - beta**self.steps) for beta, moment in zip(BETAS, self.moments, strict=True)
        )
        self.z = (self.z - self.rate(self.steps) * first / (second.sqrt() + 1e-8)).clamp(-BOUND, BOUND)
