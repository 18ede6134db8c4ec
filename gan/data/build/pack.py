"""Write and check the files of one bundled set."""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from gan.data import bundled
from gan.data.registry import BUNDLED_DIR

THUMBNAIL_BYTES = 20_000


def asked(about: str | None, *places: str) -> argparse.Namespace:
    """Parse the command line of a build script: one path for each of `places`, and `about` as help."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    for place in places:
        parser.add_argument(place, type=Path, metavar=place.upper())
    return parser.parse_args()


def write_set(
    name: str, images: np.ndarray, facts: dict[str, np.ndarray], meta: dict, licence_text: str
) -> None:
    """Write gan/data/bundled/<name>/, then read it back.

    `images` is uint8 (N, C, tile, tile). `facts` holds "label" and one array (N,) for each of
    meta["attributes"]. `meta` has size, classes, attributes, licence, credit and source; this function adds
    the rest. Raises AssertionError if the data read back differ.
    """
    folder = BUNDLED_DIR / name
    folder.mkdir(parents=True, exist_ok=True)
    count, channels, tile, _ = images.shape
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    padded = np.concatenate([images, np.zeros((rows * columns - count, channels, tile, tile), np.uint8)])
    sheet = (
        padded.reshape(rows, columns, channels, tile, tile)
        .transpose(0, 3, 1, 4, 2)
        .reshape(rows * tile, columns * tile, channels)
    )
    Image.fromarray(sheet.repeat(3 // channels, 2)).save(
        folder / "images.webp", lossless=True, method=6, quality=100, exact=True
    )
    stored = {
        key: torch.from_numpy(value.astype(np.float32 if value.dtype.kind == "f" else np.uint8))
        for key, value in facts.items()
    }
    save_file(stored, folder / "labels.safetensors")
    (folder / "labels.safetensors").chmod(0o644)  # save_file gives read access only to the owner
    write_words(
        folder,
        {
            **meta,
            "channels": channels,
            "count": count,
            "tile": tile,
            "columns": columns,
            "sha256": digest(images),
        },
        licence_text,
    )
    whole = bundled.load(name)
    factor = meta["size"] // tile
    assert digest(whole.images.numpy()[:, :, ::factor, ::factor]) == digest(images), (
        f"{name}: the pictures read back differ"
    )
    assert whole.labels is not None, f"{name}: no labels"
    assert all(
        (value == (whole.labels if key == "label" else whole.attributes[key]).numpy()).all()
        for key, value in facts.items()
    )
    write_thumbnail(folder, whole.images.numpy(), whole.labels.numpy())


def write_words(folder: Path, meta: dict, licence_text: str) -> None:
    """Write meta.json and LICENSE of one set."""
    (folder / "meta.json").write_text(json.dumps(meta, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "LICENSE").write_text(licence_text.strip() + "\n", encoding="utf-8")


def digest(images: np.ndarray) -> str:
    """Compute the SHA-256 of uint8 images in (N, C, H, W) order."""
    return hashlib.sha256(np.ascontiguousarray(images).tobytes()).hexdigest()


def write_thumbnail(folder: Path, images: np.ndarray, labels: np.ndarray, skip: int = 0) -> None:
    """Write thumbnail.webp: 4 x 4 images, cycling through the classes, at most THUMBNAIL_BYTES.

    Images are enlarged by an integer factor.
    """
    kinds = int(labels.max()) + 1
    chosen = [np.flatnonzero(labels == k % kinds)[skip + k // kinds] for k in range(16)]
    tiles = images[chosen].repeat(3 // images.shape[1], 1)
    factor = max(1, 256 // (4 * images.shape[2]))
    sheet = (
        tiles.reshape(4, 4, *tiles.shape[1:])
        .transpose(0, 3, 1, 4, 2)
        .reshape(4 * tiles.shape[2], 4 * tiles.shape[3], 3)
    )
    picture = Image.fromarray(sheet.repeat(factor, 0).repeat(factor, 1))
    path = folder / "thumbnail.webp"
    picture.save(path, lossless=True, method=6, quality=100)
    for quality in range(95, 50, -5):
        if path.stat().st_size <= THUMBNAIL_BYTES:
            return
        picture.save(path, method=6, quality=quality)
