"""Can a nearest-neighbour classifier tell real from fake? (Lopez-Paz and Oquab 2017; as a score of GANs: Xu
et al. 2018.)
"""

from typing import NamedTuple

import torch

from gan.metrics.distances import nearest


class OneNearestNeighbour(NamedTuple):
    """Shares that are told right, 0 to 1. About .5 each: real and fake can't be told apart. 1: they are
    apart. Below .5: fakes copy reals.

    Look at the halves as well: fakes that crowd about the centres of the modes are told right and the reals
    around them wrong, on average .5.
    """

    accuracy: float  # of all; the mean of the two below
    real: float
    fake: float


def one_nearest_neighbour(real: torch.Tensor, fake: torch.Tensor) -> OneNearestNeighbour:
    """Leave-one-out accuracy of the 1-nearest-neighbour classifier on real and fake features, (N, D) each.

    Raises ValueError unless both are equally many (with more of one kind, guessing that kind would beat .5),
    at least 1 and finite.
    """
    if real.shape != fake.shape:
        raise ValueError(
            f"real and fake must be equally many, not {tuple(real.shape)} and {tuple(fake.shape)}"
        )
    both = torch.cat([real, fake])
    neighbour_is_real = nearest(both, both, 1, skip_self=True).indices[:, 0] < len(real)
    right_real = neighbour_is_real[: len(real)].double().mean().item()
    right_fake = 1 - neighbour_is_real[len(real) :].double().mean().item()
    return OneNearestNeighbour((right_real + right_fake) / 2, right_real, right_fake)
