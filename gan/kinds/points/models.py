"""The MLP pair of points: z -> (x, y) and (x, y) -> a logit.

Plain MLPs of this size learn 25 narrow Gaussians too slowly, because they learn low frequencies first
(Rahaman et al. 2019). So the first layer of each network begins with high frequencies:

    D reads random Fourier features of the point (Tancik et al. 2020), which stay as they are.
    G's first layer is tanh of steep functions of z: steps, whose place and steepness G learns fast. Samples
        between two modes come from the latents within a step, so their share is proportional to its width.
"""

import itertools
import math

import torch
from torch import nn

from gan.kinds.points.recipes import PointsConfig

SLOPE = 0.2  # of LeakyReLU below zero, as in DCGAN
# standard deviation of what G's first layer multiplies z by at the start, and of its biases
STEEPNESS = 20.0
# G's first layer multiplies its output by GAIN, and its weights are so many times smaller. Adam's steps have
# a fixed size, so the layer changes so many times as fast.
GAIN = 3000.0
FREQUENCY = 5.0  # standard deviation of D's frequencies, in radians per unit of the networks


class FourierFeatures(nn.Module):
    """Sines and cosines of random projections: (N, 2) -> (N, 2 * (width // 2)), of mean square 1."""

    frequencies: torch.Tensor  # (2, width // 2)

    def __init__(self, width: int):
        super().__init__()
        self.register_buffer("frequencies", FREQUENCY * torch.randn(2, width // 2))

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        angles = points @ self.frequencies
        return math.sqrt(2) * torch.cat([angles.sin(), angles.cos()], 1)


class Generator(nn.Module):
    """z (N, z_dim) -> points (N, 2): `depth` hidden layers of `width` units.

    The first one is tanh, the others are LeakyReLU.
    """

    def __init__(self, z_dim: int, width: int, depth: int):
        super().__init__()
        self.steps = nn.Linear(z_dim, width)
        nn.init.normal_(self.steps.weight, std=STEEPNESS / GAIN)
        nn.init.normal_(self.steps.bias, std=STEEPNESS / GAIN)
        self.rest = _hidden(width, width, depth - 1, 2)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.rest((GAIN * self.steps(z)).tanh())


class Discriminator(nn.Module):
    """Points (N, 2) -> logits (N,): Fourier features, then `depth` - 1 hidden layers of `width` units.

    The layers are LeakyReLU.
    """

    def __init__(self, width: int, depth: int):
        super().__init__()
        self.features = FourierFeatures(width)
        self.rest = _hidden(2 * (width // 2), width, depth - 1, 1)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        return self.rest(self.features(points)).squeeze(1)


def count_parameters(config: PointsConfig) -> dict[str, int]:
    """Return the numbers of parameters of G and D, without making them."""
    with torch.device("meta"):
        nets = {
            "G": Generator(config.z_dim, config.width, config.depth),
            "D": Discriminator(config.width, config.depth),
        }
    return {name: sum(p.numel() for p in net.parameters()) for name, net in nets.items()}


def _hidden(inputs: int, width: int, depth: int, outputs: int) -> nn.Sequential:
    """`depth` hidden layers with LeakyReLU, then a linear layer: (N, inputs) -> (N, outputs)."""
    sizes = [inputs] + [width] * depth
    layers = [layer for i, o in itertools.pairwise(sizes) for layer in (nn.Linear(i, o), nn.LeakyReLU(SLOPE))]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], outputs))
