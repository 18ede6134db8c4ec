"""Test whether a nearest-neighbour classifier can tell real from fake (Lopez-Paz and Oquab 2017).

Xu et al. 2018 use the test as a score of GANs.
"""

from typing import NamedTuple

import torch

from gan.metrics.distances import nearest


class OneNearestNeighbour(NamedTuple):
    """Accuracies of the classifier, 0 to 1.

    About .5 means that real and fake are indistinguishable, and 1 that they are separate. Less than .5 means
    that fakes copy reals.

    Check both halves. If fakes crowd around the centres of the modes, the classifier gets them right
    and the reals around them wrong. The mean is then also .5.
    """

    accuracy: float  # mean of the two below
    real: float
    fake: float


def one_nearest_neighbour(real: torch.Tensor, fake: torch.Tensor) -> OneNearestNeighbour:
    """Leave-one-out accuracy of the 1-nearest-neighbour classifier on real and fake features, (N, D) each.

    Raises ValueError unless both sets are equally large, not empty and finite. With unequal sets, always
    guessing the larger one would beat .5.
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
