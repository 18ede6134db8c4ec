"""Stacked MNIST (Metz et al. 2017): three digits as the colours of a picture, by the protocol of VEEGAN
(Srivastava et al. 2017) and PacGAN (Lin et al. 2018).

1000 modes, one for each triple of digits. 26,000 samples are drawn, a classifier reads each channel, and
counted are the modes that it finds at least once and KL(drawn || real) over all 1000. A perfect generator
would score 1000 and, because 26,000 samples are few, about 999 / 52,000 = .019. The papers enlarge to 32x32
and read with classifiers of their own; here pictures stay at 28x28, and the digits net in gan/metrics/nets
reads them.
"""

import torch

from gan.metrics.extractors import Extractor, Features
from gan.metrics.modes import class_histogram, mode_divergence, modes_covered
from gan.metrics.score import compare

TRAINING = 128_000  # pictures to train on, as in both papers
SAMPLES = 26_000
MODES = 1000
# how often each occurs in MNIST's training split
DIGITS = (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)


def stack(digits: torch.Tensor, count: int, seed: int) -> torch.Tensor:
    """Pictures uint8 (count, 3, H, W), each channel one of digits (N, 1, H, W) drawn with replacement from
    `seed`.
    """
    rng = torch.Generator().manual_seed(seed)
    return digits[:, 0][torch.randint(len(digits), (count, 3), generator=rng)]


def extract(extractor: Extractor, images: torch.Tensor) -> Features:
    """What a extractor of digits sees in uint8 pictures (N, 3, H, W): its features of the channels side by
    side, and the mode, in 0..999.

    Hundreds are read from the first channel, units from the last.
    """
    views = [extractor.extract(images[:, k : k + 1]) for k in range(3)]
    hundreds, tens, units = (view.classes for view in views)
    return Features(torch.cat([view.features for view in views], 1), 100 * hundreds + 10 * tens + units)


def real_shares() -> torch.Tensor:
    """How probable each of the 1000 modes is, float64 (1000,): three digits of the training split, drawn
    independently.
    """
    digit = torch.tensor(DIGITS, dtype=torch.float64) / sum(DIGITS)
    return torch.einsum("i,j,k->ijk", digit, digit, digit).flatten()


def mode_scores(modes: torch.Tensor) -> dict[str, float]:
    """ "modes", how many of 1000 occur, and "mode KL" in nats against `real_shares`, of the modes (N,) of
    drawn pictures.
    """
    drawn = class_histogram(modes, MODES)
    return {"modes": modes_covered(real_shares(), drawn), "mode KL": mode_divergence(real_shares(), drawn)}


def score(
    real: torch.Tensor, fake: torch.Tensor, extractor: Extractor, train: torch.Tensor | None = None
) -> dict[str, float]:
    """The modes of all drawn pictures, and what `compare` says of as many of them as are held out."""
    drawn, held_out = extract(extractor, fake), extract(extractor, real)
    return {**compare(held_out.features, drawn.features[: len(real)]), **mode_scores(drawn.classes)}
