"""Build the bundled pixel faces in DiceBear's style "pixel-art" (designed by DiceBear, CC0) with npm packages.

    npm install @dicebear/core@9.4.3 @dicebear/pixel-art@9.4.3 @resvg/resvg-js@2.6.2
    python -m gan.data.build.faces node_modules
    python -m gan.data.build.faces node_modules fresh.zip 4000      # other faces, to score a generator

The 10,000 bundled faces have the seeds 0 to 9999; fresh faces start at seed 10000. The art is a grid of 16x16
squares, so the stored 16x16 tiles lose nothing. This script checks that.
"""  # noqa: E501

import argparse
import io
import json
import subprocess
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from gan import console
from gan.data.build.pack import write_set

SIDE, TILE = 64, 16
COUNT = 10_000
FRESH = 10_000  # first seed that the bundled set does not use
CLASSES = ("short hair", "long hair", "glasses", "hat")
# Our name of each attribute, and how to read it from DiceBear's description of a face.
ATTRIBUTES = {
    "hair": lambda face: face["hair"],
    "hair_length": lambda face: face["hair"].rstrip("0123456789"),
    "hair_colour": lambda face: face["hairColor"],
    "skin_colour": lambda face: face["skinColor"],
    "eyes": lambda face: face["eyes"],
    "eye_colour": lambda face: face["eyesColor"],
    "mouth": lambda face: face["mouth"],
    "mood": lambda face: face["mouth"].rstrip("0123456789"),
    "beard": lambda face: face.get("beard", "none"),
    "glasses": lambda face: face.get("glasses", "none"),
    "hat": lambda face: face.get("hat", "none"),
    "clothing": lambda face: face["clothing"],
    "clothing_colour": lambda face: face["clothingColor"],
    "accessories": lambda face: face.get("accessories", "none"),
    "background": lambda face: face["primaryBackgroundColor"],
}
LICENCE = """
Pixel faces, drawn with DiceBear's avatar style "Pixel Art" (designed by DiceBear), which is dedicated to the public domain:
CC0 1.0, https://creativecommons.org/publicdomain/zero/1.0/

Source: npm @dicebear/core 9.4.3 and @dicebear/pixel-art 9.4.3 (https://www.dicebear.com/styles/pixel-art/), drawn by @resvg/resvg-js 2.6.2
with the seeds 0 to 9999 in four kinds: short hair, long hair, glasses, hat.
"""  # noqa: E501


def draw(modules: Path, first: int = 0, count: int = COUNT) -> tuple[np.ndarray, list[dict[str, str]]]:
    """Draw the faces of `count` seeds, a multiple of 4, from `first` on.

    Returns uint8 (count, 3, 64, 64) and DiceBear's description of each face.
    """
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(
            [
                "node",
                str(Path(__file__).with_suffix(".mjs")),
                str(modules.resolve()),
                out,
                str(first),
                str(count),
            ],
            check=True,
        )
        pixels = (
            np.fromfile(Path(out) / "pixels.raw", np.uint8).reshape(-1, SIDE, SIDE, 3).transpose(0, 3, 1, 2)
        )
        return pixels, [json.loads(line) for line in (Path(out) / "extra.jsonl").read_text().splitlines()]


def describe(extra: list[dict[str, str]], values: dict[str, list[str]]) -> dict[str, np.ndarray]:
    """Encode "label" and every attribute of faces: int64 (N,) each.

    `values` lists the values of each attribute in order. Raises ValueError for a value that is not in it.
    """
    facts = {"label": np.arange(len(extra)) % len(CLASSES)}
    return facts | {
        name: np.array([values[name].index(read(face)) for face in extra])
        for name, read in ATTRIBUTES.items()
    }


def write_fresh(modules: Path, path: Path, count: int) -> None:
    """Draw `count` faces outside the bundled set into a .zip of PNGs, with one folder for each class."""
    images, _ = draw(modules, FRESH, count)
    with zipfile.ZipFile(path, "w") as archive:
        for number, pixels in enumerate(images):
            file = io.BytesIO()
            Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(file, "PNG")
            archive.writestr(f"{CLASSES[number % len(CLASSES)]}/{FRESH + number}.png", file.getvalue())


def main(modules: Path) -> None:
    images, extra = draw(modules)
    factor = SIDE // TILE
    tiles = images[:, :, ::factor, ::factor]
    assert (tiles.repeat(factor, 2).repeat(factor, 3) == images).all(), (
        "the art does not lie on a grid of 16x16 squares"
    )
    values = {name: sorted({read(face) for face in extra}) for name, read in ATTRIBUTES.items()}
    meta = {
        "name": "faces",
        "size": SIDE,
        "classes": list(CLASSES),
        "attributes": values,
        "licence": "CC0 1.0",
        "credit": "Pixel Art, by DiceBear",
        "source": "npm @dicebear/pixel-art 9.4.3, seeds 0 to 9999",
    }
    write_set("faces", tiles, describe(extra, values), meta, LICENCE)


if __name__ == "__main__":
    console.prepare()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("modules", type=Path, metavar="NODE_MODULES")
    parser.add_argument("zip", type=Path, nargs="?", help="write other faces there instead")
    parser.add_argument("count", type=int, nargs="?", default=COUNT, help="so many of them")
    options = parser.parse_args()
    if options.zip is not None:
        write_fresh(options.modules, options.zip, options.count)
    else:
        main(options.modules)
