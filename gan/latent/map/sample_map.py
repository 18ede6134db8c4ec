"""The map of a model: samples laid out by similarity, with their images, in one answer."""

import numpy as np
import torch

from gan.images import encode_webp, grid, pack
from gan.latent.generator import Model
from gan.latent.map.layout import lay_out, methods
from gan.latent.map.sample_bank import COUNT

# Seconds to generate samples, and again to extract features: in the first request, and in later ones.
FIRST, THEN = 1.0, 6.0
COLUMNS = 64  # images in a row of the sheet
STEPS = 9999  # positions are integers from 0 to this


def atlas(model: Model, method: str, known: int) -> tuple[bytes, bool]:
    """The map as packed bytes, and whether it is complete. The JSON holds:

      samples, of   the number of samples, now and in the complete map
      by, methods   the method used, and the available methods
      side          side of an image in pixels
      x, y          positions in [0, STEPS]; sample k has seed k
      labels        classes, or null

    A WebP sheet follows, with COLUMNS images in a row. It is empty if the browser already has all `known`
    samples. PCA lays out an incomplete set, because it takes no time. The map of a training run has only the
    samples of one call. A further call would read another generator.
    """
    seconds = THEN if known or model.entry.live else FIRST
    model.bank.grow(COUNT, seconds)
    there = model.bank.extract_features(seconds)
    whole = there >= COUNT
    by = method if whole or model.entry.live else "pca"
    lay = lambda: _positions(model, there, by)  # noqa: E731
    x, y = np.frombuffer(model.remember(("map", by), lay) if whole else lay(), "<u2").reshape(2, -1).tolist()
    labels = [model.bank.label(seed) for seed in range(there)] if model.spec.num_classes else None
    pictures = model.bank.pictures()[:there]
    of = there if model.entry.live else COUNT
    header = {
        "samples": there,
        "of": of,
        "by": by,
        "methods": methods(),
        "side": pictures.shape[2],
        "x": x,
        "y": y,
        "labels": labels,
    }
    return pack(header, b"" if known == there else _sheet(model, pictures, whole)), whole and by == method


def _positions(model: Model, count: int, by: str) -> bytes:
    return (lay_out(model.bank.features()[:count].numpy(), by) * STEPS).round().astype("<u2").T.tobytes()


def _sheet(model: Model, pictures: torch.Tensor, whole: bool) -> bytes:
    draw = lambda: encode_webp(grid(pictures, COLUMNS), lossless=False)  # noqa: E731
    return model.remember(("map pictures",), draw) if whole else draw()
