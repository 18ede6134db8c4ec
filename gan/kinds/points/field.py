"""D's output over the plane, as colours: where D takes a point for real, and where for fake.

The colours run from orange (fake) over white to blue (real). All common kinds of colour blindness keep these
apart.
"""

import numpy as np
import torch
from PIL import Image
from torch import nn

VIEW = 1.1  # the sheet shows [-VIEW, VIEW]², a margin of a tenth about the box of the data
CELLS = 48  # cells along a side on which D is asked; the picture between them is interpolated
FAKE, NEUTRAL, REAL = (
    (253, 184, 99),
    (247, 247, 247),
    (146, 197, 222),
)  # sRGB; ends of ColorBrewer's PuOr and RdBu
LEAST_SCALE = 1.0  # logits: a D that knows less than this is drawn as pale as it is
QUANTILE = 0.9  # of |logit - neutral| over the view, which gets the full colour


def cell_centres(cells: int = CELLS) -> torch.Tensor:
    """The centres of the view's cells (cells², 2), row by row from the top left; y points up."""
    along = ((torch.arange(cells) + 0.5) / cells * 2 - 1) * VIEW
    y, x = torch.meshgrid(-along, along, indexing="ij")
    return torch.stack([x, y], 2).reshape(-1, 2)


@torch.inference_mode()
def logits_over_view(D: nn.Module, cells: int = CELLS) -> np.ndarray:
    """D's logits at `cell_centres`: float32 (cells, cells), the first row at the top."""
    return D(cell_centres(cells)).view(cells, cells).numpy()


def realness(logits: np.ndarray, neutral: float) -> np.ndarray:
    """Map logits of any shape to -1 (fake) to 1 (real), with 0 at `neutral`.

    Full colour needs at least LEAST_SCALE logits of difference.
    """
    difference = np.nan_to_num(logits - neutral, nan=0.0)
    scale = max(LEAST_SCALE, float(np.quantile(np.abs(difference), QUANTILE)))
    return np.clip(difference / scale, -1, 1)


def colours(values: np.ndarray, size: int) -> np.ndarray:
    """Realness (cells, cells) in [-1, 1] as a picture: uint8 (size, size, 3)."""
    amount = np.abs(values)[..., None]
    ends = np.where(values[..., None] < 0, np.array(FAKE, np.float32), np.array(REAL, np.float32))
    neutral = np.array(NEUTRAL)
    small = (neutral + (ends - neutral) * amount + 0.5).astype(np.uint8)
    return np.array(Image.fromarray(small).resize((size, size), Image.Resampling.BILINEAR))
