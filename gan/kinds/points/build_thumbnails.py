"""Draw the pictures of the drawn sets for the page, which must not wait for torch.

python -m gan.kinds.points.build_thumbnails
"""

import argparse
import io

import numpy as np
from PIL import Image

from gan import console
from gan.files import write_bytes
from gan.kinds.points import data, thumbnail
from gan.kinds.points.field import NEUTRAL
from gan.kinds.points.sheet import REAL, draw_dots

SIZE = 128  # pixels along a side
SHOWN = 600  # points


def draw(name: str) -> bytes:
    """Return the picture (WebP) of the set of that name in data.NAMES."""
    canvas = np.full((SIZE, SIZE, 3), NEUTRAL, np.uint8)
    draw_dots(canvas, data.load(name).points[:SHOWN], REAL)
    buffer = io.BytesIO()
    Image.fromarray(canvas).save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


def main() -> None:
    """Write the picture of each set to its place in the package."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    for name in data.NAMES:
        thumbnail(name).parent.mkdir(exist_ok=True)
        write_bytes(thumbnail(name), draw(name))


if __name__ == "__main__":
    console.prepare()
    main()
