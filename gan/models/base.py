"""What the generators of all architectures share."""

import torch
from torch import nn

from gan.models.conditioning import Blend, ClassConditioning


class ImageGenerator(nn.Module):
    """Generates images (N, C, H, W) in [-1, 1] from z (N, z_dim), labels (N,) or None, and a blend or None.

    `conditioning` is None in a generator without classes and clusters.
    """

    z_dim: int
    conditioning: ClassConditioning | None

    def first_layer(
        self, z: torch.Tensor, labels: torch.Tensor | None, blend: Blend | None = None
    ) -> torch.Tensor:
        """Return the activations of the first layer, after its nonlinearity: (N, features)."""
        raise NotImplementedError

    def first_matrix(self) -> torch.Tensor:
        """Return the matrix that multiplies z before the first nonlinearity: (features, z_dim).

        It includes the scale of the batch normalisation in evaluation mode.
        """
        raise NotImplementedError

    def class_conditioning(self) -> ClassConditioning:
        """Return `conditioning`, of a generator that has it."""
        assert self.conditioning is not None, "a generator without classes and clusters"
        return self.conditioning


def scale_of(norm: nn.BatchNorm2d) -> torch.Tensor:
    """Return the factor of each channel in evaluation mode: (channels,)."""
    assert norm.running_var is not None, "a batch normalisation without statistics"
    return norm.weight / (norm.running_var + norm.eps).sqrt()
