"""The map of a model: its samples laid out by what they show, with their pictures, in one answer."""

import numpy as np
import torch

from gan.images import encode_webp, grid, pack
from gan.latent.generator import Model
from gan.latent.map.layout import lay_out, methods
from gan.latent.map.sample_bank import COUNT

# seconds that drawing samples, and looking at them, may take: for somebody who has none yet, and for more
FIRST, THEN = 1.0, 6.0
COLUMNS = 64  # of the sheet of pictures
STEPS = 9999  # positions are whole numbers from 0 to this


def atlas(model: Model, method: str, known: int) -> tuple[bytes, bool]:
    """Samples as a browser draws them, packed, and whether these are all that there will be.

    The picture is a WebP with COLUMNS of them to a row, left out where the browser has those of `known`
    samples and there are no more. The numbers: {"samples", "of", "by", "methods", "side" of a picture in
    pixels, "x" and "y" from 0 to STEPS, "labels" or null}; sample k is the picture of seed k. Until all
    samples are there they are laid out by PCA, which takes no time. A model that is still learning has as
    many as are drawn at once: the next ones would be another generator's.
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
    told = {
        "samples": there,
        "of": of,
        "by": by,
        "methods": methods(),
        "side": pictures.shape[2],
        "x": x,
        "y": y,
        "labels": labels,
    }
    return pack(told, b"" if known == there else _sheet(model, pictures, whole)), whole and by == method


def _positions(model: Model, count: int, by: str) -> bytes:
    return (lay_out(model.bank.features()[:count].numpy(), by) * STEPS).round().astype("<u2").T.tobytes()


def _sheet(model: Model, pictures: torch.Tensor, whole: bool) -> bytes:
    draw = lambda: encode_webp(grid(pictures, COLUMNS), lossless=False)  # noqa: E731
    return model.remember(("map pictures",), draw) if whole else draw()
