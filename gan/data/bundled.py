"""Load the data sets that ship with the code.

Each has a lossless WebP sheet of tiles, labels and attributes as safetensors, and a meta.json.
"""

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from gan.data.dataset import Dataset, fit
from gan.data.procedural import landscapes
from gan.data.registry import BUNDLED_DIR, read_meta
from gan.errors import UserError, refuse_if_full

# Most bytes that decoding takes per pixel: three layers of four colours for the sheet, and the decoder's own.
DECODER = 24
# Sets that our code draws instead of reading a file.
DRAWN = {"landscapes": landscapes.pictures}


def load(name: str, size: int | None = None, channels: int | None = None) -> Dataset:
    """Load a bundled set as a `Dataset` (see `gan.data.load`).

    Raises UserError for a missing or damaged file, and MemoryError if memory runs out.
    """
    meta = read_meta(name)
    if name in DRAWN:
        images, facts = DRAWN[name]()
    else:
        images, facts = read_sheet(name, meta), read_facts(name, meta)
    labels = facts.pop("label")
    values = {attribute: tuple(names) for attribute, names in meta["attributes"].items() if names}
    return fit(Dataset(name, images, labels, tuple(meta["classes"]), facts, values), size, channels)


def read_sheet(name: str, meta: dict) -> torch.Tensor:
    """Read the images of a sheet: uint8 (count, channels, size, size).

    Tiles smaller than `size` are enlarged by an integer factor.
    """
    import numpy as np
    from PIL import Image

    path = BUNDLED_DIR / name / "images.webp"
    count, channels = meta["count"], meta["channels"]
    try:
        tile, columns = meta["tile"], meta["columns"]
        rows = -(-count // columns)
        with Image.open(path, formats=["WEBP"]) as sheet:
            if sheet.size != (columns * tile, rows * tile):
                raise UserError("data.damaged", file=path)
            pixels = np.asarray(sheet.convert("RGB"))[:, :, :channels]
    except (OSError, ValueError, KeyError) as error:
        refuse_if_full(error)
        # A decoder without memory reports only failure. This allocation raises MemoryError instead.
        np.empty(DECODER * count * meta["size"] ** 2, dtype=np.uint8)
        raise UserError("data.damaged", file=path) from error
    tiles = torch.from_numpy(pixels.copy()).view(rows, tile, columns, tile, channels)
    images = tiles.permute(0, 2, 4, 1, 3).reshape(rows * columns, channels, tile, tile)[:count]
    factor = meta["size"] // tile
    return (
        images.repeat_interleave(factor, 2).repeat_interleave(factor, 3).contiguous()
        if factor > 1
        else images.contiguous()
    )


def read_facts(name: str, meta: dict) -> dict[str, torch.Tensor]:
    """Read "label" and the attributes of a set: int64 or float32 (count,) each."""
    path = BUNDLED_DIR / name / "labels.safetensors"
    try:
        stored = load_file(path)
    except (OSError, SafetensorError) as error:
        refuse_if_full(error)
        raise UserError("data.damaged", file=path) from error
    if set(stored) != {"label", *meta["attributes"]} or any(
        v.shape != (meta["count"],) for v in stored.values()
    ):
        raise UserError("data.damaged", file=path)
    return {
        key: stored[key].float() if stored[key].is_floating_point() else stored[key].long()
        for key in ("label", *meta["attributes"])
    }
