"""Score generators on Stacked MNIST (Metz et al. 2017): three digits as the colour channels of an image.

The protocol is that of VEEGAN (Srivastava et al. 2017) and PacGAN (Lin et al. 2018). There are 1000 modes,
one for each triple of digits. A classifier reads each channel of 26,000 samples. The scores are the number of
modes that it finds at least once, and KL(samples || real) over all 1000. A perfect generator would score 1000
modes. Its KL would be about 999 / 52,000 = .019, because 26,000 samples are few.

The papers enlarge images to 32x32, and each uses its own classifier. Here images stay at 28x28, and the
digits net of gan/metrics/nets reads them.
"""

import torch

from gan.metrics.extractors import Extractor, Features
from gan.metrics.modes import class_histogram, mode_divergence, modes_covered
from gan.metrics.score import compare

TRAINING = 128_000  # training images, as in both papers
SAMPLES = 26_000
MODES = 1000
# number of times that each digit occurs in MNIST's training split
DIGITS = (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)


def stack(digits: torch.Tensor, count: int, seed: int) -> torch.Tensor:
    """Stack random digits (N, 1, H, W), with replacement, as channels of uint8 images (count, 3, H, W)."""
    rng = torch.Generator().manual_seed(seed)
    return digits[:, 0][torch.randint(len(digits), (count, 3), generator=rng)]


def extract(extractor: Extractor, images: torch.Tensor) -> Features:
    """Extract the features of uint8 images (N, 3, H, W), and their modes, in 0..999.

    The digits extractor reads each channel. The result has the channels' features side by side. The first
    channel gives the hundreds, the last one the units.
    """
    views = [extractor.extract(images[:, k : k + 1]) for k in range(3)]
    hundreds, tens, units = (view.classes for view in views)
    return Features(torch.cat([view.features for view in views], 1), 100 * hundreds + 10 * tens + units)


def real_shares() -> torch.Tensor:
    """Return the probability of each of the 1000 modes, float64 (1000,).

    Each mode is three independent digits of the training split.
    """
    digit = torch.tensor(DIGITS, dtype=torch.float64) / sum(DIGITS)
    return torch.einsum("i,j,k->ijk", digit, digit, digit).flatten()


def mode_scores(modes: torch.Tensor) -> dict[str, float]:
    """Return the number of modes that samples cover, and their KL in nats against `real_shares`.

    `modes` (N,) are the modes of the samples. The keys are "modes" and "mode KL".
    """
    drawn = class_histogram(modes, MODES)
    return {"modes": modes_covered(real_shares(), drawn), "mode KL": mode_divergence(real_shares(), drawn)}


def score(
    real: torch.Tensor, fake: torch.Tensor, extractor: Extractor, train: torch.Tensor | None = None
) -> dict[str, float]:
    """Return the mode scores of all samples, and `compare`'s scores of as many as the held-out images."""
    drawn, held_out = extract(extractor, fake), extract(extractor, real)
    return {**compare(held_out.features, drawn.features[: len(real)]), **mode_scores(drawn.classes)}
