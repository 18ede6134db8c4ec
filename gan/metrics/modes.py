"""Are all classes drawn, and as often as they occur? From the classes that a classifier sees in real and in
generated pictures.
"""

import torch


def class_histogram(classes: torch.Tensor, count: int) -> torch.Tensor:
    """How often each of `count` classes occurs in classes (N,), whole numbers from 0 to count - 1: (count,)
    int64.

    Raises ValueError for other numbers.
    """
    histogram = torch.bincount(classes, minlength=count)
    if len(histogram) > count:
        raise ValueError(f"class {int(classes.max())} is not one of {count} classes")
    return histogram


def mode_divergence(real: torch.Tensor, fake: torch.Tensor) -> float:
    """KL(fake || real) in nats between two histograms (K,) of counts, neither empty: 0 if equal, log K if one
    of K even classes is all there is.

    The direction and the absence of smoothing are those of the Stacked MNIST test (Metz et al. 2017,
    Srivastava et al. 2017 and PacGAN, Lin et al. 2018): classes that are never drawn cost what the others
    have too much. Infinite if a class is drawn that no real picture has.
    """
    real, fake = real.double() / real.sum(), fake.double() / fake.sum()
    return max(0.0, (torch.special.xlogy(fake, fake) - torch.special.xlogy(fake, real)).sum().item())


def modes_covered(real: torch.Tensor, fake: torch.Tensor) -> int:
    """How many of the classes that occur in the real histogram (K,) occur at least once in the
    fake one (K,).
    """
    return int(((real > 0) & (fake > 0)).sum())
