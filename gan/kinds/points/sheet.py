"""The sample sheet of a run on points: real and generated points over D's field, as one picture."""

import io

import numpy as np
import torch
from PIL import Image
from torch import nn

from gan.kinds.points.data import PointSet
from gan.kinds.points.field import VIEW, colours, logits_over_view, realness
from gan.objectives import LOSSES
from gan.provenance import XMP

SIZE = 512  # pixels along a side
SHOWN = 1_000  # points of each kind; more would hide each other
REAL, FAKE = (
    (5, 48, 97),
    (179, 56, 6),
)  # sRGB of dots: dark blue and dark orange, darker than any colour of the field
DOT = ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0))  # rows and columns of a dot's pixels about its centre
QUALITY, METHOD = 75, 0  # of WebP: the fastest method, because a trainer waits for each sheet


def draw_sheet(points: PointSet, samples: torch.Tensor, D: nn.Module, loss: str) -> bytes:
    """Return the sheet (WebP) of samples (N, 2) in the units of the networks, of a run with that loss.

    Samples beyond the view lie on its edge.
    """
    real, fake = points.points[:SHOWN], samples[:SHOWN]
    canvas = colours(realness(logits_over_view(D), neutral_logit(D, real, fake, loss)), SIZE)
    draw_dots(canvas, real, REAL)
    draw_dots(canvas, fake, FAKE)
    buffer = io.BytesIO()
    Image.fromarray(canvas).save(buffer, "WEBP", quality=QUALITY, method=METHOD, xmp=XMP.encode())
    return buffer.getvalue()


@torch.inference_mode()
def neutral_logit(D: nn.Module, real: torch.Tensor, fake: torch.Tensor, loss: str) -> float:
    """Return the logit with which D says that it can't tell.

    If the loss has none, it is halfway between D's means on real and fake.
    """
    known = LOSSES[loss].undecided
    return float(D(real).mean() + D(fake).mean()) / 2 if known is None else known


def draw_dots(canvas: np.ndarray, points: torch.Tensor, colour: tuple[int, int, int]) -> None:
    """Draw points (N, 2) as dots on a picture (size, size, 3); NaN is left out."""
    size = len(canvas)
    finite = points[points.isfinite().all(1)].numpy()
    columns = np.clip((finite[:, 0] / VIEW + 1) / 2 * size, 1, size - 2).astype(int)
    rows = np.clip((1 - finite[:, 1] / VIEW) / 2 * size, 1, size - 2).astype(int)
    for down, right in DOT:
        canvas[rows + down, columns + right] = colour
