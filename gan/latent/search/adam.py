"""Adam for latent vectors, with a warm-up and a cosine decay (the projector of StyleGAN2, Karras et al.
2020).
"""

import math
from typing import NamedTuple

import torch

BETAS = (0.9, 0.99)
BOUND = 7.99  # largest |entry| of z, because a point's `at` ends at 8


class Rate(NamedTuple):
    """A learning-rate schedule.

    The rate rises to `top` in `warm` steps. A cosine lowers it to the share `last` of `top` after `steps`.
    """

    top: float
    warm: int
    last: float
    steps: int

    def __call__(self, step: int) -> float:
        """The learning rate at a step from 1 to `steps`."""
        return (
            self.top
            * min(1, step / self.warm)
            * (self.last + (1 - self.last) * (1 + math.cos(math.pi * step / self.steps)) / 2)
        )


class SearchAdam:
    """Minimise a loss over z (..., z_dim). Each entry of z stays in [-BOUND, BOUND].

    `steps` counts the steps so far.
    """

    def __init__(self, z: torch.Tensor, rate: Rate):
        self.z, self.rate, self.steps = z.clone(), rate, 0
        self.moments: tuple[torch.Tensor, ...] = torch.zeros_like(z), torch.zeros_like(z)

    @property
    def done(self) -> bool:
        return self.steps >= self.rate.steps

    def step(self, slopes: torch.Tensor) -> None:
        """Update z once from gradients of its shape."""
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
