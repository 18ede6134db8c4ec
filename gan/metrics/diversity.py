"""How much pictures differ from one another, cheap enough to be measured while a run goes on."""

import torch


def pairwise_diversity(images: torch.Tensor) -> float:
    """Mean Euclidean distance between all pairs of images (N, C, H, W), N >= 2, each shrunk to 8x8 pixels by averaging.

    In the units of the pixels. Shrinking keeps what the eye sees first and drops noise, which would pass for variety.
    """
    small = torch.nn.functional.adaptive_avg_pool2d(images.float(), 8).flatten(1)
    return torch.pdist(small).mean().item()


ALIKE = 0.05  # of reals that differ less than this the share would be noise: ten pictures of one thing differ by about 1


def relative_diversity(fakes: torch.Tensor, real: float) -> float | None:
    """The diversity of fakes (N, C, H, W) in [-1, 1] over that of real pictures, 1 where they differ as much; None where the reals do not differ."""
    return round(pairwise_diversity(fakes) / real, 3) if real >= ALIKE else None
