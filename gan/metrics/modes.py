"""Compare how often each class occurs among real and generated images, by a classifier's predictions."""

import torch


def class_histogram(classes: torch.Tensor, count: int) -> torch.Tensor:
    """Count each class in classes (N,), integers from 0 to count - 1: (count,) int64.

    Raises ValueError for larger numbers.
    """
    histogram = torch.bincount(classes, minlength=count)
    if len(histogram) > count:
        raise ValueError(f"class {int(classes.max())} is not one of {count} classes")
    return histogram


def mode_divergence(real: torch.Tensor, fake: torch.Tensor) -> float:
    """KL(fake || real) in nats between two non-empty histograms (K,) of counts.

    It is 0 for equal histograms, and log K if all fakes fall into one of K equally frequent classes. It is
    infinite if fakes have a class that no real image has.

    Direction and lack of smoothing follow the Stacked MNIST test (Metz et al. 2017, Srivastava et al. 2017
    and PacGAN, Lin et al. 2018). A missing class costs through the excess of the other classes.
    """
    real, fake = real.double() / real.sum(), fake.double() / fake.sum()
    return max(0.0, (torch.special.xlogy(fake, fake) - torch.special.xlogy(fake, real)).sum().item())


def modes_covered(real: torch.Tensor, fake: torch.Tensor) -> int:
    """Count the classes of the real histogram (K,) that also occur in the fake one (K,)."""
    return int(((real > 0) & (fake > 0)).sum())
